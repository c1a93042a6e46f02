//! `system.toml`: read, judged, resolved.
//!
//! The manifest is the one place that says who runs, with what, and who may talk to whom. It is judged when the image
//! is built, so that a running system never meets a wrong one: every broken rule is a [`Refusal`] with file and line.
//! [`written`] reads what stands there, [`resolve`] turns names into indices and asks [`names`], [`graph`] and
//! [`limits`] for the rules that need the whole.

mod graph;
mod limits;
mod names;
mod reader;
mod refusal;
mod resolve;
mod talk;
mod written;

pub use names::PROGRAM_PREFIX;
pub use refusal::{Refusal, Rule};
pub use resolve::Resolved;

use std::path::Path;

/// Reads and judges the manifest at `path`.
///
/// # Errors
/// The first rule that it breaks; a file that cannot be read is refused as [`Rule::Syntax`] on line 1.
pub fn load(path: &Path) -> Result<Resolved, Refusal> {
    let file = path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned());
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&file, &text),
        Err(error) => Err(Refusal { file, line: 1, rule: Rule::Syntax, text: error.to_string() }),
    }
}

/// Judges the manifest with this text; `file` is what refusals call it.
///
/// # Errors
/// The first rule that it breaks.
pub fn parse(file: &str, text: &str) -> Result<Resolved, Refusal> {
    reader::with_document(text, |top| written::Written::read(top).and_then(|written| resolve::resolve(&written)))
        .map_err(|broken| Refusal { file: file.to_owned(), line: broken.line, rule: broken.rule, text: broken.text })
}
