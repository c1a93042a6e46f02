//! Lists of anything, linked through the items themselves.
//!
//! An item has a number, 0 is none, and whoever keeps a list says how a number finds its [`Links`]. Taking an item out of
//! the middle costs the same as from the front.

use crate::word::Half;

/// An item's neighbours in a list. Guarded by whatever guards the list.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Links {
    /// Number of the item behind it.
    pub next: Half,
    /// Number of the item before it.
    pub previous: Half,
}

impl Links {
    /// Puts the item, whose number this is, first in the list that begins at `first`.
    pub(crate) fn join(&self, first: &Half, number: u32, links: impl Fn(u32) -> &'static Links) {
        let next = first.get();
        self.next.set(next);
        self.previous.set(0);
        if next != 0 {
            links(next).previous.set(number);
        }
        first.set(number);
    }

    /// Takes the item out of the list that begins at `first`.
    pub(crate) fn leave(&self, first: &Half, links: impl Fn(u32) -> &'static Links) {
        let (next, previous) = (self.next.get(), self.previous.get());
        if next != 0 {
            links(next).previous.set(previous);
        }
        let before = if previous == 0 { first } else { &links(previous).next };
        before.set(next);
        self.next.set(0);
        self.previous.set(0);
    }
}

/// The items of a list from this number on.
pub(crate) fn follow<T: 'static>(
    mut number: u32,
    item: impl Fn(u32) -> &'static T,
    next: impl Fn(&T) -> &Half,
) -> impl Iterator<Item = &'static T> {
    core::iter::from_fn(move || {
        let item = (number != 0).then(|| item(number))?;
        number = next(item).get();
        Some(item)
    })
}
