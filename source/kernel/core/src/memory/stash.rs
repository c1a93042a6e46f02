//! A stash: zeroed frames that are taken before any shard lock is held.
//!
//! Zeroing a frame takes longer than any check. So a call that needs frames looks under the locks how many, lets go,
//! fills its stash, and looks again: what it then takes from the stash cannot fail. What is left goes back.

use super::frames::Frames;
use crate::{
    Kernel,
    lock::{Held, ShardSet},
};
use nexus_abi::Error;

/// Frames of one call, each naming the next in its first word. Made before the shard locks are taken, dropped after they
/// are released.
#[derive(Debug)]
pub(crate) struct Stash<'a> {
    frames: &'a Frames,
    first: u32,
    count: u32,
}

impl Stash<'_> {
    /// An empty stash.
    pub(crate) fn new(frames: &Frames) -> Stash<'_> {
        Stash { frames, first: 0, count: 0 }
    }

    /// Holds at least `wanted` frames from here on, or says `ENOMEM`.
    #[inline]
    pub(crate) fn fill(&mut self, wanted: u32) -> Result<(), Error> {
        while self.count < wanted {
            let frame = self.frames.allocate().ok_or(Error::Exhausted)?;
            self.frames.at(frame).0[0].set(self.first.into());
            self.first = frame;
            self.count += 1;
        }
        Ok(())
    }

    /// Takes one of the frames that [`Stash::fill`] put in, all zero.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<u32> {
        self.count = self.count.checked_sub(1)?;
        let frame = self.first;
        self.first = self.frames.at(frame).0[0].take() as u32;
        Some(frame)
    }

    /// Gives back what nobody took: where the plan was made anew, or failed.
    #[cold]
    fn give_back(&mut self) {
        while let Some(frame) = self.take() {
            self.frames.release(frame);
        }
    }
}

impl Drop for Stash<'_> {
    fn drop(&mut self) {
        if self.count > 0 {
            self.give_back();
        }
    }
}

impl Kernel {
    /// Holds all shards with the frames at hand that a plan made under them wants: what it says how many, and what of. Let
    /// go of the stash last.
    #[inline(always)]
    pub(crate) fn with_frames<T>(
        &self,
        plan: impl Fn() -> Result<(u32, T), Error>,
    ) -> Result<(Stash<'_>, Held<'_>, T), Error> {
        let mut stash = Stash::new(&self.frames);
        loop {
            let held = self.shards.hold(ShardSet::ALL);
            let (wanted, planned) = plan()?;
            if wanted <= stash.count {
                return Ok((stash, held, planned));
            }
            drop(held);
            stash.fill(wanted)?;
        }
    }
}
