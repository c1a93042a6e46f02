//! Of the slot blocks: which were ever lent, and which of them came back.

use super::slot::Slot;
use crate::arena::Arena;

impl Arena<Slot> {
    /// Blocks ever lent.
    pub(crate) fn blocks_touched(&self) -> u32 {
        self.pool.fresh.get() - 1
    }

    /// The free blocks among those ever lent.
    pub(crate) fn free_blocks(&self) -> impl Iterator<Item = u32> {
        let mut next = self.pool.free.get();
        core::iter::from_fn(move || {
            let block = (next != 0).then_some(next)?;
            next = self.at(block * 64).links.next.get();
            Some(block)
        })
    }
}
