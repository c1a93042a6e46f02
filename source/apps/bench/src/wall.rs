//! Pairs on several CPUs by the host's clock: what a round trip takes, and whether two pairs get twice as far as one.
//!
//! A pair is a thread here and a program that calls it, each kept to one CPU: both to the same, or each to one of two. What
//! is compared takes turns in short slices of one run, and the middle one counts, so that a host that is busy now and then
//! harms none more.
//! Loops that only count show what the host could have given: where two of them do not get far ahead of one, the ratio of
//! the pairs says nothing and is not printed.

use crate::awaken;
use crate::partner::{Client, Server, answer, pass, plain};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use core::time::Duration;
use nexus_abi::syscall::{AffinitySet, Close, NotificationCreate, Notify, Wait, ipc};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::time::deadline_in;
use nexus_rt::{Instant, env, kernel::invoke, println, thread};

const SLICE: Duration = Duration::from_millis(20);
/// Turns of each kind of work.
const TURNS: usize = 25;
/// What two loops must get of twice what one gets, in percent of one, for a host that is not busy.
const ABLE: u64 = 170;
/// What two pairs must get of that, in percent.
const MUST: u64 = 90;
/// Most pairs: an endpoint each.
const PAIRS: usize = 4;
/// The most that a pair may need to move, on a busy host.
const PATIENCE: Duration = Duration::from_secs(60);
const STACK_PAGES: u64 = 2;

const REST: u32 = 0;
const TALK: u32 = 1;
const COUNT: u32 = 2;
const MOVE: u32 = 3;
const STOP: u32 = 4;

/// What a pair is to do, and how far it came.
#[derive(Default)]
struct Task {
    work: AtomicU32,
    /// The CPU of its thread and of its caller, where they are to go.
    places: [AtomicU32; 2],
    done: AtomicU64,
}

struct Pair {
    server: Server,
    task: Arc<Task>,
    /// Signalled when the pair has moved.
    moved: Handle,
}

/// Prints the rows for so many CPUs.
pub(crate) fn run() -> Result<(), Error> {
    let cpus: u32 = env::arguments().nth(2).and_then(|word| word.parse().ok()).ok_or(Error::Invalid)?;
    if cpus < 2 {
        return Err(Error::Invalid);
    }
    let moved = invoke(NotificationCreate { process: None })?.notification;
    let pairs = (0..PAIRS).map(|_| Pair::start(moved)).collect::<Result<Vec<_>, _>>()?;
    for (where_to, further) in [("between two CPUs", 1), ("on one CPU", 0)] {
        for (pair, cpu) in pairs.iter().zip(0..) {
            pair.go([cpu % cpus, (cpu + further) % cpus])?;
        }
        for many in 1..=PAIRS {
            let rate = middle((0..TURNS).map(|_| slice(&pairs[..many], TALK)))?;
            let took = 1_000_000_000 * many as u64 / rate.max(1);
            println!("wall: round trip {where_to}, {many} pairs at once | {took} ns");
        }
    }
    scaling(&pairs)?;
    pairs.into_iter().try_for_each(Pair::stop)?;
    println!("wall: from a signal to a thread that slept on another CPU | {} ns", awaken::latency()?);
    println!("bench: end");
    Ok(())
}

/// The calling program's half.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    let out = plain(ipc::CALL, client.server, [0; 8]);
    loop {
        match pass(&out)?.words {
            [0, ..] => {}
            [go, cpu, ..] if go == u64::from(MOVE) => stay(cpu as u32)?,
            _ => return Ok(()),
        }
    }
}

/// Two pairs against one, beside two loops against one.
fn scaling(pairs: &[Pair]) -> Result<(), Error> {
    let gain = |work| {
        let one = slice(&pairs[..1], work)?;
        Ok(100 * slice(&pairs[..2], work)? / one.max(1))
    };
    let mut gains = [Vec::new(), Vec::new()];
    for _ in 0..TURNS {
        gains[0].push(gain(COUNT));
        gains[1].push(gain(TALK));
    }
    let [loops, talk] = gains.map(|gains| middle(gains.into_iter()));
    let (loops, talk) = (loops?, talk?);
    let verdict = match 100 * talk >= MUST * loops {
        _ if loops < ABLE => "not run: host busy",
        true => "ok",
        false => "missed",
    };
    println!("wall: two pairs on two CPUs against one | {talk} % | loops {loops} % | {verdict}");
    Ok(())
}

impl Pair {
    /// A thread and a program, anywhere.
    fn start(moved: Handle) -> Result<Pair, Error> {
        let server = Server::bare(&["caller"])?;
        let task = Arc::new(Task::default());
        let (theirs, endpoint, go) = (task.clone(), server.endpoint, server.notification);
        // Whoever gives up here leaves the others with nothing done, for all to see.
        let body = move || {
            let _ = work(&theirs, endpoint, go, moved);
        };
        thread::spawn(STACK_PAGES, Box::new(body))?;
        Ok(Pair { server, task, moved })
    }

    /// Sends the thread and its caller to these CPUs, and waits until both are there.
    fn go(&self, places: [u32; 2]) -> Result<(), Error> {
        self.task.places.iter().zip(places).for_each(|(place, cpu)| place.store(cpu, Ordering::Relaxed));
        self.set(MOVE)?;
        invoke(Wait { notification: self.moved, deadline: deadline_in(PATIENCE) }).map(drop)
    }

    fn set(&self, work: u32) -> Result<(), Error> {
        self.task.done.store(0, Ordering::Relaxed);
        self.task.work.store(work, Ordering::Release);
        invoke(Notify { notification: self.server.notification, bits: 1 }).map(drop)
    }

    fn stop(self) -> Result<(), Error> {
        self.set(STOP)?;
        self.server.see_off()
    }
}

/// The thread of a pair. While it rests, its caller waits for the answer.
fn work(task: &Task, endpoint: Handle, go: Handle, moved: Handle) -> Result<(), Error> {
    pass(&plain(ipc::RECV, endpoint, [0; 8]))?;
    let next = plain(ipc::REPLY_RECV, endpoint, [0; 8]);
    let told = || task.work.load(Ordering::Acquire);
    loop {
        match told() {
            TALK => {
                while told() == TALK {
                    pass(&next)?;
                    task.done.fetch_add(1, Ordering::Relaxed);
                }
            }
            COUNT => {
                while told() == COUNT {
                    task.done.fetch_add(1, Ordering::Relaxed);
                }
            }
            MOVE => {
                let [here, there] = [0, 1].map(|which| task.places[which].load(Ordering::Relaxed));
                stay(here)?;
                // The caller calls again when it is there.
                pass(&plain(ipc::REPLY_RECV, endpoint, [u64::from(MOVE), there.into(), 0, 0, 0, 0, 0, 0]))?;
                task.work.store(REST, Ordering::Relaxed);
                invoke(Notify { notification: moved, bits: 1 })?;
            }
            STOP => return answer([1; 8]),
            _ => drop(invoke(Wait { notification: go, deadline: Deadline::NEVER })?),
        }
    }
}

/// How much the pairs do of this work, together, in a second.
fn slice(pairs: &[Pair], work: u32) -> Result<u64, Error> {
    let since = Instant::now();
    pairs.iter().try_for_each(|pair| pair.set(work))?;
    sleep(SLICE)?;
    let done: u64 = pairs.iter().map(|pair| pair.task.done.load(Ordering::Relaxed)).sum();
    let took = Instant::now().since(since).as_nanos() as u64;
    pairs.iter().try_for_each(|pair| pair.set(REST))?;
    Ok(done * 1_000_000_000 / took.max(1))
}

/// Waits for nothing, so long.
pub(crate) fn sleep(time: Duration) -> Result<(), Error> {
    let quiet = invoke(NotificationCreate { process: None })?.notification;
    let waited = invoke(Wait { notification: quiet, deadline: deadline_in(time) });
    invoke(Close { handle: quiet })?;
    match waited {
        Err(Error::TimedOut) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Protocol),
    }
}

/// The middle one of all values.
pub(crate) fn middle(values: impl Iterator<Item = Result<u64, Error>>) -> Result<u64, Error> {
    let mut values = values.collect::<Result<Vec<_>, _>>()?;
    values.sort_unstable();
    values.get(values.len() / 2).copied().ok_or(Error::Invalid)
}

/// Keeps the calling thread to one CPU.
pub(crate) fn stay(cpu: u32) -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: 1 << cpu }).map(drop)
}
