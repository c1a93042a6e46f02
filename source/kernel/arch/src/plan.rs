//! The memory plan: what of the RAM is free, and how much of it kernel tables take.
//!
//! Pure arithmetic over the facts. Tables are sized by RAM: the smallest machine that boots (16 MiB) gives about one
//! megabyte to them, and the default `system.toml` counts on these numbers.

use crate::facts::Facts;
use crate::layout::{PAGE, page_down, page_up};
use crate::list::{Full, List};
use core::ops::Range;

/// Free runs of RAM that are looked at.
pub const MAX_RUNS: usize = 16;
/// Least RAM that boots.
pub const LEAST_RAM: u64 = 16 << 20;
/// RAM for each multiple of the smallest machine's tables.
const SCALE_BYTES: u64 = 64 << 20;
/// Largest multiple of the smallest machine's tables.
const MAX_SCALE: u64 = 8;

/// Free memory in whole pages, ascending.
pub type Runs = List<Range<u64>, MAX_RUNS>;

/// How many of each object there can be; item 0 of each table is never used and comes on top.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    /// Processes.
    pub processes: usize,
    /// Threads.
    pub threads: usize,
    /// Endpoints.
    pub endpoints: usize,
    /// Queued one-way messages.
    pub messages: usize,
    /// Notifications and wait sets.
    pub notifications: usize,
    /// Memory objects and windows.
    pub memories: usize,
    /// Mappings.
    pub mappings: usize,
    /// Timers.
    pub timers: usize,
    /// Blocks of 64 capability slots.
    pub slot_blocks: usize,
    /// Words of the console ring, a power of two.
    pub log_words: usize,
}

impl Counts {
    /// The counts for this much RAM: those of the smallest machine, times one for every 64 MiB, at most eight times.
    pub fn for_ram(bytes: u64) -> Counts {
        let scale = (bytes / SCALE_BYTES).clamp(1, MAX_SCALE) as usize;
        Counts {
            processes: 64 * scale,
            threads: 128 * scale,
            endpoints: 128 * scale,
            messages: 1024 * scale,
            notifications: 128 * scale,
            memories: 512 * scale,
            mappings: 1024 * scale,
            timers: 128 * scale,
            slot_blocks: 96 * scale,
            log_words: 4096,
        }
    }
}

/// Bytes of RAM, all banks together.
pub fn ram_bytes(facts: &Facts) -> u64 {
    facts.ram.as_slice().iter().map(|bank| bank.end - bank.start).sum()
}

/// The runs of RAM that nobody has: not the firmware, the kernel, nor any of `taken`.
///
/// Firmware that reserves nothing in the bank that the kernel is in is taken to own all of it below the kernel.
pub fn free_runs(facts: &Facts, kernel: &Range<u64>, taken: &[Range<u64>]) -> Result<Runs, Full> {
    let mut runs = Runs::default();
    for bank in facts.ram.as_slice() {
        let reserved = facts.reserved.as_slice();
        let silent = !reserved.iter().any(|range| bank.contains(&range.start) && range.start < kernel.start);
        let start = if bank.contains(&kernel.start) && silent { kernel.start } else { bank.start };
        add_free(&mut runs, page_up(start)..page_down(bank.end), |run| {
            let all = reserved.iter().chain(taken).chain([kernel]);
            all.filter(|range| !range.is_empty())
                .map(|range| page_down(range.start)..page_up(range.end))
                .find(|range| range.start < run.end && run.start < range.end)
        })?;
    }
    runs.as_mut_slice().sort_unstable_by_key(|run| run.start);
    Ok(runs)
}

/// Adds what is left of a run after everything that overlaps it is cut out, front to back.
fn add_free(
    runs: &mut Runs,
    mut run: Range<u64>,
    overlap: impl Fn(&Range<u64>) -> Option<Range<u64>>,
) -> Result<(), Full> {
    while run.start < run.end {
        let mut front = run.clone();
        // Each cut shortens the front, so this ends.
        while let Some(other) = overlap(&front).filter(|other| other.start > front.start) {
            front.end = other.start;
        }
        match overlap(&front) {
            Some(other) => run.start = other.end,
            None => {
                runs.push(front.clone())?;
                run.start = front.end;
            }
        }
    }
    Ok(())
}

/// Takes whole pages for `bytes` from the first run that has them.
pub fn take(runs: &mut Runs, bytes: u64) -> Option<u64> {
    let bytes = page_up(bytes);
    let run = runs.as_mut_slice().iter_mut().find(|run| run.end - run.start >= bytes)?;
    let start = run.start;
    run.start += bytes;
    Some(start)
}

/// What programs can own: one run of frames from the first to the last free page above the kernel, with holes in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pool {
    /// Physical address of frame 0, which is never used.
    pub base: u64,
    /// Frames, frame 0 and holes included.
    pub frames: usize,
    /// The holes, ascending.
    pub holes: nexus_core::memory::frames::Holes,
}

impl Pool {
    /// KiB that programs can own.
    pub fn kilobytes(&self) -> usize {
        let holes: usize = self.holes.iter().map(|hole| hole.len()).sum();
        (self.frames - 1 - holes) * (PAGE as usize / 1024)
    }
}

/// The pool of what the runs still have; `None` if that is less than two frames.
///
/// Holes beyond those that can be named cut the pool off.
pub fn pool(runs: &Runs, kernel: &Range<u64>) -> Option<Pool> {
    let mut pool = Pool { base: 0, frames: 0, holes: Default::default() };
    let mut holes = 0;
    for run in runs.as_slice().iter().filter(|run| run.start >= kernel.end && run.start < run.end) {
        let end = ((run.end - pool.base.min(run.end)) / PAGE) as u32;
        if pool.frames == 0 {
            (pool.base, pool.frames) = (run.start, ((run.end - run.start) / PAGE) as usize);
            continue;
        }
        let start = ((run.start - pool.base) / PAGE) as u32;
        let Some(hole) = pool.holes.get_mut(holes) else { break };
        if start as usize > pool.frames {
            *hole = pool.frames as u32..start;
            holes += 1;
        }
        pool.frames = end as usize;
    }
    (pool.frames >= 2).then_some(pool)
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
