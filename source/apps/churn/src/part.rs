//! What part of the CPU a program gets that spins and has a budget.
//!
//! For a machine with one hart that counts instructions, and a manifest that gives `rogue` a fifth of the time.

use alloc::boxed::Box;
use core::time::Duration;

use nexus_abi::syscall::InfoUsage;
use nexus_abi::{Error, Handle};
use nexus_proto::exec;
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env, println, thread};

use crate::fair::{notification, sleep};

const LONG: Duration = Duration::from_millis(500);
/// A fifth of the time, in thousandths, and what it may differ by.
const PART: core::ops::RangeInclusive<u64> = 190..=210;
const STACK_PAGES: u64 = 2;

/// Alone, and beside a thread of its class that spins too; status 1: it is no fifth.
pub(crate) fn measure() -> Result<i64, Error> {
    let (info, never) = (env::handle("info")?, notification()?);
    let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
    let spinner = programs.start("rogue", &exec::pack(["spin"])?, None, None, None)?.process;
    let mut broken = 0;
    for beside in ["nobody", "one that spins"] {
        if beside != "nobody" {
            let spin = || {
                loop {
                    core::hint::spin_loop();
                }
            };
            thread::spawn(STACK_PAGES, Box::new(spin))?;
        }
        let part = part(info, spinner.number(), never)?;
        println!("a fifth of the time beside {beside}: {}.{} %", part / 10, part % 10);
        broken += i64::from(!PART.contains(&part));
    }
    programs.kill(spinner, 0)?;
    println!("{broken} promises broken");
    Ok(broken.min(1))
}

/// Thousandths of half a second, by the kernel's own account.
fn part(info: Handle, index: u32, never: Handle) -> Result<u64, Error> {
    let used = || invoke(InfoUsage { info, index }).map(|usage| usage.cpu);
    sleep(never, LONG / 10);
    let (began, before) = (Instant::now(), used()?);
    sleep(never, LONG);
    let (ended, after) = (Instant::now(), used()?);
    Ok((after - before) * 1000 / (ended.ticks() - began.ticks()))
}
