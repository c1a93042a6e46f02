//! `cargo fuzz run ring tests/corpus/ring`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("ring", bytes));
