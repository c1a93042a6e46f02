//! Shared words: what every kernel field is made of.
//!
//! Relaxed loads and stores compile to plain ones. Order between CPUs comes from the lock that guards a field; a field
//! that is read without its lock says so where it is declared.

#[cfg(test)]
#[path = "tests/journal.rs"]
pub(crate) mod journal;
#[cfg(not(test))]
mod silent;

#[cfg(test)]
use journal::written;
#[cfg(not(test))]
use silent::written;

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// 64 bits.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Word(AtomicU64);

impl Word {
    /// A word with this value.
    pub const fn new(value: u64) -> Word {
        Word(AtomicU64::new(value))
    }

    /// Its value.
    #[inline(always)]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }

    /// Changes it.
    #[inline(always)]
    pub fn set(&self, value: u64) {
        written(self, || self.get(), value);
        self.0.store(value, Relaxed);
    }

    /// Adds, wrapping. Not atomic: for fields with one writer.
    pub fn add(&self, amount: u64) {
        self.set(self.get().wrapping_add(amount));
    }

    /// The value before it became 0. Not atomic.
    pub fn take(&self) -> u64 {
        let value = self.get();
        self.set(0);
        value
    }

    /// The atomic itself, for the few protocols that order memory by it.
    pub fn atomic(&self) -> &AtomicU64 {
        &self.0
    }
}

/// 32 bits.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Half(AtomicU32);

impl Half {
    /// A half word with this value.
    pub const fn new(value: u32) -> Half {
        Half(AtomicU32::new(value))
    }

    /// Its value.
    pub fn get(&self) -> u32 {
        self.0.load(Relaxed)
    }

    /// Changes it.
    #[inline(always)]
    pub fn set(&self, value: u32) {
        written(self, || self.get().into(), value.into());
        self.0.store(value, Relaxed);
    }

    /// Adds, wrapping. Not atomic: for fields guarded by a lock.
    pub fn add(&self, amount: u32) {
        self.set(self.get().wrapping_add(amount));
    }

    /// The value before it became 0. Not atomic.
    pub fn take(&self) -> u32 {
        let value = self.get();
        self.set(0);
        value
    }

    /// Subtracts, wrapping. Not atomic: for fields guarded by a lock.
    pub fn sub(&self, amount: u32) {
        self.set(self.get().wrapping_sub(amount));
    }

    /// The atomic itself, for the few protocols that order memory by it.
    pub fn atomic(&self) -> &AtomicU32 {
        &self.0
    }
}

/// Words as bytes, the lowest of each first.
#[derive(Clone, Copy, Debug, Default)]
pub struct Bytes(pub &'static [Word]);

impl Bytes {
    /// A byte; beyond the end 0.
    pub(crate) fn get(self, at: usize) -> u8 {
        self.0.get(at / 8).map_or(0, |word| (word.get() >> (at % 8 * 8)) as u8)
    }

    /// Sets one byte; beyond the end nothing happens.
    pub(crate) fn put(self, at: usize, byte: u8) {
        if let Some(word) = self.0.get(at / 8) {
            let shift = at % 8 * 8;
            word.set(word.get() & !(0xff << shift) | u64::from(byte) << shift);
        }
    }
}

/// As many as wanted, from zeroed memory or by `Default`, which arrays over 32 lack.
#[derive(Debug)]
#[repr(transparent)]
pub struct Many<T, const N: usize>([T; N]);

impl<T: Default, const N: usize> Default for Many<T, N> {
    fn default() -> Many<T, N> {
        Many(core::array::from_fn(|_| T::default()))
    }
}

impl<T, const N: usize> core::ops::Deref for Many<T, N> {
    type Target = [T; N];

    fn deref(&self) -> &[T; N] {
        &self.0
    }
}
