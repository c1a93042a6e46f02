//! The kernel binary: boot order and trap-to-kernel glue.

fn main() {}
