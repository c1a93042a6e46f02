//! Frames: all memory that programs can own, as words.
//!
//! The core sees physical memory as a slice of frames of atomic words. Page tables, IPC pages and zeroing are plain
//! safe code over it, and run on the host under test.

use crate::prelude::*;
use crate::{arena::Pool, lock::Lock};
use core::ops::Range;

/// Words of a frame.
pub const FRAME_WORDS: usize = 512;

/// One frame.
#[repr(C, align(4096))]
pub struct Frame(pub [Word; FRAME_WORDS]);

/// Runs of frames that are not memory to give away (boot image, device tree), ascending; an empty one is none.
pub type Holes = [Range<u32>; 4];

/// The free frames. Has its own lock, taken last of all.
pub struct Frames {
    items: &'static [Frame],
    /// Frame 0.
    none: &'static Frame,
    base: u64,
    holes: Holes,
    lock: Lock,
    /// Which frames are free.
    pub pool: Pool,
}

impl Frames {
    /// All frames outside the holes free; frame 0 is never used.
    pub fn new(items: &'static [Frame], base: u64, holes: Holes) -> Frames {
        let lost = 1 + holes.iter().map(|hole| hole.len()).sum::<usize>();
        let pool = Pool::new(items.len().saturating_sub(lost) as u32);
        Frames { items, none: &items[0], base, holes, lock: Lock::new(), pool }
    }

    /// The frame's words.
    #[inline(always)]
    pub fn at(&self, frame: u32) -> &'static Frame {
        self.items.get(frame as usize).unwrap_or(self.none)
    }

    /// Its physical address.
    pub fn address(&self, frame: u32) -> u64 {
        self.base + u64::from(frame) * 4096
    }

    /// The frame at a physical address, if it is one of these.
    pub fn index(&self, address: u64) -> Option<u32> {
        let frame = address.checked_sub(self.base)? / 4096;
        (frame > 0 && frame < self.items.len() as u64).then_some(frame as u32)
    }

    /// The frame at a physical address, if it is one of these.
    pub(crate) fn of(&self, address: u64) -> Option<&'static Frame> {
        self.items.get((address.wrapping_sub(self.base) / 4096) as usize)
    }

    /// Takes a frame and zeroes it, after the lock is released.
    pub fn allocate(&self) -> Option<u32> {
        let frame = self.take()?;
        for words in self.at(frame).0.as_chunks::<32>().0 {
            words.iter().for_each(|word| word.set(0));
        }
        Some(frame)
    }

    fn take(&self) -> Option<u32> {
        let _held = self.lock.hold();
        if self.pool.free.get() == 0 {
            self.pool.fresh.set(self.past_holes(self.pool.fresh.get()));
        }
        (self.pool.left.get() > 0).then(|| self.pool.take(|frame| self.at(frame).0[0].get() as u32))
    }

    fn past_holes(&self, fresh: u32) -> u32 {
        self.holes.iter().fold(fresh, |fresh, hole| if hole.contains(&fresh) { hole.end } else { fresh })
    }

    /// Gives a frame back.
    #[inline(never)]
    pub fn release(&self, frame: u32) {
        let _held = self.lock.hold();
        self.at(frame).0[0].set(self.pool.give(frame).into());
    }

    /// Gives back frames of which each names the next.
    #[cold]
    pub(super) fn give_back(&self, mut frame: u32) {
        while frame != 0 {
            let next = self.at(frame).0[0].get() as u32;
            self.release(frame);
            frame = next;
        }
    }

    /// Where the free list begins: which of the free frames comes next is nobody's business.
    #[cfg(test)]
    pub(crate) fn free_list(&self) -> [&crate::word::Half; 2] {
        [&self.pool.free, &self.pool.fresh]
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/frames.rs"]
mod invariant;
#[cfg(test)]
mod tests {
    use super::*;
    use std::{boxed::Box, vec::Vec};

    #[test]
    fn no_frame_of_a_hole_is_ever_given_away() {
        let items: Vec<Frame> = (0..12).map(|_| Frame([const { Word::new(0) }; FRAME_WORDS])).collect();
        let frames = Frames::new(Box::leak(items.into_boxed_slice()), 0x8000_0000, [1..3, 3..4, 8..10, 0..0]);
        let given: Vec<u32> = core::iter::from_fn(|| frames.allocate()).collect();
        assert_eq!(given, [4, 5, 6, 7, 10, 11]);
        assert_eq!((frames.pool.capacity, frames.pool.used()), (6, 6));
        frames.release(7);
        assert_eq!(frames.allocate(), Some(7));
    }
}
