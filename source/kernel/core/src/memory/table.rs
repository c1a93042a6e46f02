//! Page tables: Sv39 over frames (RISC-V privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System").
//!
//! Three levels of 512 entries. Entries 256..512 of a root are the kernel's, the same in every address space; nothing
//! here reads or writes them after [`Kernel::make_root`]. User pages are 4 KiB, marked accessed and dirty from the start,
//! so the hardware never writes a table. A table stays until its process ends: an address range that was used once is
//! likely used again, and the quota pays for it.

use super::{
    frames::{FRAME_WORDS, Frame},
    stash::Stash,
};
use crate::{Kernel, caps::revoke::Progress, process::Process, process::quota::Resource, word::Word};
use core::ops::Range;
use nexus_abi::{Error, syscall::access};

/// Entries of a root table that are the user's.
const USER_ENTRIES: usize = FRAME_WORDS / 2;
/// The bits of a page number that tell the entries of one last-level table apart.
const LAST: u32 = FRAME_WORDS as u32 - 1;
/// Table frames that one step of [`Kernel::free_tables_step`] gives back at most.
const FREE_BATCH: u32 = 64;
/// What looking through a table counts of these.
const LOOK: u32 = 8;

const VALID: u64 = 1;
const READ: u64 = 1 << 1;
const WRITE: u64 = 1 << 2;
const EXECUTE: u64 = 1 << 3;
const USER: u64 = 1 << 4;
const ACCESSED: u64 = 1 << 6;
const DIRTY: u64 = 1 << 7;

/// A leaf entry for a user page.
fn leaf(address: u64, bits: u8) -> u64 {
    let when = |wanted: u8, flag: u64| if bits & wanted != 0 { flag } else { 0 };
    let access = READ | when(access::WRITE, WRITE) | when(access::EXECUTE, EXECUTE);
    (address >> 12) << 10 | access | VALID | USER | ACCESSED | DIRTY
}

/// The parts of a range of pages whose entries stand in one last-level table each.
fn runs(pages: Range<u32>) -> impl Iterator<Item = Range<u32>> {
    let mut start = pages.start;
    core::iter::from_fn(move || {
        let run = start..pages.end.min((start | LAST) + 1);
        start = run.end;
        (!run.is_empty()).then_some(run)
    })
}

/// The entries of a table that point somewhere, found eight at a time: most tables of most processes are nearly empty.
fn in_use(entries: &[Word]) -> impl Iterator<Item = &Word> {
    let whole = entries.as_chunks::<8>().0.iter();
    whole.filter(|chunk| chunk.iter().fold(0, |bits, entry| bits | entry.get()) != 0).flatten()
}

/// True if one of these pages, whose entries stand in this table, is mapped.
#[inline(always)]
fn any_mapped(table: &Frame, pages: &Range<u32>) -> bool {
    pages.clone().any(|page| table.0[slot_of(page, 0)].get() & VALID != 0)
}

/// Maps pages whose entries stand in one table.
#[inline(always)]
pub(super) fn set_entries(table: &Frame, pages: Range<u32>, access: u8, address: impl Fn(u32) -> Option<u64>) {
    for page in pages {
        table.0[slot_of(page, 0)].set(address(page).map_or(0, |address| leaf(address, access)));
    }
}

#[inline(always)]
fn slot_of(page: u32, level: u32) -> usize {
    (page >> (9 * level)) as usize % FRAME_WORDS
}

impl Kernel {
    /// Makes a zeroed frame a root table: the kernel's half in place, nothing of the user's.
    pub(crate) fn make_root(&self, frame: u32) {
        if let Some(kernel) = self.machine.kernel_root {
            let (ours, kernels) = (self.frames.at(frame).0.as_chunks::<8>().0, kernel.as_chunks::<8>().0);
            for (ours, kernels) in ours.iter().zip(kernels).skip(USER_ENTRIES / 8) {
                ours.iter().zip(kernels).for_each(|(entry, kernels)| entry.set(kernels.get()));
            }
        }
    }

    /// The table that an entry points to; `None` if there is none.
    fn next_table(&self, entry: &Word) -> Option<u32> {
        let value = entry.get();
        if value & VALID == 0 {
            return None;
        }
        self.frames.index((value >> 10) << 12)
    }

    /// The table that an entry points to, to look into.
    fn table_of(&self, entry: &Word) -> Option<&'static Frame> {
        let value = entry.get();
        if value & VALID == 0 { None } else { self.frames.of((value >> 10) << 12) }
    }

    /// The last-level table of a page; `None` if it is not there.
    fn last_table(&self, root: u32, page: u32) -> Option<&'static Frame> {
        let middle = self.table_of(&self.frames.at(root).0[slot_of(page, 2)])?;
        self.table_of(&middle.0[slot_of(page, 1)])
    }

    /// The leaf entry of a page, valid or not; `None` if its tables are not there.
    pub(crate) fn entry(&self, root: u32, page: u32) -> Option<&'static Word> {
        Some(&self.last_table(root, page)?.0[slot_of(page, 0)])
    }

    /// True if something is mapped at this page.
    pub(crate) fn is_mapped(&self, root: u32, page: u32) -> bool {
        self.entry(root, page).is_some_and(|entry| entry.get() & VALID != 0)
    }

    /// The one table with the entries of these pages, if it is there. `EEXIST`: one of them is mapped.
    #[inline(always)]
    pub(super) fn only_table(&self, root: u32, pages: &Range<u32>) -> Result<Option<&'static Frame>, Error> {
        let table = if pages.end - 1 <= pages.start | LAST { self.last_table(root, pages.start) } else { None };
        match table {
            Some(table) if any_mapped(table, pages) => Err(Error::Exists),
            table => Ok(table),
        }
    }

    /// Table frames that mapping these pages (one batch at most) would take. `EEXIST`: one of them is mapped.
    pub(crate) fn missing_tables(&self, root: u32, pages: Range<u32>) -> Result<u32, Error> {
        let (mut missing, mut known) = (0, u32::MAX);
        for run in runs(pages) {
            let Some(middle) = self.table_of(&self.frames.at(root).0[slot_of(run.start, 2)]) else {
                missing += 1 + u32::from(known != run.start >> 18);
                known = run.start >> 18;
                continue;
            };
            let Some(last) = self.table_of(&middle.0[slot_of(run.start, 1)]) else {
                missing += 1;
                continue;
            };
            if any_mapped(last, &run) {
                return Err(Error::Exists);
            }
        }
        Ok(missing)
    }

    /// Hangs in the tables that [`Kernel::missing_tables`] counted, from a stash with as many frames, and charges them.
    pub(crate) fn add_tables(&self, process: &Process, pages: Range<u32>, stash: &mut Stash) {
        for run in runs(pages) {
            let mut table = process.root.get();
            for level in [2, 1] {
                let entry = &self.frames.at(table).0[slot_of(run.start, level)];
                let Some(next) = self.next_table(entry).or_else(|| self.hang_in(process, entry, stash)) else { break };
                table = next;
            }
        }
    }

    fn hang_in(&self, process: &Process, entry: &Word, stash: &mut Stash) -> Option<u32> {
        let frame = stash.take()?;
        entry.set((self.frames.address(frame) >> 12) << 10 | VALID);
        process.account.charge(Resource::Frames, 1);
        Some(frame)
    }

    /// Maps pages whose tables are there, or changes how they are mapped: each to the physical address that `address`
    /// gives.
    pub(crate) fn set_pages(&self, root: u32, pages: Range<u32>, access: u8, address: impl Fn(u32) -> Option<u64>) {
        for run in runs(pages) {
            if let Some(table) = self.last_table(root, run.start) {
                set_entries(table, run, access, &address);
            }
        }
    }

    /// Unmaps pages. The caller requests the fence.
    pub(crate) fn unset_pages(&self, root: u32, pages: Range<u32>) {
        self.set_pages(root, pages, 0, |_| None);
    }

    /// One step of giving back the tables of a dead process, its root last. Before the first step no CPU may use them:
    /// see [`Kernel::unmap_process_step`].
    pub(crate) fn free_tables_step(&self, process: &Process) -> Progress {
        let root = process.root.get();
        if root == 0 {
            return Progress::Done;
        }
        let mut left = FREE_BATCH;
        for entry in in_use(&self.frames.at(root).0[..USER_ENTRIES]) {
            let Some(middle) = self.next_table(entry) else { continue };
            for below in in_use(&self.frames.at(middle).0) {
                let Some(last) = self.next_table(below) else { continue };
                if left == 0 {
                    return Progress::More;
                }
                below.set(0);
                self.free_table(process, last);
                left -= 1;
            }
            entry.set(0);
            self.free_table(process, middle);
            left = left.saturating_sub(LOOK);
            if left == 0 {
                return Progress::More;
            }
        }
        process.root.set(0);
        self.free_table(process, root);
        Progress::Done
    }

    fn free_table(&self, process: &Process, frame: u32) {
        process.account.refund(Resource::Frames, 1);
        self.frames.release(frame);
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/table.rs"]
pub(crate) mod invariant;
