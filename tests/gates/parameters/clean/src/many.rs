//! A file of a fixture.

fn map(from: usize, to: usize, length: usize, rights: u8, kind: u8) {}

/// Assembly enters here with what the ABI says.
extern "C" fn trap(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64) {}
