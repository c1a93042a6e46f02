//! The wall clock, which does not go back.
//!
//! A clock chip can be set, and a reading can be wrong. Who compares two answers of this service must never see the
//! later one be less, so the greatest time seen so far is the least that is answered.

/// The wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct WallClock {
    last_seen_ns: u64,
}

impl WallClock {
    /// The time to answer when the chip says `chip_ns`.
    pub(crate) fn read(&mut self, chip_ns: u64) -> u64 {
        self.last_seen_ns = self.last_seen_ns.max(chip_ns);
        self.last_seen_ns
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_chip_and_never_goes_back() {
        let mut clock = WallClock::default();
        let answers = [5, 9, 3, 8, 10, 0, u64::MAX, 11].map(|chip| clock.read(chip));
        assert_eq!(answers, [5, 9, 9, 9, 10, 10, u64::MAX, u64::MAX]);
    }
}
