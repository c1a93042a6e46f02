//! `cargo fuzz run shell-line tests/corpus/shell-line`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("shell-line", bytes));
