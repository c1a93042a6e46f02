//! A file of a fixture.

struct Machine;

impl Machine {
    fn map(&self, from: usize, to: usize, length: usize, rights: u8, kind: u8) {}

    fn map_all(&self, from: usize, to: usize, length: usize, rights: u8, kind: u8, count: usize) {}
}

extern "C" {
    fn six(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64);
}
