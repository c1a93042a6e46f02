//! `cargo xtask diag-os`: check and clippy of everything built for the target; a warning is an error.
//!
//! Clippy runs every check of the compiler and its own, so one pass per target is both.

use crate::packages::{self, KERNEL_TARGET, PROGRAM_TARGET, Side};
use std::path::Path;
use std::process::{Command, ExitCode};

#[cfg(test)]
#[path = "diag_os_tests.rs"]
mod tests;

/// Of the kernel that looks at its own invariants.
const CHECKED: &str = "nexus-kernel/checked";

/// Diagnoses kernel and programs.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask diag-os");
        return ExitCode::from(2);
    }
    match workspace(&crate::root()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn workspace(root: &Path) -> Result<(), String> {
    let metadata = packages::metadata(root)?;
    let kernel = [Side::Kernel, Side::Shared];
    let passes = [
        (KERNEL_TARGET, kernel, ""),
        (KERNEL_TARGET, kernel, CHECKED),
        (PROGRAM_TARGET, [Side::Program, Side::Shared], ""),
    ];
    let mut failed = Vec::new();
    for (target, sides, features) in passes {
        let names = packages::members(&metadata, &sides);
        if names.is_empty() {
            return Err(format!("no package runs on {target}: the tree is not laid out as expected"));
        }
        println!("diag-os: {target}: {} {features}", names.join(" "));
        let status = clippy(root, target, (&names, features))
            .status()
            .map_err(|error| format!("cargo does not start: {error}"))?;
        if !status.success() {
            failed.push(target);
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("diag-os fails on {}", failed.join(" and "))) }
}

/// The command that diagnoses these packages, with these features, for a target.
fn clippy(folder: &Path, target: &str, (names, features): (&[String], &str)) -> Command {
    let mut command = packages::cargo();
    command.current_dir(folder).args(["clippy", "--quiet", "--keep-going", "--lib", "--bins", "--target", target]);
    for name in names {
        command.args(["--package", name]);
    }
    command.args(["--features", features, "--", "-D", "warnings"]);
    command
}
