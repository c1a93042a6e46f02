//! Shard locks: who may change which objects together.
//!
//! Every object lives in one of [`SHARDS`] shards. Locks are taken in index order, so no two holders wait for each
//! other. An operation that finds out midway that it needs one more shard changes nothing, lets go, and starts again
//! with the larger set ([`Need`]): at most [`SHARDS`] times, since the set only grows.

use core::ops::Deref;
use core::sync::atomic::{AtomicU32, Ordering};

pub use nexus_abi::handle::SHARDS;

/// A spin lock. Interrupts are off in the kernel, so the holder always makes progress.
#[derive(Debug, Default)]
pub struct Lock(AtomicU32);

impl Lock {
    /// A free lock.
    pub const fn new() -> Lock {
        Lock(AtomicU32::new(0))
    }

    /// Takes the lock; it is released when the guard is dropped.
    pub fn hold(&self) -> LockGuard<'_> {
        self.acquire();
        LockGuard(self)
    }

    /// Happens-before: the swap that reads 0 synchronises with the release that wrote it.
    fn acquire(&self) {
        while self.0.swap(1, Ordering::Acquire) != 0 {
            core::hint::spin_loop();
        }
    }

    fn release(&self) {
        self.0.swap(0, Ordering::Release);
    }
}

/// Holds one lock.
pub struct LockGuard<'a>(&'a Lock);

impl Drop for LockGuard<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A set of shards, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShardSet(u64);

impl ShardSet {
    /// Every shard: what structural changes hold.
    pub const ALL: ShardSet = ShardSet((1 << SHARDS) - 1);

    /// Only this shard. Numbers wrap: a shard in a forged handle is some shard, and its slot will not match.
    pub const fn of(shard: usize) -> ShardSet {
        ShardSet(1 << (shard % SHARDS))
    }

    /// The shard, if it is just one: what most messages hold.
    const fn only(self) -> Option<usize> {
        const { assert!(SHARDS == 4, "the sum below is the index of the only bit of four") };
        if self.0 & (self.0.wrapping_sub(1)) == 0 { Some(((self.0 >> 1) - (self.0 >> 3)) as usize) } else { None }
    }

    /// Both sets.
    pub const fn with(self, other: ShardSet) -> ShardSet {
        ShardSet(self.0 | other.0)
    }

    /// Says that a shard is about to be touched by a holder of this set.
    pub fn require(self, shard: usize) -> Result<(), Need> {
        self.require_all(ShardSet::of(shard))
    }

    /// [`ShardSet::require`] for a set.
    pub fn require_all(self, shards: ShardSet) -> Result<(), Need> {
        if self.covers(shards) { Ok(()) } else { Err(Need(shards)) }
    }

    /// True if every shard of `other` is in `self`.
    pub const fn covers(self, other: ShardSet) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The operation also needs these shards; it has changed nothing.
#[derive(Clone, Copy, Debug)]
pub struct Need(pub ShardSet);

/// All shard locks.
#[derive(Debug, Default)]
pub struct Shards([Lock; SHARDS]);

impl Shards {
    /// Takes the lock of one shard.
    pub fn hold_one(&self, shard: usize) -> LockGuard<'_> {
        self.0[shard % SHARDS].hold()
    }

    /// Takes the lock of one more shard if it is free. Who waits for nothing need not keep the order.
    pub fn try_one(&self, shard: usize) -> Option<LockGuard<'_>> {
        let lock = &self.0[shard % SHARDS];
        (lock.0.swap(1, Ordering::Acquire) == 0).then(|| LockGuard(lock))
    }

    /// Takes the locks of a set in index order.
    #[inline]
    pub fn hold(&self, set: ShardSet) -> Held<'_> {
        match set.only() {
            Some(shard) => self.0[shard % SHARDS].acquire(),
            None if set == ShardSet::ALL => self.acquire_all(),
            None => self.each(set, Lock::acquire),
        }
        Held { shards: self, set }
    }

    /// True while somebody holds the shard. Whoever touches an object asserts it where assertions are on: in a test that
    /// runs one CPU at a time it can only be the caller.
    pub fn held(&self, shard: usize) -> bool {
        self.0[shard % SHARDS].0.load(Ordering::Relaxed) != 0
    }

    /// One copy for all who call it, as the two below: most calls hold every shard.
    #[inline(never)]
    fn acquire_all(&self) {
        self.0.iter().for_each(Lock::acquire);
    }

    #[inline(never)]
    fn release_all(&self) {
        self.0.iter().for_each(Lock::release);
    }

    #[inline(never)]
    fn each(&self, set: ShardSet, act: fn(&Lock)) {
        let all = self.0.iter().enumerate();
        all.filter(|(shard, _)| set.covers(ShardSet::of(*shard))).for_each(|(_, lock)| act(lock));
    }
}

/// Holds the locks of a set of shards.
pub struct Held<'a> {
    shards: &'a Shards,
    set: ShardSet,
}

/// Which shards these are.
impl Deref for Held<'_> {
    type Target = ShardSet;

    fn deref(&self) -> &ShardSet {
        &self.set
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        match self.set.only() {
            Some(shard) => self.shards.0[shard % SHARDS].release(),
            None if self.set == ShardSet::ALL => self.shards.release_all(),
            None => self.shards.each(self.set, Lock::release),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_shards_are_taken_in_index_order() {
        for set in [ShardSet::ALL, ShardSet::of(0).with(ShardSet::of(1)).with(ShardSet::of(3))] {
            let shards = &Shards::default();
            let middle = shards.hold_one(1);
            std::thread::scope(|scope| {
                let other = scope.spawn(move || *shards.hold(set));
                while !shards.held(0) && !shards.held(2) && !shards.held(3) {
                    core::hint::spin_loop();
                }
                assert!(shards.held(0) && !shards.held(2) && !shards.held(3), "it waits behind what it needs later");
                drop(middle);
                assert_eq!(other.join().ok(), Some(set));
            });
            assert!((0..SHARDS).all(|shard| !shards.held(shard)));
        }
    }
}
