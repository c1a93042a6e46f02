//! `cargo fuzz run device-nodes tests/corpus/device-nodes`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("device-nodes", bytes));
