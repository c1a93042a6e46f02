//! Weights and masks of threads: how the CPU is divided, and where a thread runs.

use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;

use alloc::{boxed::Box, sync::Arc};
use nexus_abi::syscall::{AffinitySet, Close, InfoCpu, InfoScheduler, NotificationCreate, Notify, SharesSet, Wait};
use nexus_abi::{Error, Handle};
use nexus_rt::{env, kernel::invoke, thread, time::deadline_in};

use crate::{Failure, one_cpu};

const WEIGHTS: [u32; 2] = [20, 500];
/// How long two threads run against each other.
const RACE: Duration = Duration::from_secs(1);
/// What the heavier thread gets of the lighter one's part at least. A busy host stops the machine in anybody's slice and so
/// makes long slices shorter: how exactly weights are obeyed is shown where instructions are counted.
const LEAST_PERCENT: u64 = 125;
const STACK_PAGES: u64 = 4;

/// For both threads to begin, and to end, also where another hart emulates beside this one.
const PATIENCE: Duration = Duration::from_secs(10);
/// Signalled once each thread has begun, and once it has ended.
const BEGUN: u64 = 0b0011;
const ENDED: u64 = 0b1100;

/// What the threads share.
#[derive(Default)]
struct Race {
    laps: [AtomicU64; WEIGHTS.len()],
    over: AtomicBool,
}

/// Of two threads of one class and CPU that only count, the one with the larger weight gets further.
pub(crate) fn divide_a_cpu() -> Result<(), Failure> {
    let [light, heavy] = one_cpu::meet(|met| race(met).map_err(|error| Failure::Refused("shares", error)))?;
    match heavy * 100 >= light * LEAST_PERCENT && light > 0 {
        true => Ok(()),
        false => Err(Failure::Wrong("who has a larger weight gets more of the CPU")),
    }
}

fn race(met: Handle) -> Result<[u64; WEIGHTS.len()], Error> {
    invoke(SharesSet { thread: None, shares: 100 })?;
    let race = Arc::new(Race::default());
    for (lane, shares) in WEIGHTS.into_iter().enumerate() {
        let theirs = race.clone();
        let body = move || {
            count(&theirs, (lane, shares), met);
            thread::exit();
        };
        thread::spawn(STACK_PAGES, Box::new(body))?;
    }
    one_cpu::wait_for(met, BEGUN, PATIENCE)?;
    let before = read(&race);
    // Nobody signals meanwhile: this thread is out of the way until the race is over.
    let _ = invoke(Wait { notification: met, deadline: deadline_in(RACE) });
    let after = read(&race);
    race.over.store(true, Ordering::Relaxed);
    one_cpu::wait_for(met, ENDED, PATIENCE)?;
    Ok(core::array::from_fn(|lane| after[lane] - before[lane]))
}

fn read(race: &Race) -> [u64; WEIGHTS.len()] {
    core::array::from_fn(|lane| race.laps[lane].load(Ordering::Relaxed))
}

fn count(race: &Race, (lane, shares): (usize, u32), met: Handle) {
    let here = one_cpu::stay().and_then(|()| invoke(SharesSet { thread: None, shares }).map(|_| ()));
    // Whoever waits for a signal that cannot be sent gives up at its deadline.
    let tell = |bits: u64| _ = invoke(Notify { notification: met, bits: bits & (0b101 << lane) });
    tell(BEGUN);
    while here.is_ok() && !race.over.load(Ordering::Relaxed) {
        race.laps[lane].fetch_add(1, Ordering::Relaxed);
    }
    tell(ENDED);
}

/// A thread runs on each CPU that there is when its mask names that one alone, and nobody ran outside a mask. A mask
/// without a CPU that is there is refused.
pub(crate) fn masks_are_obeyed() -> Result<(), Failure> {
    let info = env::handle("info").map_err(|error| Failure::Refused("info", error))?;
    let all = mask(u64::MAX)?;
    for cpu in (0..u64::BITS).filter(|cpu| all >> cpu & 1 == 1) {
        if mask(1 << cpu)? != 1 << cpu {
            return Err(Failure::Wrong("a mask of one CPU is that CPU"));
        }
        let switches = || invoke(InfoCpu { info, cpu }).map(|found| found.switches);
        let before = switches().map_err(|error| Failure::Refused("a CPU's counters", error))?;
        for _ in 0..2 {
            sleep()?;
        }
        let after = switches().map_err(|error| Failure::Refused("a CPU's counters", error))?;
        if after < before + 2 {
            return Err(Failure::Wrong("who may use one CPU is switched to there"));
        }
        let found = invoke(InfoScheduler { info, cpu });
        if found.map_err(|error| Failure::Refused("the scheduler's counters", error))?.outside != 0 {
            return Err(Failure::Wrong("nobody runs outside its mask"));
        }
    }
    for nowhere in [0, !all] {
        if invoke(AffinitySet { thread: None, mask: nowhere }).err() != Some(Error::Invalid) {
            return Err(Failure::Wrong("a mask without a CPU is EINVAL"));
        }
    }
    if mask(u64::MAX)? != all {
        return Err(Failure::Wrong("every CPU can be used again"));
    }
    Ok(())
}

fn mask(mask: u64) -> Result<u64, Failure> {
    let set = invoke(AffinitySet { thread: None, mask });
    Ok(set.map_err(|error| Failure::Refused("a mask", error))?.mask)
}

/// Waits in vain for a moment, so that this thread is switched to again.
fn sleep() -> Result<(), Failure> {
    let made = invoke(NotificationCreate { process: None });
    let never = made.map_err(|error| Failure::Refused("a notification", error))?.notification;
    let waited = invoke(Wait { notification: never, deadline: deadline_in(Duration::from_millis(1)) });
    invoke(Close { handle: never }).map_err(|error| Failure::Refused("close", error))?;
    match waited.err() {
        Some(Error::TimedOut) => Ok(()),
        _ => Err(Failure::Wrong("a wait in vain ends at its deadline")),
    }
}
