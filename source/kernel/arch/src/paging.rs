//! The kernel's own page tables (Sv39). Source: RISC-V Privileged Architecture, chapter 10.4.

use crate::layout::{PAGE, page_down, page_up, to_physical, to_virtual};
use core::ops::Range;
use nexus_core::memory::frames::Frame;
use nexus_core::memory::tree::{ACCESSED, DIRTY, EXECUTE, READ, VALID, WRITE};

/// `satp` mode of Sv39.
pub(crate) const SV39: u64 = 8 << 60;

const GLOBAL: u64 = 1 << 5;

/// What the kernel may do with a page of its own. Nothing is both writable and executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Access {
    /// Constants, boot image, device tree.
    Read = READ,
    /// Data, RAM, device registers.
    Write = READ | WRITE,
    /// Text.
    Execute = READ | EXECUTE,
}

/// Gigabytes of physical memory that the boot table shows: the table of the first instructions, which `_start` fills. It
/// serves until [`Tables`] take over.
pub(crate) const BOOT_GIGABYTES: u64 = 64;

/// What a gigabyte page of the boot table may be used for: everything.
pub(crate) const BOOT_LEAF: u64 = VALID | READ | WRITE | EXECUTE | ACCESSED | DIRTY;

/// Page tables under construction, and where their frames come from.
pub(crate) struct Tables<'a> {
    /// The root, of zeros at first.
    pub(crate) root: &'static Frame,
    /// Gives frames of zeros that nobody else has.
    pub(crate) allocate: &'a mut dyn FnMut() -> &'static Frame,
}

impl Tables<'_> {
    /// Maps physical pages at their place in the direct map, with the largest pages that fit. What was mapped before is
    /// not mapped again: ranges do not overlap.
    pub(crate) fn map(&mut self, range: &Range<u64>, access: Access) {
        let (mut at, end) = (page_down(range.start), page_up(range.end));
        while at < end {
            let fits = |&level: &u32| at.is_multiple_of(span(level)) && end - at >= span(level);
            let level = (0..3).rev().find(fits).unwrap_or(0);
            // One table after another, not one page after another.
            let entries = self.table(at, level).0.iter().skip(index(at, level));
            for entry in entries.take(((end - at) / span(level)) as usize) {
                entry.set((at >> 12) << 10 | access as u64 | VALID | GLOBAL | ACCESSED | DIRTY);
                at += span(level);
            }
        }
    }

    /// The table of this level that decides about an address, made if there is none.
    fn table(&mut self, address: u64, level: u32) -> &'static Frame {
        (level + 1..3).rev().fold(self.root, |table, above| {
            let entry = &table.0[index(address, above)];
            if entry.get() == 0 {
                let made = (self.allocate)();
                entry.set((to_physical(core::ptr::from_ref(made) as u64) >> 12) << 10 | VALID);
            }
            let next = to_virtual((entry.get() >> 10) << 12) as *const Frame;
            // SAFETY: ranges do not overlap, so the entry is no leaf but one that the lines above set to a table that
            // lives as long as the kernel.
            unsafe { &*next }
        })
    }
}

const fn span(level: u32) -> u64 {
    PAGE << (9 * level)
}

const fn index(physical: u64, level: u32) -> usize {
    (to_virtual(physical) >> (12 + 9 * level)) as usize & 511
}
