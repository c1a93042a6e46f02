//! A stash: zeroed frames that are taken before any shard lock is held.
//!
//! Zeroing a frame takes longer than any check. So a call that needs frames looks under the locks how many, lets go,
//! fills its stash, and looks again: what it then takes from the stash cannot fail. What is left goes back.

use super::frames::Frames;
use crate::prelude::*;

/// Frames of one call, each naming the next in its first word. Made before the shard locks are taken, dropped after they
/// are released.
pub(crate) struct Stash<'a> {
    frames: &'a Frames,
    first: u32,
}

impl Stash<'_> {
    /// So many frames, or `ENOMEM`.
    #[inline(never)]
    pub(crate) fn of(frames: &Frames, count: u32) -> Result<Stash<'_>, Error> {
        let mut stash = Stash { frames, first: 0 };
        for _ in 0..count {
            let frame = frames.allocate().ok_or(Error::Exhausted)?;
            frames.at(frame).0[0].set(stash.first.into());
            stash.first = frame;
        }
        Ok(stash)
    }

    /// Takes a frame, all zero.
    pub(crate) fn take(&mut self) -> Option<u32> {
        let frame = self.first;
        if frame == 0 {
            return None;
        }
        self.first = self.frames.at(frame).0[0].take() as u32;
        Some(frame)
    }
}

impl Drop for Stash<'_> {
    /// Gives back what nobody took: where the plan was made anew, or failed.
    fn drop(&mut self) {
        if self.first != 0 {
            self.frames.give_back(self.first);
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
        let (mut stash, mut count) = (Stash { frames: &self.frames, first: 0 }, 0);
        loop {
            let held = self.shards.hold(ShardSet::ALL);
            let (wanted, planned) = plan()?;
            if wanted <= count {
                return Ok((stash, held, planned));
            }
            drop(held);
            (stash, count) = (Stash::of(&self.frames, wanted)?, wanted);
        }
    }
}
