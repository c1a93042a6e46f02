//! The gate word of a thread: what decides whether a message may go straight to it, so that one compare decides.
//!
//! Two threads can hand over to each other if their gates differ in nothing but the states. Every field but the state
//! changes only under the thread's shard; the state of a ready or running thread is changed by its CPU without it. So
//! changes of single fields are atomic, and a whole gate is only stored by who holds the shard of a thread that is
//! blocked, or that runs there.
//!
//! Happens-before: what a gate says of a blocked thread is ordered by the lock of its shard, which both who changed it and
//! who reads it hold. Float registers are in memory before their mark is seen gone (release, acquire).

use crate::prelude::*;
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};

const STATE: u64 = 0xf;
const CPU: u64 = 0xff << CPU_SHIFT;
const CPU_SHIFT: u32 = 16;
const SHARD_SHIFT: u32 = 62;

/// Its CPU holds its float registers, so it cannot move.
const FLOAT: u64 = 1 << 4;

/// A gate word.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Gate(Word);

impl Gate {
    /// The word.
    pub(crate) fn get(&self) -> u64 {
        self.0.get()
    }

    /// Stores the word: the caller holds the shard of the thread, which is blocked, or runs here.
    pub(crate) fn set(&self, word: u64) {
        self.0.set(word);
    }

    /// A new thread's gate.
    pub(crate) fn start(&self, cpu: u32, shard: usize) {
        self.0.set(State::New as u64 | u64::from(cpu) << CPU_SHIFT | (shard as u64) << SHARD_SHIFT);
    }

    fn change(&self, field: u64, value: u64) {
        self.0.atomic().fetch_xor((self.0.get() ^ value) & field, Relaxed);
    }

    /// Says that its CPU holds its float registers: no message goes straight to or from it.
    pub fn hold_float(&self) {
        self.0.atomic().fetch_or(FLOAT, Relaxed);
    }

    /// Says (release) that its float registers are in memory.
    pub fn drop_float(&self) {
        self.0.atomic().fetch_and(!FLOAT, Release);
    }

    /// The shard that a word names.
    pub(crate) const fn shard(word: u64) -> usize {
        const { assert!(crate::lock::SHARDS == 4, "a shard is two bits") };
        (word >> SHARD_SHIFT) as usize
    }

    /// The word of a running thread, if it waited in `state` instead.
    pub(crate) const fn waiting(running: u64, state: State) -> u64 {
        running.wrapping_add(state as u64 - State::Running as u64)
    }

    /// The word of a thread that waits in `state`, if it ran instead.
    pub(crate) const fn running(waiting: u64, state: State) -> u64 {
        waiting.wrapping_sub(state as u64 - State::Running as u64)
    }

    /// True if two words are the same but for their shards.
    pub(crate) const fn alike_but_for_shard(one: u64, other: u64) -> bool {
        (one ^ other) << (64 - SHARD_SHIFT) == 0
    }

    /// True if a word names this shard.
    pub(crate) const fn names_shard(word: u64, shard: usize) -> bool {
        (word ^ (shard as u64) << SHARD_SHIFT) >> SHARD_SHIFT == 0
    }
}

impl Thread {
    /// What it is doing.
    pub fn state(&self) -> State {
        State::of(self.gate.get() & STATE)
    }

    /// Changes what it is doing. The caller moves it between the lists.
    pub fn set_state(&self, state: State) {
        self.gate.change(STATE, state as u64);
    }

    /// Changes what it is doing, for who knows what that was.
    pub(crate) fn change_state(&self, before: State, after: State) {
        debug_assert_eq!(self.state(), before);
        self.gate.0.atomic().fetch_xor(before as u64 ^ after as u64, Relaxed);
    }

    /// The CPU whose run queue it uses.
    pub fn cpu(&self) -> u32 {
        (self.gate.get() >> CPU_SHIFT) as u32 & 0xff
    }

    /// Changes the CPU whose run queue it uses.
    pub fn set_cpu(&self, cpu: u32) {
        self.gate.change(CPU, u64::from(cpu) << CPU_SHIFT);
    }

    /// True while its CPU holds its float registers; once they are seen in memory (acquire), another may load them.
    pub(crate) fn float_loaded(&self) -> bool {
        self.gate.0.atomic().load(Acquire) & FLOAT != 0
    }
}
