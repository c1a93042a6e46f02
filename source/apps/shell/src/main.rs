//! The command line of the system.

fn main() {}
