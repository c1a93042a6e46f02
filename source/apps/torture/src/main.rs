//! Works every CPU with everything at once, and counts exactly: `torture [seconds] [cpus]`, `torture masks <cpus>`.
//!
//! The second changes masks and has threads stolen until there were enough of both. The first:
//! Callers that wander over the CPUs call servers that others call too; pages are mapped, read by another thread and
//! unmapped at one address; programs start and end or are killed; 66 threads wake at one instant on one CPU. Every job counts
//! what it did and what was wrong. A job that does not end in time is a wake, a thread or an answer that was lost.

#![no_std]
#![no_main]

extern crate alloc;

mod calls;
mod masks;
mod pages;
mod programs;
mod sleepers;

use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::time::Duration;

use nexus_abi::syscall::{NotificationCreate, Notify, Wait};
use nexus_abi::{Deadline, Error, Handle};
use nexus_proto::exec;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, env, println, thread, time::deadline_in};

nexus_rt::program!(main);

const SECONDS: u64 = 20;
/// CPUs that a machine has at most.
const CPUS: usize = 8;
/// After the end for all jobs together.
const PATIENCE: Duration = Duration::from_secs(30);
const STACK_PAGES: u64 = 4;

/// What the jobs share.
#[derive(Default)]
pub(crate) struct Shared {
    /// Signalled by each job that leaves nobody at work.
    done: Option<Handle>,
    /// Signalled when the jobs are to end, for the one that waits for that.
    end: Option<Handle>,
    /// 1 once the jobs are to end.
    over: AtomicU32,
    working: AtomicU32,
    pub(crate) cpus: AtomicU32,
    pub(crate) wrong: AtomicU64,
    pub(crate) called: AtomicU64,
    pub(crate) answered: AtomicU64,
    /// Calls from one CPU to a server that stays on another.
    pub(crate) pairs: [[AtomicU64; CPUS]; CPUS],
    pub(crate) moved: AtomicU64,
    pub(crate) stayed: AtomicU64,
    pub(crate) mapped: AtomicU64,
    pub(crate) read: AtomicU64,
    pub(crate) started: AtomicU64,
    pub(crate) ended: AtomicU64,
    pub(crate) slept: AtomicU64,
    pub(crate) woken: AtomicU64,
}

impl Shared {
    /// True while the jobs are to go on.
    pub(crate) fn goes_on(&self) -> bool {
        self.over.load(Ordering::Acquire) == 0
    }

    fn new(cpus: u64) -> Result<Arc<Shared>, Error> {
        let [done, end] = [notification()?, notification()?].map(Some);
        let shared = Arc::new(Shared { done, end, ..Shared::default() });
        shared.cpus.store(cpus.clamp(1, CPUS as u64) as u32, Ordering::Relaxed);
        Ok(shared)
    }

    /// The jobs are to end.
    fn end(&self) -> Result<(), Error> {
        self.over.store(1, Ordering::Release);
        invoke(Notify { notification: self.end.ok_or(Error::State)?, bits: 1 }).map(drop)
    }

    /// Waits until then. One job may.
    pub(crate) fn wait_for_end(&self) -> Result<(), Error> {
        let notification = self.end.ok_or(Error::State)?;
        invoke(Wait { notification, deadline: Deadline::NEVER }).map(drop)
    }

    /// A job ends. Whoever waits for all of them and is not told finds them missing at its deadline.
    fn leave(&self) {
        if self.working.fetch_sub(1, Ordering::AcqRel) == 1
            && let Some(notification) = self.done
        {
            let _ = invoke(Notify { notification, bits: 1 });
        }
    }

    fn judge_ends(&self) {
        if self.working.load(Ordering::Acquire) != 0 {
            self.wrong("a job does not end");
        }
    }

    /// Waits until nobody is at work, at the latest until then.
    fn wait_for_all(&self, deadline: Deadline) -> Result<(), Error> {
        let notification = self.done.ok_or(Error::State)?;
        while self.working.load(Ordering::Acquire) != 0 {
            match invoke(Wait { notification, deadline }) {
                // All of them may have ended before the next one began.
                Ok(_) => {}
                Err(Error::TimedOut) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Counts one more.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    /// Says that something is not as it must be.
    pub(crate) fn wrong(&self, what: &str) {
        println!("torture: {what}");
        Shared::count(&self.wrong);
    }
}

/// A job in a thread of its own; an error is something wrong.
pub(crate) fn job(shared: &Arc<Shared>, work: impl FnOnce(&Shared) -> Result<(), Error> + Send + 'static) {
    let theirs = shared.clone();
    shared.working.fetch_add(1, Ordering::AcqRel);
    let body = move || {
        if let Err(error) = work(&theirs) {
            theirs.wrong(error.name());
        }
        theirs.leave();
        thread::exit();
    };
    if let Err(error) = thread::spawn(STACK_PAGES, Box::new(body)) {
        shared.wrong(error.name());
        shared.leave();
    }
}

fn argument(at: usize, default: u64) -> Result<u64, Error> {
    env::arguments().nth(at).map_or(Ok(default), |text| text.parse().map_err(|_| Error::Invalid))
}

fn main() -> Result<i64, Error> {
    if env::arguments().nth(1) == Some("masks") {
        return masks::run(&Shared::new(argument(2, 1)?)?);
    }
    let seconds = argument(1, SECONDS)?;
    let shared = Shared::new(argument(2, 1)?)?;
    // The way to execd is found once: the inbox for an answer takes all messages that the program may have.
    Channel::to(exec::NAME)?;
    calls::begin(&shared)?;
    pages::begin(&shared)?;
    programs::begin(&shared);
    sleepers::begin(&shared, seconds);
    pause(Duration::from_secs(seconds))?;
    shared.end()?;
    shared.wait_for_all(deadline_in(PATIENCE))?;
    report(&shared)
}

pub(crate) fn notification() -> Result<Handle, Error> {
    invoke(NotificationCreate { process: None }).map(|made| made.notification)
}

/// Waits for something that nobody signals.
fn pause(span: Duration) -> Result<(), Error> {
    let notification = notification()?;
    let waited = invoke(Wait { notification, deadline: deadline_in(span) });
    invoke(nexus_abi::syscall::Close { handle: notification })?;
    match waited {
        Err(Error::TimedOut) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Protocol),
    }
}

fn report(shared: &Shared) -> Result<i64, Error> {
    let at = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    shared.judge_ends();
    let pairs = [
        ("calls", at(&shared.called), at(&shared.answered)),
        ("pages", at(&shared.mapped), at(&shared.read)),
        ("programs", at(&shared.started), at(&shared.ended)),
        ("sleepers", at(&shared.slept), at(&shared.woken)),
    ];
    for (name, begun, done) in pairs {
        if begun != done || done == 0 {
            shared.wrong("a count is not exact, or 0");
        }
        println!("torture: {done} of {begun} {name}");
    }
    let cpus = shared.cpus.load(Ordering::Relaxed) as usize;
    for (from, row) in shared.pairs[..cpus].iter().enumerate() {
        if row[..cpus].iter().any(|calls| at(calls) == 0) {
            shared.wrong("a CPU never called another");
        }
        println!("torture: from cpu{from}: {:?} calls", &row[..cpus]);
    }
    masks::judge(shared)?;
    let (moved, stayed, wrong) = (at(&shared.moved), at(&shared.stayed), at(&shared.wrong));
    println!("torture: {moved} moves, {stayed} refused, {wrong} wrong");
    Ok(i64::from(at(&shared.wrong) != 0))
}
