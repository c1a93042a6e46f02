//! Loads and starts programs for those who may.

fn main() {}
