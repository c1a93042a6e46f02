//! `cargo fuzz run system-calls tests/corpus/system-calls`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("system-calls", bytes));
