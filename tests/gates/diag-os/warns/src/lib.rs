//! A crate of a fixture.

#![no_std]

/// Adds nothing.
pub fn add(unused: u8) {}
