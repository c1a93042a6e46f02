//! Starts what the manifest says and restarts what dies.

fn main() {}
