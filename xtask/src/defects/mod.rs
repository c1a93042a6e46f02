//! `cargo xtask test --defects`: every patch of `tests/defects` breaks one thing, and the test that it names must catch it.
//!
//! A suite that no defect can turn red proves nothing. Patches are applied to copies of the tree, one at a time in each,
//! so that the tree itself is never touched; each named test must pass there first, and with the patch fail by its own
//! assertion. What was caught is kept, so that a run that was stopped goes on.

mod bench;
mod kept;
mod order;
mod outcome;
mod patch;
pub(crate) mod scratch;
mod table;

#[cfg(test)]
mod defects_tests;

use kept::{Kept, Packages};
use outcome::Verdict;
use patch::Patch;
use scratch::Snapshot;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::{fs, io};
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
    let folder = root.join("target/defects");
    let patches = select(patch::load(&root.join("tests/defects"))?, names)?;
    let failed = |error: io::Error| error.to_string();
    let tree = Snapshot::of(&root).map_err(failed)?;
    let packages = Packages::of(&crate::packages::metadata(&root)?);
    let mut kept = Kept::load(&folder.join("caught")).map_err(failed)?;
    let (mut rows, mut work) = (Vec::new(), Vec::new());
    for patch in &patches {
        let key = packages.key(patch, &fs::read(&patch.path).map_err(failed)?, &tree);
        match kept.seconds(patch, key) {
            Some(seconds) => rows.push(Row::of(patch, Verdict::Caught, seconds)),
            None => work.push((patch, key)),
        }
    }
    println!("{} defects to try, {} were caught by an earlier run with the same files …", work.len(), rows.len());
    work.sort_by_key(|(patch, _)| (patch.group(), &patch.touches, &patch.name));
    let keys: BTreeMap<&str, u64> = work.iter().map(|(patch, key)| (patch.name.as_str(), *key)).collect();
    let work: Vec<&Patch> = work.into_iter().map(|(patch, _)| patch).collect();
    let tried = |patch: &Patch, row: &Row| {
        println!("{}", row.line());
        let caught = row.verdict == Verdict::Caught;
        if caught { kept.keep(patch, keys[patch.name.as_str()], row.seconds) } else { Ok(()) }
    };
    rows.extend(order::work_off(&work, &tree, &folder, tried).map_err(failed)?);
    rows.sort_by(|one, other| one.defect.cmp(&other.defect));
    Ok(rows)
}

fn select(patches: Vec<Patch>, names: &[String]) -> Result<Vec<Patch>, String> {
    if let Some(unknown) = names.iter().find(|name| patches.iter().all(|patch| patch.name != **name)) {
        return Err(format!("there is no defect `{unknown}`"));
    }
    Ok(patches.into_iter().filter(|patch| names.is_empty() || names.contains(&patch.name)).collect())
}
