//! `cargo fuzz run message-supervisor tests/corpus/message-supervisor`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("message-supervisor", bytes));
