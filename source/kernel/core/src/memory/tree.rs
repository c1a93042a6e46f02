//! Trees of frames: page tables, and what names the pages of memory objects.
//!
//! A table is a frame of 512 entries; a valid entry names a frame as a page-table entry does (RISC-V privileged
//! specification, "Sv39: Page-Based 39-bit Virtual-Memory System"). An address space is a tree of three tables on the way
//! to a page, and the entries at its end map pages. An object is a tree of as few as its size allows, and the entries at
//! its end name its own pages.
//!
//! Entries 256..512 of an address space's first table are the kernel's, the same everywhere; nothing here reads or writes
//! them after [`Kernel::make_root`]. User pages are 4 KiB, marked accessed and dirty from the start, so the hardware never
//! writes a table. A table stays until its tree goes: an address range that was used once is likely used again, and the
//! quota pays for it.

use super::frames::{FRAME_WORDS, Frame};
use super::stash::Stash;
use crate::prelude::*;
use crate::process::quota::Account;
use nexus_abi::layout::MAP_BATCH;

/// Entries of the first table of an address space that are the user's.
const USER_ENTRIES: usize = FRAME_WORDS / 2;
const TABLE: u32 = FRAME_WORDS as u32;
/// Frames that one step of [`Kernel::fell`] gives back at most.
const FREE_BATCH: u32 = 64;
/// What looking through a table counts of these.
const LOOK: u32 = 8;

/// Bits of an entry (RISC-V Privileged Architecture, "Addressing and Memory Protection" of Sv32). It says something.
pub const VALID: u64 = 1;
/// What it maps may be read.
pub const READ: u64 = 1 << 1;
/// May be written.
pub const WRITE: u64 = 1 << 2;
/// May be executed.
pub const EXECUTE: u64 = 1 << 3;
const USER: u64 = 1 << 4;
/// It was used: the hardware need not say so.
pub const ACCESSED: u64 = 1 << 6;
/// It was written.
pub const DIRTY: u64 = 1 << 7;
/// An entry that maps nothing and yet is taken: in one that is not valid every other bit is software's.
pub(super) const TAKEN: u64 = 1 << 8;

/// The entry of a mapped user page.
pub(crate) fn leaf(address: u64, bits: u8) -> u64 {
    let when = |wanted: u8, flag: u64| if bits & wanted != 0 { flag } else { 0 };
    let access = READ | when(access::WRITE, WRITE) | when(access::EXECUTE, EXECUTE);
    (address >> 12) << 10 | access | VALID | USER | ACCESSED | DIRTY
}

/// The physical address in a valid entry.
#[inline(always)]
pub(crate) fn address_of(entry: u64) -> u64 {
    (entry >> 10) << 12
}

/// The physical address in an entry, if it is valid.
#[inline(always)]
pub(super) fn valid(entry: u64) -> Option<u64> {
    if entry & VALID == 0 { None } else { Some(address_of(entry)) }
}

/// The entries that say something, found eight at a time: most tables of most processes are nearly empty.
fn in_use(entries: &[Word]) -> impl Iterator<Item = &Word> {
    let chunks = entries.as_chunks::<8>().0.iter();
    let used = chunks.filter(|chunk| chunk.iter().fold(0, |bits, entry| bits | entry.get()) != 0);
    used.flatten().filter(|entry| entry.get() != 0)
}

#[inline(always)]
fn slot_of(page: u32, level: u32) -> usize {
    (page >> (9 * level)) as usize % FRAME_WORDS
}

/// What each call of [`Kernel::walk`] is told: an entry, the frame it points to, and levels of the tree below that.
type Visit<'a> = &'a mut dyn FnMut(&Word, u32, u32) -> Progress;

/// The entries of pages if their table is there, and how many table frames they take.
type Place = (&'static [Word], u32);

/// A tree of frames.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    /// Points to the first table; where there are none, it is the entry of the only page.
    pub(super) root: &'a Word,
    /// Tables on the way to the entry of a page.
    pub(super) height: u32,
    /// How many pages of its own it names. An address space has none: it maps those of others.
    pub(super) pages: Option<&'a Half>,
}

impl Process {
    /// Its page tables.
    #[inline(always)]
    pub(crate) fn tree(&self) -> Tree<'_> {
        Tree { root: &self.root, height: 3, pages: None }
    }
}

/// How many of so many pages from `page` on one step works on: a batch, within one last-level table.
#[inline(always)]
pub(super) fn batch(page: u32, pages: u64) -> u32 {
    pages.min(MAP_BATCH).min((TABLE - page % TABLE).into()) as u32
}

impl Kernel {
    /// Makes a zeroed frame the first table of an address space: the kernel's half in place, nothing of the user's.
    pub(crate) fn make_root(&self, process: &Process, frame: u32) {
        process.root.set(self.pointer(frame));
        if let Some(kernel) = self.machine.kernel_root {
            let (ours, kernels) = (self.frames.at(frame).0.as_chunks::<8>().0, kernel.as_chunks::<8>().0);
            for (ours, kernels) in ours.iter().zip(kernels).skip(USER_ENTRIES / 8) {
                ours.iter().zip(kernels).for_each(|(entry, kernels)| entry.set(kernels.get()));
            }
        }
    }

    /// An entry that points to this frame.
    fn pointer(&self, frame: u32) -> u64 {
        (self.frames.address(frame) >> 12) << 10 | VALID
    }

    /// The table that an entry points to.
    #[inline(always)]
    fn table(&self, entry: &Word) -> Option<&'static Frame> {
        valid(entry.get()).and_then(|address| self.frames.of(address))
    }

    /// The entry on the way to a page at this level, 0 is the page's own; `None` if its table is not there.
    #[inline(always)]
    pub(crate) fn entry<'a>(&self, tree: Tree<'a>, level: u32, page: u32) -> Option<&'a Word> {
        (level..tree.height).rev().try_fold(tree.root, |entry, level| Some(&self.table(entry)?.0[slot_of(page, level)]))
    }

    /// Tables on the way to a page that are not there: below one that is missing all are.
    #[inline(never)]
    pub(super) fn missing(&self, tree: Tree<'_>, page: u32) -> u32 {
        let mut entry = tree.root;
        for tables in (1..=tree.height).rev() {
            let Some(table) = self.table(entry) else { return tables };
            entry = &table.0[slot_of(page, tables - 1)];
        }
        0
    }

    /// The entry of a page; tables that are not there come from a stash with as many as [`Kernel::missing`] says.
    pub(crate) fn reach<'a>(
        &self,
        tree: Tree<'a>,
        page: u32,
        account: &Account,
        stash: &mut Stash,
    ) -> Option<&'a Word> {
        (0..tree.height).rev().try_fold(tree.root, |entry, level| {
            if entry.get() & VALID == 0 {
                self.hang(entry, account, stash);
            }
            Some(&self.table(entry)?.0[slot_of(page, level)])
        })
    }

    /// Lets an entry that points nowhere point to a frame of a stash, and charges that.
    pub(super) fn hang(&self, entry: &Word, account: &Account, stash: &mut Stash) {
        if let Some(frame) = stash.take() {
            entry.set(self.pointer(frame));
            account.charge(Resource::Frames, 1);
        }
    }

    /// Goes through the frames of a tree, what hangs below a frame before it, until `visit` answers `More`.
    pub(crate) fn walk(&self, tree: Tree<'_>, visit: Visit<'_>) -> Progress {
        let (depth, width) = match tree.pages {
            None => (tree.height - 1, USER_ENTRIES),
            Some(pages) => (tree.height, pages.get().div_ceil(1 << (9 * tree.height.saturating_sub(1))) as usize),
        };
        self.walk_below(tree.root, depth, width.next_multiple_of(8), visit)
    }

    fn walk_below(&self, entry: &Word, depth: u32, width: usize, visit: Visit<'_>) -> Progress {
        let Some(frame) = valid(entry.get()).and_then(|address| self.frames.index(address)) else { return Ok(()) };
        if depth > 0 {
            for entry in in_use(self.frames.at(frame).0.get(..width).unwrap_or(&[])) {
                self.walk_below(entry, depth - 1, FRAME_WORDS, visit)?;
            }
        }
        visit(entry, frame, depth)
    }

    /// One step of giving the frames of a tree back. No CPU may use them.
    pub(crate) fn fell(&self, tree: Tree<'_>, account: &Account) -> Progress {
        let mut left = FREE_BATCH;
        self.walk(tree, &mut |entry, frame, depth| {
            if left == 0 {
                return Err(More);
            }
            left = left.saturating_sub(if depth > 0 { LOOK } else { 1 });
            entry.set(0);
            account.refund(Resource::Frames, 1);
            self.frames.release(frame);
            Ok(())
        })
    }

    /// The entries of so many pages from `page` on, a batch; none if their table is not there.
    #[inline(always)]
    pub(crate) fn entries(&self, process: &Process, page: u32, pages: u32) -> &'static [Word] {
        let table = self.entry(process.tree(), 1, page).and_then(|entry| self.table(entry));
        table.and_then(|table| table.0[slot_of(page, 0)..].get(..pages as usize)).unwrap_or(&[])
    }

    /// The entries of so many pages from `page` on that are to be mapped, and the table frames that takes. `EEXIST`: one of
    /// them is taken. `EOVERLIMIT`.
    #[inline(always)]
    pub(crate) fn check_pages(&self, process: &Process, page: u32, pages: u32) -> Result<Place, Error> {
        let entries = self.entries(process, page, pages);
        if entries.iter().any(|entry| entry.get() != 0) {
            return Err(Error::Exists);
        }
        if !entries.is_empty() {
            return Ok((entries, 0));
        }
        let tables = self.missing(process.tree(), page);
        process.account.check(Resource::Frames, tables)?;
        Ok((entries, tables))
    }

    /// Says what the entries of pages of one batch are, if their table is there.
    pub(crate) fn set_pages(&self, process: &Process, page: u32, pages: u32, value: u64) {
        self.entries(process, page, pages).iter().for_each(|entry| entry.set(value));
    }

    /// Unmaps pages of one batch and asks for the fence.
    pub(crate) fn clear_pages(&self, cpu: Here, process: &Process, page: u32, pages: u32) {
        self.set_pages(process, page, pages, 0);
        cpu.ask_fence(process.index());
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/tree.rs"]
pub(crate) mod invariant;
