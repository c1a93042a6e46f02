//! `cargo fuzz run exec-arguments tests/corpus/exec-arguments`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("exec-arguments", bytes));
