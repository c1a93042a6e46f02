//! The source tree as the gates see it: texts, syntax trees, comments, and which lines are tests.
//!
//! Everything is read once, so that a gate is a pure function from a tree to findings and a fixture is just another tree.

use super::comments::{self, Comment};
use proc_macro2::TokenStream;
use std::ops::RangeInclusive;
use std::path::Path;
use std::{fs, io};

/// One place that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// Path from the root of the tree, with `/`.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong there and what to do.
    pub text: String,
}

impl Finding {
    /// A finding at a line of a file.
    pub fn at(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_string(), line, text: text.into() }
    }
}

/// A file that is judged as text.
pub struct TextFile {
    /// Path from the root of the tree, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
}

/// A Rust file with its syntax tree.
pub struct RustFile {
    /// Path from the root of the tree, with `/`.
    pub path: String,
    /// Its content.
    pub text: String,
    /// Its syntax tree.
    pub syntax: syn::File,
    /// Its tokens: what macros hide from the syntax tree is still here.
    pub tokens: TokenStream,
    /// Its comments, documentation included.
    pub comments: Vec<Comment>,
    /// Lines of modules and functions that exist only under test.
    pub test_lines: Vec<RangeInclusive<usize>>,
}

impl RustFile {
    /// Parses one file.
    pub fn parse(path: &str, text: &str) -> Result<Self, Finding> {
        let broken =
            |line: usize, error: &dyn std::fmt::Display| Finding::at(path, line, format!("does not parse: {error}"));
        let tokens: TokenStream =
            text.parse().map_err(|error: proc_macro2::LexError| broken(error.span().start().line, &error))?;
        let syntax = syn::parse_file(text).map_err(|error| broken(error.span().start().line, &error))?;
        let test_lines = super::test_code::lines(&syntax);
        let comments = comments::of(text, &tokens);
        Ok(Self { path: path.to_string(), text: text.to_string(), syntax, tokens, comments, test_lines })
    }

    /// Whether the whole file is tests.
    pub fn is_test(&self) -> bool {
        let name = self.path.rsplit('/').next().unwrap_or_default();
        name == "tests.rs"
            || name.ends_with("_tests.rs")
            || self.path.split('/').any(|folder| folder == "tests" || folder == "benches")
    }

    /// Whether this line exists only under test.
    pub fn is_test_line(&self, line: usize) -> bool {
        self.is_test() || self.test_lines.iter().any(|range| range.contains(&line))
    }
}

/// What the gates read.
#[derive(Default)]
pub struct Tree {
    /// Every Rust file that parses.
    pub rust: Vec<RustFile>,
    /// Manifests, documents, scripts and assembly.
    pub texts: Vec<TextFile>,
    /// The path of every file, whatever its kind.
    pub paths: Vec<String>,
    /// Rust files that do not parse.
    pub broken: Vec<Finding>,
}

impl Tree {
    /// Reads a tree from disk; build output, fixtures of gates and hidden folders are left out.
    pub fn load(root: &Path) -> io::Result<Self> {
        let mut tree = Self::default();
        tree.load_folder(root, "")?;
        Ok(tree)
    }

    /// The text file of this path.
    pub fn text(&self, path: &str) -> Option<&TextFile> {
        self.texts.iter().find(|file| file.path == path)
    }

    fn load_folder(&mut self, folder: &Path, prefix: &str) -> io::Result<()> {
        let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = format!("{prefix}{name}");
            if name.starts_with('.') || matches!(path.as_str(), "target" | "build" | "tests/gates" | "fuzz/target") {
                continue;
            }
            let kind = entry.file_type()?;
            if kind.is_dir() {
                self.load_folder(&entry.path(), &format!("{path}/"))?;
            } else if kind.is_file() {
                self.load_file(&entry.path(), &path)?;
            }
        }
        Ok(())
    }

    fn load_file(&mut self, file: &Path, path: &str) -> io::Result<()> {
        self.paths.push(path.to_string());
        let extension = path.rsplit('.').next().unwrap_or_default();
        match extension {
            "rs" => match RustFile::parse(path, &fs::read_to_string(file)?) {
                Ok(parsed) => self.rust.push(parsed),
                Err(finding) => self.broken.push(finding),
            },
            "toml" | "md" | "S" | "ld" | "sh" | "py" => {
                self.texts.push(TextFile { path: path.to_string(), text: fs::read_to_string(file)? });
            }
            _ => {}
        }
        Ok(())
    }
}
