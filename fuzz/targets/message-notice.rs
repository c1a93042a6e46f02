//! `cargo fuzz run message-notice tests/corpus/message-notice`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-notice", bytes));
