//! What happened, by class: how often, how much was saved, and how late.

use nexus_proto::timer::{Counted, Lateness};

/// Upper ends of the histogram's steps behind the window, in microseconds.
const STEPS_US: [u64; 4] = [10, 100, 1_000, 10_000];

/// The counters of one class.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Counters {
    /// Registrations that were accepted.
    pub(crate) registered: u64,
    /// Registrations that were refused.
    pub(crate) refused: u64,
    /// Signals given, to dead owners too.
    pub(crate) fired: u64,
    /// Of those, how many came with another timer's wake-up.
    pub(crate) coalesced: u64,
    /// Wake-ups for a timer of this class.
    pub(crate) woken: u64,
    /// Wake-ups that firing each timer at its own deadline would have taken more.
    pub(crate) saved: u64,
    lateness: [u64; STEPS_US.len() + 2],
}

impl Counters {
    /// A timer was signalled this many ticks after its window's end.
    pub(crate) fn fired(&mut self, late: u64, timebase: u64) {
        let late_us = u128::from(late) * 1_000_000 / u128::from(timebase.max(1));
        let steps = STEPS_US.iter().filter(|&&step| late_us >= u128::from(step)).count();
        self.fired += 1;
        self.lateness[if late == 0 { 0 } else { 1 + steps }] += 1;
    }

    /// As an answer.
    pub(crate) fn counted(&self, pending: usize) -> Counted {
        let Counters { registered, refused, fired, coalesced, woken, saved, .. } = *self;
        Counted { pending: pending as u64, registered, refused, fired, coalesced, woken, saved }
    }

    /// As an answer.
    pub(crate) fn lateness(&self) -> Lateness {
        let [inside, us_10, us_100, ms_1, ms_10, later] = self.lateness;
        Lateness { inside, us_10, us_100, ms_1, ms_10, later }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_counts_in_the_step_of_its_lateness() {
        let mut counters = Counters::default();
        for late in [0, 1, 99, 100, 999, 1_000, 10_000, 99_999, 100_000, u64::MAX] {
            counters.fired(late, 10_000_000);
        }
        let Lateness { inside, us_10, us_100, ms_1, ms_10, later } = counters.lateness();
        assert_eq!([inside, us_10, us_100, ms_1, ms_10, later], [1, 2, 2, 1, 2, 2]);
        assert_eq!(counters.fired, 10);
    }
}
