//! Comments: found between the tokens, judged for taglines, ticket numbers and history.
//!
//! A syntax tree drops comments, and a search in the text would read strings as comments; the gaps between tokens hold
//! exactly the comments.

use super::tree::{Finding, RustFile, Tree};
use proc_macro2::{TokenStream, TokenTree};
use std::ops::Range;

/// One line of a comment.
pub struct Comment {
    /// Line, from 1.
    pub line: usize,
    /// The line's comment text, with its slashes.
    pub text: String,
}

/// The comments of a file, in order.
pub(super) fn of(text: &str, tokens: &TokenStream) -> Vec<Comment> {
    let mut spans = Vec::new();
    leaf_spans(tokens.clone(), &mut spans);
    let mut code = vec![false; text.len()];
    for range in spans {
        let is_doc = text[range.clone()].starts_with("//") || text[range.clone()].starts_with("/*");
        if !is_doc {
            code[range].fill(true);
        }
    }
    split(text, &code)
}

/// Every Rust file opens with a one-line tagline.
pub(super) fn tagline(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let mut lines = file.text.lines();
        let opening = lines.next().unwrap_or_default();
        let tagline = opening.strip_prefix("//! ").unwrap_or_default();
        if tagline.trim().len() < 10 {
            findings.push(Finding::at(&file.path, 1, "the file does not open with a `//!` line that says what it is"));
        } else if lines.next().is_some_and(|next| next.starts_with("//! ")) {
            let text = "the tagline is longer than one line; end the sentence, then a blank `//!`, then the why";
            findings.push(Finding::at(&file.path, 2, text));
        }
    }
    findings
}

/// Words that tell of tickets or of the past; each with what makes it one.
const HISTORY: [(&str, &str); 14] = [
    ("TASK-", "a ticket number"),
    ("RFC-0", "a ticket number"),
    ("_v1", "a versioned leftover"),
    ("_v2", "a versioned leftover"),
    ("TODO", "a note to oneself"),
    ("FIXME", "a note to oneself"),
    ("XXX", "a note to oneself"),
    ("issue #", "a ticket number"),
    ("formerly", "history"),
    ("refactored", "history"),
    ("renamed from", "history"),
    ("moved from", "history"),
    ("old implementation", "history"),
    ("in the original code", "history"),
];

/// Comments say what holds now: no ticket numbers, no history.
pub(super) fn history(tree: &Tree) -> Vec<Finding> {
    // The tool's own table of the words is in strings, not in comments.
    tree.rust.iter().flat_map(history_in).collect()
}

fn history_in(file: &RustFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    for comment in &file.comments {
        if let Some((word, what)) = HISTORY.iter().find(|(word, _)| comment.text.contains(word)) {
            let text = format!("`{word}` in a comment is {what}; say what holds now");
            findings.push(Finding::at(&file.path, comment.line, text));
        }
    }
    findings
}

/// Byte ranges of all leaf tokens.
fn leaf_spans(tokens: TokenStream, spans: &mut Vec<Range<usize>>) {
    for token in tokens {
        if let TokenTree::Group(group) = token {
            leaf_spans(group.stream(), spans);
        } else {
            spans.push(token.span().byte_range());
        }
    }
}

/// Splits what is no code into lines that hold a comment.
fn split(text: &str, code: &[bool]) -> Vec<Comment> {
    let mut comments = Vec::new();
    let mut offset = 0;
    let mut in_block = false;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let gap: String =
            line.char_indices().map(|(at, character)| if code[offset + at] { '\0' } else { character }).collect();
        let start = if in_block { Some(0) } else { gap.find("//").into_iter().chain(gap.find("/*")).min() };
        if let Some(start) = start {
            let comment = gap[start..].replace('\0', "").trim().to_string();
            in_block = (in_block || comment.starts_with("/*")) && !comment.contains("*/");
            comments.push(Comment { line: index + 1, text: comment });
        }
        offset += line.len();
    }
    comments
}
