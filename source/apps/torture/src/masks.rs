//! Threads that change their masks and are stolen, until there were enough of both; the kernel counts who ran outside.
//!
//! Each works a little, sleeps a little and changes its mask, so that a CPU with nothing to do is always near one that has
//! threads waiting. A CPU allows so many changes in a second: in between the threads are only stolen.

use alloc::sync::Arc;
use core::hint::spin_loop;
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nexus_abi::syscall::{AffinitySet, InfoScheduler, SchedulerInfo, Wait};
use nexus_abi::{Error, Handle};
use nexus_rt::kernel::invoke;
use nexus_rt::time::deadline_in;
use nexus_rt::{env, println};

use crate::{Shared, job, notification};

/// Of each, at least.
const ENOUGH: u64 = 10_000;
/// Threads for each CPU.
const PER_CPU: u64 = 3;
/// Rounds between two looks at how many there were.
const LOOK: u64 = 64;
/// Until there must be enough.
const PATIENCE: Duration = Duration::from_secs(150);
/// Turns of work, and ticks of sleep, are below these: about as long as each other.
const WORK: u64 = 4096;
const SLEEP_US: u64 = 64;

/// Changes masks until there were enough; 0 if nobody ran outside.
pub(crate) fn run(shared: &Arc<Shared>) -> Result<i64, Error> {
    for number in 0..PER_CPU * cpus(shared) {
        job(shared, move |shared| wander(shared, number));
    }
    shared.wait_for_all(deadline_in(PATIENCE))?;
    shared.judge_ends();
    judge(shared)?;
    let wrong = shared.wrong.load(Ordering::Relaxed);
    let at = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    println!("torture: {} rounds on one CPU alone, {} on any", at(&shared.stayed), at(&shared.answered));
    println!("torture: {} mask changes, {wrong} wrong", at(&shared.moved));
    Ok(i64::from(wrong != 0))
}

fn wander(shared: &Shared, number: u64) -> Result<(), Error> {
    let (quiet, all) = (notification()?, (1 << cpus(shared)) - 1);
    let (mut dice, mut before) = (number + 1, 0);
    for round in 0.. {
        // Marsaglia, Xorshift RNGs, 2003.
        dice ^= dice << 13;
        dice ^= dice >> 7;
        dice ^= dice << 17;
        (0..dice % WORK).for_each(|_| spin_loop());
        let single = 1 << ((dice >> 16) % cpus(shared));
        // Who may run everywhere is stolen most.
        change(shared, if dice >> 12 & 7 == 0 { single } else { all }, &mut before)?;
        Shared::count(if before == all { &shared.answered } else { &shared.stayed });
        sleep(quiet, Duration::from_micros(dice >> 32 & (SLEEP_US - 1)))?;
        if round % LOOK == 0 && shared.moved.load(Ordering::Relaxed) >= ENOUGH && counted(shared)?.stolen >= ENOUGH {
            return Ok(());
        }
    }
    Ok(())
}

/// Gives the calling thread a mask, and counts it if it is another one than before.
fn change(shared: &Shared, mask: u64, before: &mut u64) -> Result<(), Error> {
    match invoke(AffinitySet { thread: None, mask }) {
        Ok(_) if mask == *before => Ok(()),
        Ok(_) => {
            *before = mask;
            Shared::count(&shared.moved);
            Ok(())
        }
        Err(Error::RateLimited | Error::Again) => Ok(()),
        Err(error) => Err(error),
    }
}

fn sleep(quiet: Handle, time: Duration) -> Result<(), Error> {
    match invoke(Wait { notification: quiet, deadline: deadline_in(time) }) {
        Err(Error::TimedOut) => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(Error::Protocol),
    }
}

fn cpus(shared: &Shared) -> u64 {
    shared.cpus.load(Ordering::Relaxed).into()
}

/// What the kernel counted on all CPUs since the machine started.
fn counted(shared: &Shared) -> Result<SchedulerInfo, Error> {
    let mut all = SchedulerInfo { given: 0, outside: 0, guarded: 0, parked: 0, lifted: 0, stolen: 0 };
    let info = env::handle("info")?;
    for cpu in 0..shared.cpus.load(Ordering::Relaxed) {
        let one = invoke(InfoScheduler { info, cpu })?;
        all.given += one.given;
        all.outside += one.outside;
        all.stolen += one.stolen;
    }
    Ok(all)
}

/// Says who ran outside its mask, which nobody may have.
pub(crate) fn judge(shared: &Shared) -> Result<(), Error> {
    let SchedulerInfo { given, outside, stolen, .. } = counted(shared)?;
    if outside != 0 {
        shared.wrong("a thread ran outside its mask");
    }
    println!(
        "torture: {given} given to another CPU, {stolen} of them to one that asked, {outside} outside their masks"
    );
    Ok(())
}
