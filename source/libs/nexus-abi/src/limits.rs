//! What a process may use of the CPUs, in the units of people: the manifest, messages, and who starts programs.
//!
//! The kernel takes ticks (see [`LimitsSet`](crate::syscall::LimitsSet)); here are microseconds, so that the same words
//! mean the same on every machine.

use crate::Error;
use crate::field::{Field, Words};

/// CPU time of a process out of each period; both 0: any time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Budget {
    /// Microseconds for all its threads together; for PerfBurst ones, as such.
    pub time_us: u32,
    /// Microseconds until they are replenished.
    pub period_us: u32,
}

impl Budget {
    /// What a budget is of which nothing else is said.
    pub const DEFAULT: Budget = Budget { time_us: 2000, period_us: 10_000 };
    /// Shortest period of a budget.
    pub const SHORTEST_US: u32 = 1000;

    /// Whether it is none, or a part of a period that is long enough.
    #[must_use]
    pub const fn is_sound(self) -> bool {
        let part = self.time_us > 0 && self.time_us < self.period_us && self.period_us >= Self::SHORTEST_US;
        part || self.time_us | self.period_us == 0
    }

    /// Whether it never gives more time than `bound`, nor sooner.
    #[must_use]
    pub const fn is_within(self, bound: Budget) -> bool {
        let part = self.period_us != 0 && self.time_us <= bound.time_us && self.period_us >= bound.period_us;
        part || bound.period_us == 0
    }
}

/// What a process may use of the CPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The weight of its threads inside their class, and the highest that they may take.
    pub shares: u16,
    /// CPUs that they may use, one bit each. Those that the machine does not have are left out; if none is left, all.
    pub cpus: u8,
    /// Their time.
    pub budget: Budget,
}

impl Limits {
    /// Highest weight that a thread may have.
    pub const MAX_SHARES: u16 = 1000;
    /// Of whom nothing is said. The kernel's own: highest weights up to 500 are free then.
    pub const NONE: Limits = Limits { shares: 100, cpus: u8::MAX, budget: Budget { time_us: 0, period_us: 0 } };

    /// Whether the kernel would take them.
    #[must_use]
    pub const fn are_sound(self) -> bool {
        self.shares > 0 && self.shares <= Self::MAX_SHARES && self.cpus != 0 && self.budget.is_sound()
    }

    /// Whether they allow nothing that `bound` does not.
    #[must_use]
    pub const fn are_within(self, bound: Limits) -> bool {
        self.shares <= bound.shares && self.cpus & !bound.cpus == 0 && self.budget.is_within(bound.budget)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::NONE
    }
}

impl Field for Limits {
    const WORDS: usize = 2;
    fn read(words: &impl Words, at: usize) -> Result<Self, Error> {
        let (part, time) = (words.word(at), words.word(at + 1));
        let shares = u16::try_from(part >> 8).map_err(|_| Error::Invalid)?;
        let budget = Budget { time_us: (time >> 32) as u32, period_us: time as u32 };
        Some(Self { shares, cpus: part as u8, budget }).filter(|limits| limits.are_sound()).ok_or(Error::Invalid)
    }
    fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
        put(at, u64::from(self.shares) << 8 | u64::from(self.cpus));
        put(at + 1, u64::from(self.budget.time_us) << 32 | u64::from(self.budget.period_us));
    }
}
