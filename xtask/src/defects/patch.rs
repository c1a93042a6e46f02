//! A defect as its file says it: what is broken, and the one test that must notice.
//!
//! The head stands before the difference, where `git apply` skips it: `Defect: …`, then `Caught by: cargo test -p PACKAGE
//! (--lib | --test NAME) TEST` or `Caught by: cargo xtask proof --hostile ATTACK`, and `Hangs.` on a line of its own if the
//! test is expected never to end.

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
    /// Who must notice.
    pub(super) catcher: Catcher,
    /// How the test must end.
    pub(super) expected: Expected,
    /// The first file that is changed.
    pub(super) touches: String,
}

impl Patch {
    /// What is built for it, so that defects of one program are tried one after the other.
    pub(super) fn group(&self) -> &[String] {
        match &self.catcher {
            Catcher::Test(target, _) => target,
            Catcher::Attack(_) | Catcher::Fuzzer(_) => &[],
        }
    }
}

/// What must notice a defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Catcher {
    /// A test on the host: what chooses its program (package and target), and its whole name.
    Test(Vec<String>, String),
    /// An attack of `tests/hostile/rows` on the machine.
    Attack(String),
    /// Random system calls on the machine, with these options.
    Fuzzer(String),
}

impl Catcher {
    /// The name of the test or attack.
    pub(super) fn name(&self) -> &str {
        match self {
            Catcher::Test(_, name) | Catcher::Attack(name) => name,
            Catcher::Fuzzer(_) => "the fuzzer",
        }
    }
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
    let expected = if head.contains(&"Hangs.") { Expected::Hang } else { Expected::Assertion };
    let mut catchers = head.iter().filter_map(|line| line.strip_prefix("Caught by: cargo "));
    let (Some(catcher), None) = (catchers.next(), catchers.next()) else {
        return Err("not one line `Caught by: cargo …`".to_string());
    };
    let catcher = match catcher.trim().split_once(' ') {
        Some(("test", command)) => test(command)?,
        Some(("xtask", command)) if expected == Expected::Assertion => on_the_machine(command)?,
        Some(("xtask", command)) => return Err(format!("it ends: `{command}` cannot be expected to hang")),
        _ => return Err("`Caught by:` must be a `cargo test` or a `cargo xtask`".to_string()),
    };
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let touches = text.lines().find_map(|line| line.strip_prefix("+++ b/")).unwrap_or_default().to_string();
    Ok(Patch { name, path: path.to_path_buf(), catcher, expected, touches })
}

fn on_the_machine(command: &str) -> Result<Catcher, String> {
    match (command.strip_prefix("proof --hostile "), command.strip_prefix("fuzz")) {
        (Some(attack), _) => Ok(Catcher::Attack(attack.to_string())),
        (None, Some(options)) => Ok(Catcher::Fuzzer(options.trim().to_string())),
        (None, None) => Err("`Caught by: cargo xtask` must be `proof --hostile …` or `fuzz …`".to_string()),
    }
}

fn test(command: &str) -> Result<Catcher, String> {
    let words: Vec<String> = command.split_whitespace().map(ToString::to_string).collect();
    let (test, target) = words.split_last().ok_or("`Caught by:` names no test")?;
    match target.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["-p", _, "--lib"] | ["-p", _, "--test", _] => Ok(Catcher::Test(target.to_vec(), test.clone())),
        _ => Err("`Caught by:` must be `cargo test -p PACKAGE (--lib | --test NAME) TEST`".to_string()),
    }
}
