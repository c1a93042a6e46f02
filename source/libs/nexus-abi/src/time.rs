//! Time on the boundary: absolute ticks of the `time` counter.

/// An absolute time in ticks of the `time` counter (the start page says how many make a second).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline(pub u64);

impl Deadline {
    /// Never passes.
    pub const NEVER: Deadline = Deadline(u64::MAX);
    /// Passed already: asks without waiting.
    pub const POLL: Deadline = Deadline(0);

    /// True once `now` has reached it.
    pub const fn passed(self, now: u64) -> bool {
        self.0 != u64::MAX && self.0 <= now
    }
}
