//! The timing wheel: a deadline in constant time, without heap or search.
//!
//! Levels of 64 slots. An entry stands at the level of the highest 6-bit digit in which its time differs from `base`,
//! in the slot of that digit (Varghese and Lauck, "Hashed and Hierarchical Timing Wheels", 1987). So the first occupied
//! slot of the lowest occupied level holds the earliest entry; each slot remembers its earliest time, and the machine is
//! interrupted at exactly that time, not at the slot's start. Entries of a reached slot move to `reached`, from where
//! each is either due or put in again, closer.

use crate::word::{Half, Many, Word};
use crate::{arena::Arena, links::Links, lock::Lock};

/// Levels of the timing wheel: 11 digits of 6 bits cover 64.
pub const LEVELS: usize = 11;

/// One CPU's deadlines. Guarded by its own lock, taken after the shards'.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Wheel {
    /// When to look next, or earlier; `u64::MAX`: never, as before the first entry. Read by its CPU without the lock: it
    /// re-reads after every event. First, and so in reach of short instructions.
    pub(crate) next: Word,
    lock: Lock,
    /// No entry is earlier than this, reached ones apart.
    base: Word,
    occupied: [Word; LEVELS],
    slots: [Many<Half, 64>; LEVELS],
    /// Earliest time in each occupied slot, or earlier.
    earliest: [Many<Word, 64>; LEVELS],
    /// Entries of slots whose time has come, not yet looked at.
    reached: Half,
}

/// A place for one entry. Guarded by the lock of the wheel it is in.
#[derive(Debug, Default)]
pub struct Node {
    /// When it is due.
    when: Word,
    links: Links,
    /// 1 + level × 64 + slot; 0: not in a wheel. Read without the lock.
    place: Half,
    /// The CPU whose wheel it is in, or was.
    pub(super) cpu: Half,
}

impl Node {
    /// When it is looked at at the latest; `u64::MAX`: never.
    pub(crate) fn looked_at(&self) -> u64 {
        if self.queued() { self.when.get() } else { u64::MAX }
    }

    /// True if it is in a wheel.
    pub fn queued(&self) -> bool {
        self.place.get() != 0
    }
}

impl Wheel {
    /// Puts a node in that is in no wheel.
    pub fn insert(&self, nodes: &Arena<Node>, index: u32, when: u64, cpu: u32) {
        let _held = self.lock.hold();
        nodes.at(index).when.set(when);
        nodes.at(index).cpu.set(cpu);
        self.place(nodes, index);
        self.next.set(self.next.get().min(when));
    }

    fn place(&self, nodes: &Arena<Node>, index: u32) {
        let node = nodes.at(index);
        let base = self.base.get();
        let when = node.when.get().max(base);
        let level = (63 - (when ^ base | 1).leading_zeros() as usize) / 6;
        let slot = (when >> (6 * level)) as usize & 63;
        let head = &self.slots[level][slot];
        let fresh = self.occupied[level].get() & 1 << slot == 0;
        let earliest = &self.earliest[level][slot];
        earliest.set(if fresh { when } else { earliest.get().min(when) });
        self.occupied[level].set(self.occupied[level].get() | 1 << slot);
        node.place.set((1 + level * 64 + slot) as u32);
        node.links.join(head, index, |number| &nodes.at(number).links);
    }

    /// Takes a node out of the wheel it is in.
    pub fn remove(&self, nodes: &Arena<Node>, index: u32) {
        let _held = self.lock.hold();
        self.detach(nodes, index);
        nodes.at(index).place.set(0);
    }

    /// Takes a node out of its list. It still says where it was: others read that without the lock, and one that is
    /// only put closer must never look as if it were in no wheel.
    fn detach(&self, nodes: &Arena<Node>, index: u32) {
        let node = nodes.at(index);
        let Some(place) = node.place.get().checked_sub(1) else { return };
        let (level, slot) = (place as usize / 64, place as usize % 64);
        let Some(head) = self.slots.get(level).map(|slots| &slots[slot]) else { return };
        let first = if self.reached.get() == index { &self.reached } else { head };
        node.links.leave(first, |number| &nodes.at(number).links);
        if head.get() == 0 {
            self.occupied[level].set(self.occupied[level].get() & !(1 << slot));
        }
    }

    /// Takes one due node out, or says that none is due and when to look again.
    pub fn pop(&self, nodes: &Arena<Node>, now: u64) -> Option<u32> {
        let _held = self.lock.hold();
        loop {
            let index = self.reached.get();
            if index == 0 {
                let level = self.occupied.iter().position(|bits| bits.get() != 0);
                let first = level.map(|level| (level, self.occupied[level].get().trailing_zeros() as usize & 63));
                let earliest = first.map_or(u64::MAX, |(level, slot)| self.earliest[level][slot].get());
                self.next.set(earliest);
                let (level, slot) = first.filter(|_| earliest <= now)?;
                self.reach(level, slot);
                continue;
            }
            self.detach(nodes, index);
            if nodes.at(index).when.get() <= now {
                nodes.at(index).place.set(0);
                self.next.set(0);
                return Some(index);
            }
            self.place(nodes, index);
        }
    }

    fn reach(&self, level: usize, slot: usize) {
        self.reached.set(self.slots[level][slot].get());
        self.slots[level][slot].set(0);
        self.occupied[level].set(self.occupied[level].get() & !(1 << slot));
        let shift = 6 * level as u32;
        let above = u64::MAX.checked_shl(shift + 6).unwrap_or(0);
        self.base.set(self.base.get() & above | (slot as u64) << shift);
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/wheel.rs"]
mod invariant;
#[cfg(test)]
#[path = "wheel_tests.rs"]
mod tests;
