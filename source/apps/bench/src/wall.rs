//! Pairs on several CPUs by the host's clock: what a round trip takes, and whether two pairs get twice as far as one.
//!
//! A pair is a thread here and a program that calls it, each kept to one CPU. All kinds of work take turns in short slices
//! of one run, and the middle one of their ratios counts, so that a host that is busy now and then harms none of them more.
//! Loops that only count show what the host could have given: where two of them do not get far ahead of one, the ratio of
//! the pairs says nothing and is not printed.

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
const PAIRS: u64 = 4;
const STACK_PAGES: u64 = 2;

const REST: u32 = 0;
const TALK: u32 = 1;
const COUNT: u32 = 2;
const STOP: u32 = 3;

/// What a pair is to do, and how far it came.
#[derive(Default)]
struct Task {
    work: AtomicU32,
    done: AtomicU64,
}

struct Pair {
    server: Server,
    task: Arc<Task>,
}

/// Prints the rows for so many CPUs: a pair on each, and if there are two one more between them.
pub(crate) fn run() -> Result<(), Error> {
    let cpus: u64 = env::arguments().nth(2).and_then(|word| word.parse().ok()).ok_or(Error::Invalid)?;
    if !(2..=PAIRS).contains(&cpus) {
        return Err(Error::Invalid);
    }
    let mut pairs = (0..cpus).map(|cpu| Pair::start(cpu, cpu)).collect::<Result<Vec<_>, _>>()?;
    if cpus < PAIRS {
        pairs.push(Pair::start(0, 1)?);
        let across = middle((0..TURNS).map(|_| slice(&pairs[cpus as usize..], TALK)))?;
        println!("wall: round trip between two CPUs, each way wakes the other | {} ns", nanoseconds(across, 1));
    }
    for many in 1..=cpus {
        let rate = middle((0..TURNS).map(|_| slice(&pairs[..many as usize], TALK)))?;
        println!("wall: round trip on one CPU, {many} pairs at once | {} ns", nanoseconds(rate, many));
    }
    scaling(&pairs)?;
    pairs.into_iter().try_for_each(Pair::stop)?;
    println!("bench: end");
    Ok(())
}

/// The calling program's half.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    let cpu = env::arguments().nth(2).and_then(|word| word.parse().ok()).ok_or(Error::Invalid)?;
    stay(cpu)?;
    let out = plain(ipc::CALL, client.server, [0; 8]);
    while pass(&out)?.words[0] == 0 {}
    Ok(())
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
    /// A thread on one CPU, a program on another or the same.
    fn start(here: u64, there: u64) -> Result<Pair, Error> {
        let cpu = [b'0' + there as u8];
        let cpu = core::str::from_utf8(&cpu).map_err(|_| Error::Invalid)?;
        let server = Server::bare(&["caller", cpu])?;
        let task = Arc::new(Task::default());
        let (theirs, endpoint, go) = (task.clone(), server.endpoint, server.notification);
        // Whoever gives up here leaves the others with nothing done, for all to see.
        let body = move || {
            let _ = work(&theirs, here, endpoint, go);
        };
        thread::spawn(STACK_PAGES, Box::new(body))?;
        Ok(Pair { server, task })
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
fn work(task: &Task, cpu: u64, endpoint: Handle, go: Handle) -> Result<(), Error> {
    stay(cpu)?;
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
            STOP => return answer([1; 8]),
            _ => drop(invoke(Wait { notification: go, deadline: Deadline::NEVER })?),
        }
    }
}

/// How much the pairs do of this work, together, in a second.
fn slice(pairs: &[Pair], work: u32) -> Result<u64, Error> {
    let since = Instant::now();
    pairs.iter().try_for_each(|pair| pair.set(work))?;
    sleep()?;
    let done: u64 = pairs.iter().map(|pair| pair.task.done.load(Ordering::Relaxed)).sum();
    let took = Instant::now().since(since).as_nanos() as u64;
    pairs.iter().try_for_each(|pair| pair.set(REST))?;
    Ok(done * 1_000_000_000 / took.max(1))
}

fn sleep() -> Result<(), Error> {
    let quiet = invoke(NotificationCreate { process: None })?.notification;
    let waited = invoke(Wait { notification: quiet, deadline: deadline_in(SLICE) });
    invoke(Close { handle: quiet })?;
    match waited {
        Err(Error::TimedOut) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Protocol),
    }
}

/// What one of `many` takes, from what all do in a second.
fn nanoseconds(rate: u64, many: u64) -> u64 {
    1_000_000_000 * many / rate.max(1)
}

fn middle(values: impl Iterator<Item = Result<u64, Error>>) -> Result<u64, Error> {
    let mut values = values.collect::<Result<Vec<_>, _>>()?;
    values.sort_unstable();
    values.get(values.len() / 2).copied().ok_or(Error::Invalid)
}

fn stay(cpu: u64) -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: 1 << cpu }).map(drop)
}
