//! Threads of one program.
//!
//! They share heap and locks, and nobody loses anything or waits for ever; the stack that one leaves is the next one's.

use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;

use alloc::{boxed::Box, sync::Arc, vec};
use nexus_abi::Handle;
use nexus_abi::syscall::{Notify, Yield};
use nexus_rt::{kernel::invoke, sys::Mutex, thread};

use crate::{Failure, one_cpu};

/// Threads beside the first.
const OTHERS: u32 = 3;
const ROUNDS: u32 = 3_000;
/// One round in so many gives the CPU away while it holds the lock, so that the next one finds it held.
const HELD_OVER: u32 = 8;
/// Times that somebody must have found the lock held: otherwise nothing was shown.
const CONTENDED: u32 = 100;
/// For all rounds of all threads, also where another hart emulates beside this one.
const PATIENCE: Duration = Duration::from_secs(10);
const STACK_PAGES: u64 = 4;
/// Threads that come one after another, and their stack: more than the program's quota allows at once.
const GENERATIONS: u32 = 24;
const LARGE_STACK_PAGES: u64 = 16;

/// What the threads share.
struct Shared {
    counter: Mutex<u32>,
    contended: AtomicU32,
    spoiled: AtomicU32,
}

/// Threads hammer heap and lock: each round is counted once, and each piece of memory belongs to one of them.
pub(crate) fn share_heap_and_lock() -> Result<(), Failure> {
    one_cpu::meet(hammer)?;
    one_cpu::meet(come_and_go)
}

/// Each thread stands where the one before it stood.
fn come_and_go(done: Handle) -> Result<(), Failure> {
    for _ in 0..GENERATIONS {
        // Whoever waits gives up at its deadline.
        let body = move || {
            let _ = invoke(Notify { notification: done, bits: 1 });
        };
        thread::spawn(LARGE_STACK_PAGES, Box::new(body)).map_err(|error| Failure::Refused("a thread", error))?;
        one_cpu::wait_for(done, 1, PATIENCE).map_err(|error| Failure::Refused("a thread's end", error))?;
    }
    Ok(())
}

fn hammer(done: Handle) -> Result<(), Failure> {
    let (contended, spoiled) = (AtomicU32::new(0), AtomicU32::new(0));
    let shared = Arc::new(Shared { counter: Mutex::new(0), contended, spoiled });
    for number in 0..OTHERS {
        let theirs = shared.clone();
        let body = move || {
            rounds(&theirs, number as u8 + 1);
            // Whoever waits gives up at its deadline.
            let _ = invoke(Notify { notification: done, bits: 1 << number });
            thread::exit();
        };
        thread::spawn(STACK_PAGES, Box::new(body)).map_err(|error| Failure::Refused("a thread", error))?;
    }
    rounds(&shared, 0);
    let ended = one_cpu::wait_for(done, (1 << OTHERS) - 1, PATIENCE);
    ended.map_err(|error| Failure::Refused("the other threads' end", error))?;
    if *shared.counter.lock() != (OTHERS + 1) * ROUNDS {
        return Err(Failure::Wrong("what is counted under a lock is counted exactly"));
    }
    if shared.spoiled.load(Ordering::Relaxed) != 0 {
        return Err(Failure::Wrong("memory of the heap belongs to one thread"));
    }
    if shared.contended.load(Ordering::Relaxed) < CONTENDED {
        return Err(Failure::Wrong("the threads met at the lock"));
    }
    Ok(())
}

fn rounds(shared: &Shared, tag: u8) {
    for round in 0..ROUNDS {
        let size = 8 + (round * 37 + u32::from(tag) * 101) as usize % 600;
        let piece = vec![tag; size];
        let held = shared.counter.try_lock();
        let mut counter = held.unwrap_or_else(|| {
            shared.contended.fetch_add(1, Ordering::Relaxed);
            shared.counter.lock()
        });
        let seen = *counter;
        if round % HELD_OVER == 0 {
            let _ = invoke(Yield {});
        }
        *counter = seen + 1;
        drop(counter);
        let whole = piece.iter().all(|byte| *byte == tag);
        shared.spoiled.fetch_add(u32::from(!whole), Ordering::Relaxed);
    }
}
