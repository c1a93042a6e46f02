//! `cargo fuzz run message-console tests/corpus/message-console`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-console", bytes));
