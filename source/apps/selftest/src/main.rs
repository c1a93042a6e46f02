//! The proof program: checks the running system and prints its lines.

fn main() {}
