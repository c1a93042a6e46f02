//! `cargo fuzz run system-toml tests/corpus/system-toml`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("system-toml", bytes));
