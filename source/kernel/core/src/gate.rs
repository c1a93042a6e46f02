//! The gate word of a thread: all that decides whether a message may go straight to it, so that one compare decides.
//!
//! Two threads can hand over to each other if their gates differ in nothing but the states. Every field but the state
//! changes only under the thread's shard; the state of a ready or running thread is changed by its CPU without it. So
//! changes of single fields are atomic, and a whole gate is only stored by who holds the shard of a thread that is blocked,
//! or that runs there.

use crate::{thread::State, word::Word};
use core::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use nexus_abi::QosClass;

const STATE: u64 = 0xf;
const CLASS: u64 = 3 << CLASS_SHIFT;
const CLASS_SHIFT: u32 = 4;
const CPU: u64 = 0xff << CPU_SHIFT;
const CPU_SHIFT: u32 = 16;
const SHARD_SHIFT: u32 = 24;

/// What a gate can say besides state, class, CPU and shard, one bit each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Mark {
    /// It runs in a class that a caller donates.
    Boosted = 1 << 6,
    /// Its wait ends at its deadline. Never while it is ready or runs.
    Timed = 1 << 7,
    /// Its bound notification may have signals for it.
    Signalled = 1 << 8,
    /// Its CPU holds its float registers, so it cannot move. Taken off (release) once they are in memory.
    Float = 1 << 9,
}

/// A gate word.
#[derive(Debug, Default)]
#[repr(transparent)]
pub struct Gate(Word);

impl Gate {
    /// In what two gates may be unlike, besides their states, for a hand-over to be direct.
    pub(crate) const EASY: u64 = CLASS | Mark::Boosted as u64 | Mark::Timed as u64;

    /// In what a running thread's gate and that of a thread in `state` are unlike, besides their states.
    #[inline(always)]
    pub(crate) fn unlike(&self, other: &Gate, state: State) -> u64 {
        self.0.get() ^ other.0.get() ^ State::Running as u64 ^ state as u64
    }

    /// What a server must look at before it waits again: a boost that ends, a signal.
    #[inline(always)]
    pub(crate) fn obstacles(&self) -> u64 {
        self.0.get() & (Mark::Boosted as u64 | Mark::Signalled as u64)
    }

    /// The running thread, whose shard the caller holds, waits from now on.
    #[inline(always)]
    pub(crate) fn begin_wait(&self, state: State) {
        self.0.set(self.0.get() ^ State::Running as u64 ^ state as u64);
    }

    /// [`Gate::begin_wait`] that a deadline ends.
    #[inline(always)]
    pub(crate) fn begin_timed_wait(&self, state: State) {
        self.0.set((self.0.get() ^ State::Running as u64 ^ state as u64) | Mark::Timed as u64);
    }

    /// A thread that waits in `state`, whose shard the caller holds, runs from now on.
    #[inline(always)]
    pub(crate) fn end_wait(&self, state: State) {
        self.0.set((self.0.get() ^ State::Running as u64 ^ state as u64) & !(Mark::Timed as u64));
    }

    /// A new thread's gate.
    pub(crate) fn start(&self, class: QosClass, cpu: u32, shard: usize) {
        let word = (class as u64) << CLASS_SHIFT | u64::from(cpu) << CPU_SHIFT | (shard as u64) << SHARD_SHIFT;
        self.0.set(State::New as u64 | word);
    }

    #[inline(always)]
    fn change(&self, field: u64, value: u64) {
        self.0.atomic().fetch_xor((self.0.get() ^ value) & field, Relaxed);
    }

    /// What the thread does.
    #[inline(always)]
    pub(crate) fn state(&self) -> State {
        State::of(self.0.get() & STATE)
    }

    /// Changes what the thread does; a deadline goes when the wait ends.
    #[inline(always)]
    pub(crate) fn set_state(&self, state: State) {
        self.change(if state.blocked() { STATE } else { STATE | Mark::Timed as u64 }, state as u64);
    }

    /// The class it runs in.
    #[inline(always)]
    pub(crate) fn class(&self) -> QosClass {
        QosClass::ALL[(self.0.get() >> CLASS_SHIFT) as usize & 3]
    }

    /// Changes the class it runs in: its own, or one that is donated.
    pub(crate) fn set_class(&self, class: QosClass, own: QosClass) {
        let boosted = if class == own { 0 } else { Mark::Boosted as u64 };
        self.change(CLASS | Mark::Boosted as u64, (class as u64) << CLASS_SHIFT | boosted);
    }

    /// The CPU it uses.
    #[inline(always)]
    pub(crate) fn cpu(&self) -> u32 {
        (self.0.get() >> CPU_SHIFT) as u32 & 0xff
    }

    /// Changes the CPU it uses.
    pub(crate) fn set_cpu(&self, cpu: u32) {
        self.change(CPU, u64::from(cpu) << CPU_SHIFT);
    }

    /// True if it is marked so.
    #[inline(always)]
    pub(crate) fn has(&self, mark: Mark) -> bool {
        self.0.get() & mark as u64 != 0
    }

    /// True while its CPU holds its float registers; once they are seen in memory (acquire), another may load them.
    pub(crate) fn has_float(&self) -> bool {
        self.0.atomic().load(Acquire) & Mark::Float as u64 != 0
    }

    /// Marks it.
    #[inline(always)]
    pub fn mark(&self, mark: Mark) {
        self.0.atomic().fetch_or(mark as u64, Relaxed);
    }

    /// Takes a mark off.
    #[inline(always)]
    pub fn unmark(&self, mark: Mark) {
        self.0.atomic().fetch_and(!(mark as u64), Release);
    }
}
