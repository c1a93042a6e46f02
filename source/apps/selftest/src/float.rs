//! Floating point: every thread has its own registers, whoever runs between two of its instructions.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use alloc::{boxed::Box, sync::Arc};
use nexus_abi::syscall::{Close, NotificationCreate, Notify, Wait, Yield};
use nexus_abi::{Error, Handle};
use nexus_rt::{kernel::invoke, thread, time::deadline_in};

use crate::{Failure, one_cpu};

const ROUNDS: u32 = 200;
/// Rounds of the other thread that must fall between those of the first: otherwise nothing was shown.
const INTERLEAVED: u32 = 50;
const PATIENCE: Duration = Duration::from_secs(5);
const STACK_PAGES: u64 = 4;

/// Two threads follow chaotic orbits, giving the CPU away after each step; one changed bit would change the end.
pub(crate) fn threads_keep_their_registers() -> Result<(), Failure> {
    let made = invoke(NotificationCreate { process: None });
    let done = made.map_err(|error| Failure::Refused("a notification", error))?.notification;
    one_cpu::stay().map_err(|error| Failure::Refused("affinity", error))?;
    let outcome = two_orbits(done);
    one_cpu::leave().map_err(|error| Failure::Refused("affinity", error))?;
    invoke(Close { handle: done }).map_err(|error| Failure::Refused("close", error))?;
    outcome
}

fn two_orbits(done: Handle) -> Result<(), Failure> {
    let expected = [orbit(0.1, || ()), orbit(0.2, || ())];
    let (rounds, same) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let (other_rounds, other_same) = (rounds.clone(), same.clone());
    let body = move || {
        let end = orbit(0.2, || {
            other_rounds.fetch_add(1, Ordering::Relaxed);
            give_way();
        });
        other_same.store(u32::from(end == expected[1]), Ordering::Relaxed);
        // Whoever waits gives up at its deadline.
        let _ = invoke(Notify { notification: done, bits: 1 });
        thread::exit();
    };
    thread::spawn(STACK_PAGES, Box::new(body)).map_err(|error| Failure::Refused("a thread", error))?;
    let mut interleaved = 0;
    let mut seen = 0;
    let end = orbit(0.1, || {
        give_way();
        let now = rounds.load(Ordering::Relaxed);
        interleaved += u32::from(now != seen);
        seen = now;
    });
    wait(done).map_err(|error| Failure::Refused("the other thread's end", error))?;
    if interleaved < INTERLEAVED {
        return Err(Failure::Wrong("two threads of a class take turns when they give way"));
    }
    if end != expected[0] || same.load(Ordering::Relaxed) != 1 {
        return Err(Failure::Wrong("a thread finds its float registers as it left them"));
    }
    Ok(())
}

fn give_way() {
    let _ = invoke(Yield {});
}

fn wait(done: Handle) -> Result<(), Error> {
    invoke(Wait { notification: done, deadline: deadline_in(PATIENCE) }).map(|_| ())
}

/// Four coupled logistic maps: single values, so that they stay in registers over a pause.
fn orbit(seed: f64, mut pause: impl FnMut()) -> [u64; 4] {
    let (mut a, mut b, mut c, mut d) = (seed, seed + 0.05, seed + 0.1, seed + 0.15);
    for _ in 0..ROUNDS {
        (a, b, c, d) = (step(a, b), step(b, c), step(c, d), step(d, a));
        pause();
    }
    [a, b, c, d].map(f64::to_bits)
}

fn step(x: f64, neighbour: f64) -> f64 {
    0.95 * 3.9 * x * (1.0 - x) + 0.05 * neighbour
}
