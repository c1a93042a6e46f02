//! Threads of one CPU that all wake at one instant, again and again: `sleepers <threads> <cpu> <seconds>`.
//!
//! Instants are multiples of a beat, so those of two programs are the same. Together they are more than a class of one CPU
//! admits: a wake that is not admitted must be queued all the same. Ends with 0 if every sleep ended, none of them early.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nexus_abi::syscall::{AffinitySet, EndpointCreate, NotificationCreate, Notify, Wait, ipc};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::sys::{Departure, counted};
use nexus_rt::time::deadline_in;
use nexus_rt::{Instant, env, kernel::invoke, println, thread};

nexus_rt::program!(main);

/// Ticks between two instants: about 13 ms.
const BEAT: u64 = 1 << 17;
/// Before the first instant: all threads of both programs are there by then, since a full class admits no new one.
const GATHER: Duration = Duration::from_secs(1);
/// After the end until every thread has ended.
const LATEST: Duration = Duration::from_secs(13);

#[derive(Default)]
struct Sleeps {
    begun: AtomicU64,
    ended: AtomicU64,
    early: AtomicU64,
    gone: AtomicU64,
}

fn argument(at: usize) -> Result<u64, Error> {
    env::arguments().nth(at).and_then(|text| text.parse().ok()).ok_or(Error::Invalid)
}

fn main() -> Result<i64, Error> {
    let (threads, cpu, seconds) = (argument(1)?, argument(2)?, argument(3)?);
    let bed = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
    let sleeps = Arc::new(Sleeps::default());
    let over = invoke(NotificationCreate { process: None })?.notification;
    let (begin, end) = (deadline_in(GATHER), deadline_in(Duration::from_secs(seconds)));
    admitted(bed, end, || invoke(AffinitySet { thread: None, mask: 1 << cpu }).map(drop))?;
    for _ in 0..threads {
        let start = || {
            let theirs = sleeps.clone();
            let body = move || {
                sleep(bed, &theirs, [begin, end]);
                if theirs.gone.fetch_add(1, Ordering::AcqRel) + 1 == threads {
                    let _ = invoke(Notify { notification: over, bits: 1 });
                }
                thread::exit();
            };
            thread::spawn(1, Box::new(body)).map(drop)
        };
        admitted(bed, end, start)?;
    }
    // Who does not come is missed below.
    let deadline = deadline_in(Duration::from_secs(seconds) + LATEST);
    let _ = invoke(Wait { notification: over, deadline });
    let at = |counter: &AtomicU64| counter.load(Ordering::Acquire);
    let (begun, ended, early) = (at(&sleeps.begun), at(&sleeps.ended), at(&sleeps.early));
    println!("sleepers: {ended} of {begun} sleeps on cpu{cpu}, {early} early");
    Ok(i64::from(at(&sleeps.gone) != threads || begun != ended || begun < threads || early != 0))
}

/// Does what a full CPU, or one that was asked too often, refuses, as soon as it does not; at the latest at `end`.
fn admitted(bed: Handle, end: Deadline, mut act: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    loop {
        match act() {
            Err(Error::Again | Error::RateLimited) if !end.passed(Instant::now().ticks()) => _ = nap(bed)?,
            outcome => return outcome,
        }
    }
}

/// Sleeps from instant to instant, from `begin` until `end`.
fn sleep(bed: Handle, sleeps: &Sleeps, [begin, end]: [Deadline; 2]) {
    let _ = rest(bed, begin);
    while !end.passed(Instant::now().ticks()) {
        sleeps.begun.fetch_add(1, Ordering::Relaxed);
        match nap(bed) {
            Ok(instant) => {
                let early = u64::from(Instant::now().ticks() < instant);
                sleeps.early.fetch_add(early, Ordering::Relaxed);
                sleeps.ended.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => println!("sleepers: {}", error.name()),
        }
    }
}

/// Waits for a message that nobody sends until the next instant; which it was.
fn nap(bed: Handle) -> Result<u64, Error> {
    let instant = (Instant::now().ticks() | (BEAT - 1)) + 1;
    rest(bed, Deadline(instant)).map(|()| instant)
}

fn rest(bed: Handle, deadline: Deadline) -> Result<(), Error> {
    let out = Departure { number: ipc::RECV, target: bed.raw(), deadline: deadline.0, extent: 0, words: [0; 8] };
    match counted(&out).arrival.status.error() {
        Some(Error::TimedOut) => Ok(()),
        Some(error) => Err(error),
        None => Err(Error::Protocol),
    }
}
