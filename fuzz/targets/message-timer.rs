//! `cargo fuzz run message-timer tests/corpus/message-timer`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-timer", bytes));
