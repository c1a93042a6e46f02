//! `cargo xtask dep-gate`: what the crates we lean on bring with them.
//!
//! What runs on the target holds no forbidden crate, nothing that needs `std` and no two majors of one crate; whatever
//! is compiled at all has an allowed licence. Cargo itself says which crates with which features are built.

mod graph;
mod judge;
mod licence;

#[cfg(test)]
mod fixture_tests;

use crate::packages::{self, PROGRAM_TARGET, Side};
use graph::Graph;
use std::fs;
use std::process::ExitCode;

/// Judges the workspace and prints what it finds.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask dep-gate");
        return ExitCode::from(2);
    }
    match load() {
        Ok(graph) => {
            let findings = judge::findings(&graph);
            for finding in &findings {
                println!("{finding}");
            }
            let (all, on_target) = graph.counts();
            println!("dep-gate: {all} crates, {on_target} on the target, {} findings", findings.len());
            if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn load() -> Result<Graph, String> {
    let root = crate::root();
    let metadata = packages::metadata(&root)?;
    let names = packages::members(&metadata, &[Side::Kernel, Side::Shared, Side::Program]);
    let mut command = packages::cargo();
    command.current_dir(&root).args(["tree", "--target", PROGRAM_TARGET, "--edges", "normal,no-proc-macro"]);
    command.args(["--prefix", "none", "--format", "{p}|{f}"]);
    for name in &names {
        command.args(["--package", name]);
    }
    let built = packages::output(&mut command)?;
    Graph::new(&metadata, &built, |path| fs::read_to_string(path).map_err(|error| format!("{path}: {error}")))
}
