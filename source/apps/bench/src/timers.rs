//! 64 timers in each class: the wake-ups they took, the fewest possible, and how late the latest signal was.
//!
//! Lateness counts from the end of a timer's window to the first instruction of its owner behind the wait, so it is only
//! meaningful where instructions are counted.

use nexus_abi::syscall::{Close, NotificationCreate, Wait};
use nexus_abi::{Deadline, Error, QosClass};
use nexus_proto::contract::timer::{Coalesced, Signalled, coalescing};
use nexus_proto::timer;
use nexus_rt::{Channel, Instant, env, kernel::invoke, println};

/// The latest that a timer may be behind the end of its window.
const MOST_US: u64 = 100;

/// Prints a row a class. `ETIMEDOUT`: one took more wake-ups than it had to, or was too late.
pub(crate) fn run() -> Result<(), Error> {
    let timebase = env::start()?.info().timebase;
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let mut wait = |deadline: Deadline| {
        // A refusal is a deadline that passed: the experiment says what it misses.
        let bits = invoke(Wait { notification, deadline }).map_or(0, |waited| waited.bits);
        Signalled { at: Instant::now().ticks(), bits }
    };
    let mut missed = false;
    for class in QosClass::ALL {
        let found = coalescing(Channel::to(timer::NAME)?, notification, class, timebase, &mut wait);
        let Coalesced { wakes, fewest, late } = found.map_err(|broken| {
            println!("bench: not so: {}", broken.0);
            Error::Protocol
        })?;
        let late_us = (late * 1_000_000).div_ceil(timebase);
        println!("bench: timers {} | {wakes} | {fewest} | {late_us}", class.name());
        missed |= wakes != fewest || late_us > MOST_US;
    }
    invoke(Close { handle: notification })?;
    println!("bench: timers end");
    if missed { Err(Error::TimedOut) } else { Ok(()) }
}
