//! `cargo fuzz run message-policy tests/corpus/message-policy`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-policy", bytes));
