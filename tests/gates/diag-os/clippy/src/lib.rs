//! A crate of a fixture.

#![no_std]

/// One.
pub fn one() -> u8 { return 1; }
