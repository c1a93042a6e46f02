//! `cargo fuzz run message-exec tests/corpus/message-exec`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-exec", bytes));
