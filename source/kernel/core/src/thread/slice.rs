//! What is left of a thread's slice, in one word.
//!
//! A span of ticks, for one that was interrupted; or the time at which it ends whoever runs, for one that gave the CPU away
//! by a call of its own: what it woke works on its account.

use super::Thread;

impl Thread {
    /// Set in [`Thread::slice_left`] where the low bits of a time stand, not a span.
    pub const UNTIL: u32 = 1 << 31;

    /// True if its slice, that ran on while what it woke did, is over.
    #[inline(always)]
    pub(crate) fn slice_is_over(&self, now: u64) -> bool {
        let left = self.slice_left.get();
        left & Thread::UNTIL != 0 && Thread::slice_span(left, now) == 0
    }

    /// Ticks of a slice that [`Thread::slice_left`] tells of.
    pub(crate) fn slice_span(left: u32, now: u64) -> u64 {
        if left & Thread::UNTIL == 0 {
            return left.into();
        }
        let span = left.wrapping_sub(now as u32) & !Thread::UNTIL;
        if span > Thread::UNTIL / 2 { 0 } else { span.into() }
    }
}
