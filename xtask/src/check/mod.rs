//! The gates over the source tree: `cargo xtask check`.
//!
//! Each rule is a pure function from a tree to findings and has a violating and a clean fixture of its own under
//! `tests/gates`. There is no list of exceptions.

mod arrows;
mod comments;
mod documents;
pub(crate) mod kernel;
mod links;
mod loops;
mod names;
mod places;
mod size;
mod suppressions;
mod test_code;
pub(crate) mod tree;
mod unwraps;

#[cfg(test)]
mod fixture_tests;

pub use tree::{Finding, RustFile, Tree};

use std::process::ExitCode;

/// One gate.
pub struct Rule {
    /// Its name, and that of its fixtures.
    pub name: &'static str,
    /// What it demands.
    pub about: &'static str,
    /// Finds every place that breaks it.
    pub check: fn(&Tree) -> Vec<Finding>,
}

/// Every gate.
#[rustfmt::skip]
pub const RULES: &[Rule] = &[
    Rule { name: "file-length", about: "a file has at most 400 lines without tests", check: size::files },
    Rule { name: "function-length", about: "a function has at most 60 lines", check: size::functions },
    Rule { name: "parameters", about: "a function takes at most 5 parameters", check: size::parameters },
    Rule { name: "bool-parameter", about: "no function takes a bare bool", check: size::booleans },
    Rule { name: "service-main", about: "the main.rs of a service has at most 40 lines", check: size::service_mains },
    Rule { name: "unsafe-place", about: "unsafe stands only in its places", check: places::unsafe_code },
    Rule { name: "target-choice", about: "cfg chooses files, in the listed files", check: places::target_choice },
    Rule { name: "marker-literal", about: "proof lines stand only in the proof program", check: places::marker_literals },
    Rule { name: "crate-arrows", about: "crates depend downwards only", check: arrows::arrows },
    Rule { name: "names", about: "names say what a thing is", check: names::banned },
    Rule { name: "tagline", about: "a file opens with what it is", check: comments::tagline },
    Rule { name: "history", about: "comments hold no tickets and no history", check: comments::history },
    Rule { name: "unwrap", about: "no unwrap outside tests; expect names the invariant", check: unwraps::unwraps },
    Rule { name: "ipc-loop", about: "only nexus-ipc loops around an IPC call", check: loops::ipc_loops },
    Rule { name: "suppression", about: "a lint is switched off with a reason", check: suppressions::suppressions },
    Rule { name: "link", about: "a link between documents leads somewhere", check: links::links },
    Rule { name: "rfc-page", about: "a contract is short and has a status", check: documents::contracts },
    Rule { name: "task-page", about: "a task page has front matter with a status", check: documents::task_pages },
    Rule { name: "index", about: "index and page agree on the status", check: documents::indexes },
];

/// Runs every gate over the tree, or over the folder that is named, and prints what it finds.
pub fn run(args: &[String]) -> ExitCode {
    let folder = match args {
        [] => crate::root(),
        [folder] => folder.into(),
        _ => {
            eprintln!("usage: cargo xtask check [FOLDER]");
            return ExitCode::from(2);
        }
    };
    let tree = match Tree::load(&folder) {
        Ok(tree) => tree,
        Err(error) => {
            eprintln!("error: the source tree cannot be read: {error}");
            return ExitCode::FAILURE;
        }
    };
    let lines = report(&tree);
    for line in &lines {
        println!("{line}");
    }
    println!("{}", kernel::summary(&kernel::sizes(&tree)));
    let files = tree.rust.len() + tree.texts.len();
    println!("check: {} rules, {files} files, {} findings", RULES.len(), lines.len());
    if lines.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Every finding of every rule as `path:line: rule: text`.
pub fn report(tree: &Tree) -> Vec<String> {
    let print = |rule: &str, finding: &Finding| format!("{}:{}: {rule}: {}", finding.path, finding.line, finding.text);
    let mut lines: Vec<String> = tree.broken.iter().map(|finding| print("syntax", finding)).collect();
    for rule in RULES {
        let mut findings = (rule.check)(tree);
        findings.sort();
        lines.extend(findings.iter().map(|finding| print(rule.name, finding)));
    }
    lines
}
