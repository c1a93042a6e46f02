//! One row of the table.

use nexus_rt::println;

/// Samples of a row that count; as many before them warm up.
pub(crate) const SAMPLES: usize = 64;

/// The costs seen so far.
pub(crate) struct Row {
    name: &'static str,
    warm_up: usize,
    seen: usize,
    least: u64,
    most: u64,
}

impl Row {
    /// An empty row that warms up for as many samples as count.
    pub(crate) fn new(name: &'static str) -> Row {
        Row::warmed_by(name, SAMPLES)
    }

    /// A row that was counted elsewhere.
    pub(crate) fn between(name: &'static str, (least, most): (u64, u64)) -> Row {
        Row { name, warm_up: 0, seen: 0, least, most }
    }

    /// Smallest and largest sample.
    pub(crate) fn ends(&self) -> (u64, u64) {
        (self.least, self.most)
    }

    /// An empty row whose first samples only warm up.
    pub(crate) fn warmed_by(name: &'static str, warm_up: usize) -> Row {
        Row { name, warm_up, seen: 0, least: u64::MAX, most: 0 }
    }

    /// Takes a sample.
    pub(crate) fn add(&mut self, cost: u64) {
        self.seen += 1;
        if self.seen > self.warm_up {
            self.least = self.least.min(cost);
            self.most = self.most.max(cost);
        }
    }

    /// Prints it, in the form that `cargo xtask bench` reads.
    pub(crate) fn print(&self) {
        println!("bench: {} | {} | {}", self.name, self.least, self.most);
    }
}
