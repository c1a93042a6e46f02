//! Does something again and again, and looks for what is lost.
//!
//! `churn [count]` starts programs: the kernel's counts of every kind of object are taken before and after; between them only
//! programs ran that have ended. A difference of one frame is a leak. `churn timers` races timers, `churn policy` kills policy
//! while it grants something, `churn asleep [seconds] [naps]` does nothing and counts
//! what interrupts the machine; `churn fair` divides the CPU between threads, `churn part` measures what a budget is, `churn held` waits for a
//! held server, and `churn storm` wakes up beside storms.

#![no_std]
#![no_main]

extern crate alloc;

mod asleep;
mod fair;
mod held;
mod part;
mod policy;
mod random;
mod storm;
mod timers;

use nexus_abi::syscall::InfoObjects;
use nexus_abi::{Error, Handle, Kind};
use nexus_proto::exec::{self, Fate};
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, env, println};

nexus_rt::program!(main);

/// Programs that are started if no count is given.
const COUNT: u32 = 500;
/// Started before the first count, so that everybody has made what is made once.
const WARM_UP: u32 = 3;
/// What [`InfoObjects`] counts beside the kinds.
const POOLS: [(&str, u32); 4] = [("frames", 0), ("slot-blocks", 64), ("messages", 65), ("mappings", 66)];
const ROWS: usize = POOLS.len() + Kind::ALL.len();

fn main() -> Result<i64, Error> {
    let count = match env::arguments().nth(1) {
        Some("asleep") => return asleep::sleep(),
        Some("fair") => return fair::divide(),
        Some("held") => return held::inversion(),
        Some("part") => return part::measure(),
        Some("storm") => return storm::weather(),
        Some("policy") => return policy::kill(),
        Some("timers") => return timers::race(),
        Some(text) => text.parse().map_err(|_| Error::Invalid)?,
        None => COUNT,
    };
    let info = env::handle("info")?;
    let mut exec = exec::Client::new(Channel::to(exec::NAME)?);
    for _ in 0..WARM_UP {
        run_one(&mut exec)?;
    }
    let before = count_all(info);
    for _ in 0..count {
        run_one(&mut exec)?;
    }
    let after = count_all(info);
    let mut lost = 0;
    for (row, (was, is)) in before.into_iter().zip(after).enumerate().filter(|(_, (was, is))| was != is) {
        println!("{} were {was}, are {is}", name(row));
        lost += 1;
    }
    println!("{count} programs, {lost} of {ROWS} counts differ");
    Ok(lost)
}

/// Runs a program that says nothing and ends at once.
fn run_one(exec: &mut exec::Client<Channel>) -> Result<(), Error> {
    let process = exec.start("rogue", &exec::pack(["exit"])?, None, None, None)?.process;
    match exec.wait(process)?.fate()? {
        Fate::Exited(0) => Ok(()),
        _ => Err(Error::Protocol),
    }
}

/// Used objects by row; 0 where the kernel counts none.
fn count_all(info: Handle) -> [u64; ROWS] {
    core::array::from_fn(|row| invoke(InfoObjects { info, kind: number(row) }).map_or(0, |found| found.used))
}

fn number(row: usize) -> u32 {
    POOLS.get(row).map_or_else(|| Kind::ALL[row - POOLS.len()] as u32, |&(_, number)| number)
}

fn name(row: usize) -> &'static str {
    POOLS.get(row).map_or_else(|| Kind::ALL[row - POOLS.len()].name(), |&(name, _)| name)
}
