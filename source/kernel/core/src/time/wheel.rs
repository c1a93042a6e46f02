//! The timing wheel: a deadline in constant time, without heap or search.

use crate::{
    lock::Lock,
    word::{Half, Many, Word},
};

/// Levels of 64 slots; a slot of level n spans 64^n ticks.
pub const LEVELS: usize = 8;

/// One CPU's deadlines. Guarded by its own lock.
#[derive(Debug, Default)]
pub struct Wheel {
    lock: Lock,
    /// Up to where time was looked at.
    now: Word,
    /// Slots with entries, one bit each.
    occupied: [Word; LEVELS],
    /// First node of each slot.
    slots: [Many<Half, 64>; LEVELS],
    /// Earliest deadline, or earlier: what the machine is asked to interrupt at.
    next: Word,
}

impl Wheel {
    /// When it must be looked at next; `u64::MAX`: never.
    pub fn next(&self) -> u64 {
        self.next.get()
    }
}

/// A place for one entry. Guarded by the lock of the wheel it is in.
#[derive(Debug, Default)]
pub struct Node {
    /// When it is due.
    pub when: Word,
    /// Neighbours in the slot.
    pub links: [Half; 2],
    /// 1 + level × 64 + slot; 0: not in a wheel.
    pub place: Half,
    /// The CPU whose wheel it is in.
    pub cpu: Half,
}
