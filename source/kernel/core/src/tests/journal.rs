//! Every write to a kernel field while a test listens: which word, what it was, what it is.
//!
//! A refusal must leave every word as it was. Looking at the words that were written instead of at all of them makes
//! that affordable for each of many calls, and misses no field, of whatever object.

use core::cell::RefCell;
use std::{collections::BTreeMap, thread_local, vec::Vec};

/// Addresses of words, with their first and last values.
type Writes = BTreeMap<usize, (u64, u64)>;

thread_local! {
    static WRITES: RefCell<Option<Writes>> = const { RefCell::new(None) };
}

/// A word that is another than before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Where it is.
    pub address: usize,
    /// What it was.
    pub was: u64,
    /// What it is.
    pub is: u64,
}

/// Listens to the writes of this host thread from now on.
pub(crate) fn begin() {
    WRITES.with_borrow_mut(|writes| *writes = Some(Writes::new()));
}

/// Listens no more; what has changed since [`begin`], in the order of addresses.
pub(crate) fn end() -> Vec<Change> {
    let writes = WRITES.with_borrow_mut(Option::take).unwrap_or_default();
    let changes = writes.into_iter().filter(|(_, (was, is))| was != is);
    changes.map(|(address, (was, is))| Change { address, was, is }).collect()
}

/// A word is about to be written.
pub(super) fn written<T>(word: &T, was: impl FnOnce() -> u64, is: u64) {
    WRITES.with_borrow_mut(|writes| {
        if let Some(writes) = writes {
            writes.entry(core::ptr::from_ref(word).addr()).or_insert_with(|| (was(), is)).1 = is;
        }
    });
}

mod tests {
    use super::*;
    use crate::word::{Half, Word};

    #[test]
    fn only_what_is_another_than_before_has_changed() {
        let (same, other, half) = (Word::new(7), Word::new(7), Half::new(1));
        other.set(1);
        begin();
        same.set(8);
        other.set(2);
        half.add(3);
        same.set(7);
        other.set(3);
        let changes = end();
        half.set(9);
        assert_eq!(changes.len(), 2);
        let of =
            |address| changes.iter().find(|change| change.address == address).map(|change| (change.was, change.is));
        assert_eq!(of(core::ptr::from_ref(&other).addr()), Some((1, 3)));
        assert_eq!(of(core::ptr::from_ref(&half).addr()), Some((1, 4)));
        assert_eq!(end(), []);
    }
}
