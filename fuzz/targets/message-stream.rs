//! `cargo fuzz run message-stream tests/corpus/message-stream`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-stream", bytes));
