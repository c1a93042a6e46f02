//! The parsers: one harness function each, and what it means that an input was accepted.

mod abi;
mod machine;
mod manifest;
mod messages;
mod programs;
mod text;

use crate::{Parser, Verdict};
use nexus_abi::Error;

/// All of them.
pub const PARSERS: &[Parser] = &[
    abi::BOOT_IMAGE,
    abi::START_PAGE,
    abi::SYSTEM_CALLS,
    abi::WORDS,
    machine::DEVICE_TREE,
    machine::DEVICE_NODES,
    machine::BOOT_ARGUMENTS,
    programs::ELF,
    programs::WIRING,
    manifest::SYSTEM_TOML,
    messages::CONSOLE,
    messages::EXEC,
    messages::LOGS,
    messages::POLICY,
    messages::STREAM,
    messages::SUPERVISOR,
    messages::TIMER,
    messages::NOTICE,
    text::SHELL_LINE,
    text::EXEC_ARGUMENTS,
    text::RECORD,
    text::RING,
];

/// What a parser has that has nothing special.
const PLAIN: Parser = Parser {
    name: "",
    read: |_| Verdict::Accepted,
    errors: &[],
    mend: None,
    tokens: &[],
    borrowed: Vec::new,
    samples: Vec::new,
};

/// The verdict of a refusal.
fn refused(error: Error) -> Verdict {
    Verdict::Refused(error.name())
}

/// The little-endian word at an index, 0 beyond the end.
fn word(bytes: &[u8], at: usize) -> u64 {
    bytes.as_chunks::<8>().0.get(at).map_or(0, |bytes| u64::from_le_bytes(*bytes))
}

/// Sets it, if it is there.
fn set_word(bytes: &mut [u8], at: usize, value: u64) {
    if let Some(place) = bytes.get_mut(8 * at..8 * at + 8) {
        place.copy_from_slice(&value.to_le_bytes());
    }
}
