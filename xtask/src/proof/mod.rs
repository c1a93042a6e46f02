//! The proof of a boot: what it must print, whether it did, and that each line can fail.
//!
//! `ladder`, `settings` and `plan` say what is expected, `judge` decides from lines alone, the rest runs machines.

pub mod judge;
pub mod ladder;
pub mod plan;
pub mod settings;
pub mod table;
pub mod verdict;
