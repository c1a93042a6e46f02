//! The memory plan: what of the RAM is free, and how much of it kernel tables take.
//!
//! Pure arithmetic over the facts. Tables are sized by RAM: the smallest machine that boots (16 MiB) gives about one
//! megabyte to them, and the default `system.toml` counts on these numbers. Item 0 of each table is never used and comes
//! on top.

use crate::facts::{Facts, insert, ranges};
use crate::layout::{PAGE, page_down, page_up};
use core::ops::Range;
use nexus_core::memory::frames::Holes;

/// Free runs of RAM that are looked at.
pub const MAX_RUNS: usize = 16;
/// Least RAM that boots.
pub const LEAST_RAM: u64 = 16 << 20;
/// RAM for each multiple of the smallest machine's tables.
const SCALE_BYTES: u64 = 64 << 20;
/// Largest multiple of the smallest machine's tables.
const MAX_SCALE: u64 = 8;

/// Processes.
pub const PROCESSES: usize = 64;
/// Threads.
pub const THREADS: usize = 128;
/// Endpoints.
pub const ENDPOINTS: usize = 128;
/// Queued one-way messages.
pub const MESSAGES: usize = 1024;
/// Notifications and wait sets.
pub const NOTIFICATIONS: usize = 128;
/// Memory objects and windows.
pub const MEMORIES: usize = 512;
/// Mappings.
pub const MAPPINGS: usize = 1024;
/// Timers.
pub const TIMERS: usize = 128;
/// Blocks of 64 capability slots.
pub const SLOT_BLOCKS: usize = 96;
/// Words of the console ring, a power of two.
pub const LOG_WORDS: usize = 4096;

/// Free memory in whole pages, ascending; an empty run is none.
pub type Runs = [Range<u64>; MAX_RUNS];

/// How many times the smallest machine's tables there are for this much RAM: once for every 64 MiB, at most eight times.
pub fn scale(bytes: u64) -> usize {
    (bytes / SCALE_BYTES).clamp(1, MAX_SCALE) as usize
}

/// Bytes of RAM, all banks together.
pub fn ram_bytes(facts: &Facts) -> u64 {
    ranges(&facts.ram).iter().map(|bank| bank.end - bank.start).sum()
}

/// The runs of RAM that nobody has: not the firmware, the kernel, nor any of `taken`. `None`: they are too many.
///
/// Firmware that reserves nothing in the bank that the kernel is in is taken to own all of it below the kernel.
pub fn free_runs(facts: &Facts, kernel: &Range<u64>, taken: &[Range<u64>]) -> Option<Runs> {
    let (mut runs, mut kernel) = (Runs::default(), kernel.clone());
    let reserved = ranges(&facts.reserved);
    for bank in ranges(&facts.ram) {
        insert(&mut runs, page_up(bank.start)..page_down(bank.end))?;
        let below = bank.start..kernel.start;
        if bank.contains(&kernel.start) && !reserved.iter().any(|range| below.contains(&range.start)) {
            kernel.start = bank.start;
        }
    }
    cut_out(&mut runs, &kernel)?;
    taken.iter().chain(reserved).try_for_each(|owner| cut_out(&mut runs, owner))?;
    Some(runs)
}

/// Leaves of the runs only what is not, in whole pages, somebody's; `None`: they are too many then.
fn cut_out(runs: &mut Runs, owner: &Range<u64>) -> Option<()> {
    for run in ranges(&core::mem::take(runs)) {
        insert(runs, run.start..run.end.min(page_down(owner.start)))?;
        insert(runs, run.start.max(page_up(owner.end))..run.end)?;
    }
    Some(())
}

/// Takes whole pages for `bytes` from the first run that has them.
pub fn take(runs: &mut Runs, bytes: u64) -> Option<u64> {
    let bytes = page_up(bytes);
    let run = runs.iter_mut().find(|run| run.end - run.start >= bytes)?;
    let start = run.start;
    run.start += bytes;
    Some(start)
}

/// What programs can own: one run of memory from the first to the last free page above the kernel, and the frames of it
/// that are holes. Frame 0 is never used; `None`: there is no other.
///
/// Holes beyond those that can be named cut the pool off.
pub fn pool(runs: &Runs, kernel: &Range<u64>) -> Option<(Range<u64>, Holes)> {
    let mut usable = runs.iter().filter(|run| run.start >= kernel.end && !run.is_empty());
    let (mut pool, mut holes) = (usable.next()?.clone(), Holes::default());
    let mut places = holes.iter_mut();
    let base = pool.start;
    let frame = |address: u64| ((address - base) / PAGE) as u32;
    for run in usable {
        if run.start > pool.end {
            let Some(hole) = places.next() else { break };
            *hole = frame(pool.end)..frame(run.start);
        }
        pool.end = run.end;
    }
    (pool.end - pool.start >= 2 * PAGE).then_some((pool, holes))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
