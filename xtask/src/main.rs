//! Builds, runs, tests and checks the system from the host.

fn main() {}
