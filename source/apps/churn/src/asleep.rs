//! Sleeps, and counts what interrupted the machine meanwhile.
//!
//! One timer interrupt is this program's own end of sleep. What is more is somebody's who wakes a machine on which nothing happens.

use alloc::vec::Vec;
use core::time::Duration;

use nexus_abi::Error;
use nexus_abi::syscall::{InfoCpu, NotificationCreate, Wait};
use nexus_rt::kernel::invoke;
use nexus_rt::{Instant, env, println};

/// Seconds if none are given.
const SECONDS: u64 = 60;

/// Status 1: more timer interrupts than seconds, over all CPUs. With a number of naps the sleep is parted into as many.
pub(crate) fn sleep() -> Result<i64, Error> {
    let number = |at, default| env::arguments().nth(at).map_or(Ok(default), str::parse).map_err(|_| Error::Invalid);
    let (seconds, naps) = (number(2, SECONDS)?, number(3, 1)?.max(1));
    let never = invoke(NotificationCreate { process: None })?.notification;
    let (before, began) = (interrupts()?, Instant::now());
    for nap in 1..=naps {
        let deadline = began.after(Duration::from_millis(1000 * seconds * nap / naps));
        let woken = invoke(Wait { notification: never, deadline });
        if woken.err() != Some(Error::TimedOut) || Instant::now().ticks() < deadline.0 {
            return Err(Error::Protocol);
        }
    }
    let after = interrupts()?;
    let (cpus, count) = (after.len(), after.iter().sum::<u64>() - before.iter().sum::<u64>());
    println!("{seconds} s asleep, {count} timer interrupts on {cpus} CPUs");
    Ok(i64::from(count > seconds))
}

/// Timer interrupts so far, by CPU.
fn interrupts() -> Result<Vec<u64>, Error> {
    let info = env::handle("info")?;
    let cpus = (0..).map_while(|cpu| invoke(InfoCpu { info, cpu }).ok());
    Ok(cpus.map(|cpu| cpu.timer_interrupts).collect())
}
