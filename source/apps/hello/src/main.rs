//! The smallest sample program.

fn main() {}
