//! `cargo fuzz run boot-image tests/corpus/boot-image`: the harness of the parser, fed by coverage.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| parsers::read("boot-image", bytes));
