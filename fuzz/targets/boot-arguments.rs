//! `cargo fuzz run boot-arguments tests/corpus/boot-arguments`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("boot-arguments", bytes));
