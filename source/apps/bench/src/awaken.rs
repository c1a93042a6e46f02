//! From a signal on one CPU to the first instruction of a thread that sleeps on another, by the `time` counter.
//!
//! Nothing else is to do meanwhile: before each signal this thread sleeps too, so that every CPU waits for an interrupt. What
//! is measured is the whole way of a wake-up: signal, mailbox, kick, trap, and the thread runs.

use crate::wall::{middle, sleep, stay};
use alloc::boxed::Box;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use nexus_abi::syscall::{NotificationCreate, Notify, Wait};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::time::deadline_in;
use nexus_rt::{Instant, kernel::invoke, thread};

const WAKES: usize = 500;
/// Before each, so that every CPU sleeps.
const QUIET: Duration = Duration::from_millis(2);
/// The most that a thread may take, on a busy host.
const PATIENCE: Duration = Duration::from_secs(60);
const STACK_PAGES: u64 = 2;

/// Whoever sleeps on the other CPU, and what it tells.
#[derive(Clone)]
struct Sleeper {
    go: Handle,
    back: Handle,
    /// When it ran, in ticks.
    awake: Arc<AtomicU64>,
}

/// The middle one of many, in nanoseconds.
pub(crate) fn latency() -> Result<u64, Error> {
    let notification = || invoke(NotificationCreate { process: None }).map(|made| made.notification);
    let sleeper = Sleeper { go: notification()?, back: notification()?, awake: Arc::default() };
    let theirs = sleeper.clone();
    // Whoever gives up there is waited for in vain here, for all to see.
    let body = move || {
        let _ = theirs.sleep();
    };
    thread::spawn(STACK_PAGES, Box::new(body))?;
    stay(0)?;
    middle((0..WAKES).map(|_| sleeper.wake()))
}

impl Sleeper {
    fn sleep(&self) -> Result<(), Error> {
        stay(1)?;
        loop {
            invoke(Wait { notification: self.go, deadline: Deadline::NEVER })?;
            self.awake.store(Instant::now().ticks(), Ordering::Release);
            invoke(Notify { notification: self.back, bits: 1 })?;
        }
    }

    fn wake(&self) -> Result<u64, Error> {
        sleep(QUIET)?;
        let signalled = Instant::now();
        invoke(Notify { notification: self.go, bits: 1 })?;
        invoke(Wait { notification: self.back, deadline: deadline_in(PATIENCE) })?;
        let awake = Instant::from_ticks(self.awake.load(Ordering::Acquire));
        Ok(awake.since(signalled).as_nanos() as u64)
    }
}
