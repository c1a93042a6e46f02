//! `cargo fuzz run start-page tests/corpus/start-page`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("start-page", bytes));
