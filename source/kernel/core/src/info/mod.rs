//! What the kernel tells of itself to those who hold an info capability.

pub mod calls;

#[cfg(test)]
mod info_tests;
