//! Every parser of the system under damaged input: whoever reads bytes that somebody else wrote.
//!
//! A [`Parser`] is one harness function over bytes; the test of every run, the daily mutations and the targets of
//! `cargo fuzz` all call it. What is accepted must be sound (each harness says how), what is refused must be refused with
//! an error that the parser declares, and each of these must come up. Nothing may panic.

mod corpus;
mod damage;
mod engine;
mod mutate;
mod report;
mod subjects;

pub use corpus::{Sample, folder, load};
pub use engine::{Effort, examine};
pub use report::Report;
pub use subjects::PARSERS;

/// What a parser made of an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// It means something, and that was found to be sound.
    Accepted,
    /// It does not, and this is the error's name.
    Refused(&'static str),
}

/// One parser and how it is examined.
#[derive(Clone, Copy)]
pub struct Parser {
    /// Its name, which is that of its folder in `tests/corpus`.
    pub name: &'static str,
    /// Reads an input, checks what was accepted, and says what came of it.
    pub read: fn(&[u8]) -> Verdict,
    /// Every error that it can refuse with.
    pub errors: &'static [&'static str],
    /// Mends what would hide everything behind it: a checksum, a length.
    pub mend: Option<fn(&mut Vec<u8>)>,
    /// Words of its language.
    pub tokens: &'static [&'static str],
    /// Inputs that stand elsewhere in the tree: read as they are, and mutated.
    pub borrowed: fn() -> Vec<Sample>,
    /// Inputs to begin with, for who writes the corpus anew.
    pub samples: fn() -> Vec<Sample>,
}

/// The parser with this name.
#[must_use]
pub fn parser(name: &str) -> Option<&'static Parser> {
    PARSERS.iter().find(|parser| parser.name == name)
}

/// Reads one input: for targets of `cargo fuzz`.
pub fn read(name: &str, bytes: &[u8]) {
    let parser = parser(name).expect("a target is named as its parser");
    if let Verdict::Refused(error) = (parser.read)(bytes) {
        assert!(parser.errors.contains(&error), "{name} does not declare {error}");
    }
}
