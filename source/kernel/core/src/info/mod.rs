//! What the kernel tells of itself to those who hold an info capability.

pub mod calls;
pub mod invariant;

#[cfg(test)]
mod info_tests;
