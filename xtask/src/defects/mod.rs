//! `cargo xtask test --defects`: every patch of `tests/defects` breaks one thing, and the test that it names must catch it.
//!
//! A suite that no defect can turn red proves nothing. Patches are applied to a copy of the tree, one at a time, so that
//! the tree itself is never touched; each named test must pass there first, and with the patch fail by its own assertion.

mod bench;
mod outcome;
mod patch;
mod scratch;
mod table;

#[cfg(test)]
mod defects_tests;

use bench::Bench;
use outcome::Verdict;
use patch::Patch;
use std::process::ExitCode;
use std::time::Instant;
use table::Row;

const USAGE: &str = "usage: cargo xtask test --defects [DEFECT…]";

/// Tries every patch, or the named ones.
pub fn run(args: &[String]) -> ExitCode {
    match try_all(args) {
        Ok(rows) => {
            print!("\n{}", table::print(&rows));
            if table::is_success(&rows) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(text) => {
            eprintln!("error: {text}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn try_all(names: &[String]) -> Result<Vec<Row>, String> {
    let root = crate::root();
    let patches = select(patch::load(&root.join("tests/defects"))?, names)?;
    let bench = Bench::new(&root).map_err(|error| format!("no copy of the tree: {error}"))?;
    println!("{} tests without any defect …", patches.len());
    let clean: Vec<Verdict> = patches.iter().map(|patch| bench.without_defect(patch)).collect();
    let mut rows = Vec::new();
    for (patch, clean) in patches.iter().zip(clean) {
        let start = Instant::now();
        let verdict = if clean == Verdict::Clean { bench.with_defect(patch) } else { clean };
        let row = Row::of(patch, verdict, start.elapsed());
        println!("{}", row.line());
        rows.push(row);
    }
    Ok(rows)
}

fn select(patches: Vec<Patch>, names: &[String]) -> Result<Vec<Patch>, String> {
    if let Some(unknown) = names.iter().find(|name| patches.iter().all(|patch| patch.name != **name)) {
        return Err(format!("there is no defect `{unknown}`"));
    }
    Ok(patches.into_iter().filter(|patch| names.is_empty() || names.contains(&patch.name)).collect())
}
