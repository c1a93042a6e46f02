//! Of an arena: which places were ever used, and which of them are free again.

use super::{Arena, Header, Object};

impl Header {
    /// True if the place has seen all the objects that references can tell apart.
    pub(crate) fn used_up(&self) -> bool {
        self.generation.get() == u32::MAX
    }
}

impl<T: Object> Arena<T> {
    /// Places that were ever used: those behind them are as they were carved.
    pub(crate) fn touched(&self) -> u32 {
        self.pool.fresh.get() - 1
    }

    /// The free places among those ever used.
    pub(crate) fn free_places(&self) -> impl Iterator<Item = u32> {
        let mut next = self.pool.free.get();
        core::iter::from_fn(move || {
            let index = (next != 0).then_some(next)?;
            next = self.at(index).header().links.next.get();
            Some(index)
        })
    }
}
