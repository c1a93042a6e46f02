//! `cargo fuzz run device-tree tests/corpus/device-tree`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("device-tree", bytes));
