//! Frames: all memory that programs can own, as words.
//!
//! The core sees physical memory as a slice of frames of atomic words. Page tables, IPC pages and zeroing are plain
//! safe code over it, and run on the host under test.

use crate::{
    lock::Lock,
    word::{Half, Word},
};

/// Words of a frame.
pub const FRAME_WORDS: usize = 512;

/// One frame.
#[derive(Debug)]
#[repr(C, align(4096))]
pub struct Frame(pub [Word; FRAME_WORDS]);

/// The free frames. Has its own lock, taken last of all.
#[derive(Debug)]
pub struct Frames {
    items: &'static [Frame],
    base: u64,
    lock: Lock,
    free: Half,
    fresh: Half,
    used: Half,
}

impl Frames {
    /// All frames free; frame 0 is never used.
    pub const fn new(items: &'static [Frame], base: u64) -> Frames {
        Frames { items, base, lock: Lock::new(), free: Half::new(0), fresh: Half::new(1), used: Half::new(0) }
    }

    /// The frame's words.
    #[inline(always)]
    pub fn at(&self, frame: u32) -> &'static Frame {
        match self.items.get(frame as usize) {
            Some(frame) => frame,
            None => &self.items[0],
        }
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

    /// Takes a frame and zeroes it, after the lock is released.
    pub fn allocate(&self) -> Option<u32> {
        let frame = self.take()?;
        self.at(frame).0.iter().for_each(|word| word.set(0));
        Some(frame)
    }

    fn take(&self) -> Option<u32> {
        let _held = self.lock.hold();
        let (free, fresh) = (self.free.get(), self.fresh.get());
        if free != 0 {
            self.free.set(self.at(free).0[0].get() as u32);
        } else if (fresh as usize) < self.items.len() {
            self.fresh.set(fresh + 1);
        } else {
            return None;
        }
        self.used.add(1);
        Some(if free != 0 { free } else { fresh })
    }

    /// Gives a frame back.
    pub fn release(&self, frame: u32) {
        let _held = self.lock.hold();
        self.at(frame).0[0].set(self.free.get().into());
        self.free.set(frame);
        self.used.sub(1);
    }

    /// Frames in use.
    pub fn used(&self) -> u32 {
        self.used.get()
    }

    /// Frames there are.
    pub fn capacity(&self) -> u32 {
        self.items.len() as u32 - 1
    }
}
