//! `cargo fuzz run message-logs tests/corpus/message-logs`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-logs", bytes));
