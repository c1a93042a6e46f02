//! The handles that a thread of the fuzzer knows, and what it believes them to be.

use nexus_abi::Kind;

use crate::dice::Dice;

const PLACES: usize = 48;

/// Handles, living and stale.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pool {
    entries: [(u64, Option<Kind>); PLACES],
    count: usize,
}

impl Pool {
    /// No handle.
    pub(crate) const fn empty() -> Pool {
        Pool { entries: [(0, None); PLACES], count: 0 }
    }

    /// Handles known.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Learns a handle; a full pool forgets another for it.
    pub(crate) fn add(&mut self, handle: u64, kind: Option<Kind>, dice: &mut Dice) {
        let place = if self.count < PLACES { self.count } else { dice.below(PLACES as u64) as usize };
        self.entries[place] = (handle, kind);
        self.count = PLACES.min(self.count + 1);
    }

    /// Forgets a handle.
    pub(crate) fn forget(&mut self, handle: u64) {
        if let Some(place) = self.entries[..self.count].iter().position(|(known, _)| *known == handle) {
            self.count -= 1;
            self.entries[place] = self.entries[self.count];
        }
    }

    /// What a handle was when it was learned.
    pub(crate) fn kind(&self, handle: u64) -> Option<Kind> {
        self.entries[..self.count].iter().find(|(known, _)| *known == handle)?.1
    }

    /// Any handle.
    pub(crate) fn any(&self, dice: &mut Dice) -> Option<u64> {
        (self.count > 0).then(|| self.entries[dice.below(self.count as u64) as usize].0)
    }

    /// A handle of this kind.
    pub(crate) fn of(&self, kind: Kind, dice: &mut Dice) -> Option<u64> {
        let matching = || self.entries[..self.count].iter().filter(|(_, known)| *known == Some(kind));
        let count = matching().count() as u64;
        if count == 0 { None } else { matching().nth(dice.below(count) as usize).map(|(handle, _)| *handle) }
    }
}
