//! A defect as its file says it: what is broken, and the one test that must notice.
//!
//! The head stands before the difference, where `git apply` skips it: `Defect: …`, then `Caught by: cargo test -p PACKAGE
//! (--lib | --test NAME) TEST`, and `Hangs.` on a line of its own if the test is expected never to end.

use super::outcome::Expected;
use std::fs;
use std::path::{Path, PathBuf};

/// One file of `tests/defects`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Patch {
    /// The file's name without its ending.
    pub(super) name: String,
    /// The file.
    pub(super) path: PathBuf,
    /// What chooses the test program: package and target.
    pub(super) target: Vec<String>,
    /// The test's whole name.
    pub(super) test: String,
    /// How the test must end.
    pub(super) expected: Expected,
}

/// Every patch of a folder, by name.
pub(super) fn load(folder: &Path) -> Result<Vec<Patch>, String> {
    let failed = |error| format!("{}: {error}", folder.display());
    let mut patches = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|ending| ending == "patch") {
            let text = fs::read_to_string(&path).map_err(failed)?;
            patches.push(parse(&path, &text).map_err(|error| format!("{}: {error}", path.display()))?);
        }
    }
    patches.sort_by(|one, other| one.name.cmp(&other.name));
    if patches.is_empty() { Err(format!("{}: no patch", folder.display())) } else { Ok(patches) }
}

/// Reads the head of one patch.
pub(super) fn parse(path: &Path, text: &str) -> Result<Patch, String> {
    let head: Vec<&str> = text.lines().take_while(|line| !line.starts_with("diff --git ")).collect();
    let of = |key: &str| head.iter().find_map(|line| line.strip_prefix(key)).map(str::trim);
    if of("Defect: ").is_none_or(str::is_empty) {
        return Err("no line `Defect: …`".to_string());
    }
    let command = of("Caught by: cargo test ").ok_or("no line `Caught by: cargo test …`")?;
    let words: Vec<String> = command.split_whitespace().map(ToString::to_string).collect();
    let (test, target) = words.split_last().ok_or("`Caught by:` names no test")?;
    match target.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["-p", _, "--lib"] | ["-p", _, "--test", _] => {}
        _ => return Err("`Caught by:` must be `cargo test -p PACKAGE (--lib | --test NAME) TEST`".to_string()),
    }
    let expected = if head.contains(&"Hangs.") { Expected::Hang } else { Expected::Assertion };
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(Patch { name, path: path.to_path_buf(), target: target.to_vec(), test: test.clone(), expected })
}
