//! The corpus: files in the tree, one folder a parser.
//!
//! A file's name begins with what must come of it: `accept-`, or the error and a hyphen.

use crate::Parser;
use std::fs;
use std::path::{Path, PathBuf};

/// One input and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The file's name.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Sample {
    /// A sample that must be accepted.
    #[must_use]
    pub fn accepted(name: &str, bytes: Vec<u8>) -> Sample {
        Sample { name: format!("accept-{name}"), bytes }
    }

    /// A sample that must be refused with this error.
    #[must_use]
    pub fn refused(error: &str, name: &str, bytes: Vec<u8>) -> Sample {
        Sample { name: format!("{error}-{name}"), bytes }
    }
}

/// Where a parser's files are.
#[must_use]
pub fn folder(parser: &Parser) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../corpus").join(parser.name)
}

/// A parser's files, by name.
///
/// # Panics
/// Where there is none: a parser without a corpus is not examined.
#[must_use]
pub fn load(parser: &Parser) -> Vec<Sample> {
    let folder = folder(parser);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut samples: Vec<Sample> = entries
        .map(|entry| {
            let entry = entry.expect("the folder can be read");
            let name = entry.file_name().to_string_lossy().into_owned();
            Sample { name, bytes: fs::read(entry.path()).expect("a corpus file can be read") }
        })
        .collect();
    samples.sort_by(|one, other| one.name.cmp(&other.name));
    assert!(!samples.is_empty(), "{}: no corpus", folder.display());
    samples
}
