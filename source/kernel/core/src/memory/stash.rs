//! A stash: zeroed frames that are taken before any shard lock is held.
//!
//! Zeroing a frame takes longer than any check. So a call that needs frames looks under the locks how many, lets go,
//! fills its stash, and looks again: what it then takes from the stash cannot fail. What is left goes back.

use super::frames::Frames;
use nexus_abi::{Error, layout::GROW_BATCH};

/// Frames that one call needs at most: a batch of pages, and the index or table frames they hang on.
const CAPACITY: usize = GROW_BATCH as usize + 4;

/// Frames of one call. Made before the shard locks are taken, dropped after they are released.
#[derive(Debug)]
pub(crate) struct Stash<'a> {
    frames: &'a Frames,
    held: [u32; CAPACITY],
    count: usize,
}

impl Stash<'_> {
    /// An empty stash.
    pub(crate) fn new(frames: &Frames) -> Stash<'_> {
        Stash { frames, held: [0; CAPACITY], count: 0 }
    }

    /// How many frames it holds.
    pub(crate) fn len(&self) -> u32 {
        self.count as u32
    }

    /// Holds at least `wanted` frames from here on, or says `ENOMEM`.
    pub(crate) fn fill(&mut self, wanted: u32) -> Result<(), Error> {
        while self.len() < wanted {
            let place = self.held.get_mut(self.count).ok_or(Error::OverLimit)?;
            *place = self.frames.allocate().ok_or(Error::Exhausted)?;
            self.count += 1;
        }
        Ok(())
    }

    /// Takes one of the frames that [`Stash::fill`] put in.
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.count = self.count.checked_sub(1)?;
        self.held.get(self.count).copied()
    }
}

impl Drop for Stash<'_> {
    fn drop(&mut self) {
        while let Some(frame) = self.take() {
            self.frames.release(frame);
        }
    }
}
