//! Time in nanoseconds: the only place that knows ticks and seconds both.

use core::time::Duration;

use nexus_abi::Deadline;

use crate::sys;

const NANOSECONDS: u128 = 1_000_000_000;

/// A point in time, in ticks of the `time` counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// Now.
    pub fn now() -> Instant {
        Instant(sys::time())
    }

    /// The point with this tick count.
    pub const fn from_ticks(ticks: u64) -> Instant {
        Instant(ticks)
    }

    /// Its tick count.
    pub const fn ticks(self) -> u64 {
        self.0
    }

    /// Time since an earlier point; zero if it is later.
    pub fn since(self, earlier: Instant) -> Duration {
        to_duration(self.0.saturating_sub(earlier.0), timebase())
    }

    /// A deadline that much later; beyond the end of the counter it is never.
    pub fn after(self, wait: Duration) -> Deadline {
        Deadline(self.0.saturating_add(ticks_in(wait)))
    }
}

/// A deadline that much from now.
pub fn deadline_in(wait: Duration) -> Deadline {
    Instant::now().after(wait)
}

/// Ticks that a duration takes.
pub(crate) fn ticks_in(wait: Duration) -> u64 {
    to_ticks(wait, timebase())
}

fn timebase() -> u64 {
    sys::start_page().map_or(10_000_000, |page| page.info().timebase.max(1))
}

/// Ticks that a duration takes, rounded up: a deadline is never early.
fn to_ticks(wait: Duration, timebase: u64) -> u64 {
    let ticks = (wait.as_nanos() * u128::from(timebase)).div_ceil(NANOSECONDS);
    u64::try_from(ticks).unwrap_or(u64::MAX)
}

fn to_duration(ticks: u64, timebase: u64) -> Duration {
    let nanoseconds = u128::from(ticks % timebase) * NANOSECONDS / u128::from(timebase);
    Duration::new(ticks / timebase, nanoseconds as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_round_up_and_saturate() {
        assert_eq!(to_ticks(Duration::from_nanos(1), 10_000_000), 1);
        assert_eq!(to_ticks(Duration::from_nanos(100), 10_000_000), 1);
        assert_eq!(to_ticks(Duration::from_nanos(101), 10_000_000), 2);
        assert_eq!(to_ticks(Duration::MAX, 10_000_000), u64::MAX);
    }

    #[test]
    fn durations_are_exact_at_both_ends() {
        assert_eq!(to_duration(10_000_001, 10_000_000), Duration::new(1, 100));
        assert_eq!(to_duration(u64::MAX, 1), Duration::new(u64::MAX, 0));
    }
}
