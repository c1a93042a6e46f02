//! `cargo xtask coverage`: which lines of the kernel core, `nexus-ipc` and the loader the host tests run.
//!
//! The tests are built with the compiler's own counters and run once; the toolchain's `llvm-cov` reads them. Lines that
//! exist only under test do not count. Every line of the core that is not run belongs to a function for
//! which `tests/coverage.toml` gives a reason; a reason that nothing needs any more is an error too.

mod lines;
mod measure;
mod reasons;

use crate::root;
use lines::Tally;
use std::process::ExitCode;

/// A crate whose coverage is measured.
struct Subject {
    package: &'static str,
    folder: &'static str,
    /// Its least share of lines in percent; then each gap needs a reason too. None: it is only printed.
    least: Option<u64>,
}

const SUBJECTS: [Subject; 3] = [
    Subject { package: "nexus-core", folder: "source/kernel/core/src", least: Some(95) },
    Subject { package: "nexus-ipc", folder: "userspace/nexus-ipc/src", least: None },
    Subject { package: "loader", folder: "userspace/loader/src", least: Some(95) },
];

/// Where the tools are, or what to do to have them.
pub(crate) fn tools() -> Result<String, String> {
    measure::tools().map(|folder| folder.display().to_string())
}

/// Exit 0: measured, enough, and every gap has its reason. 1: not so. A missing tool is said and is no failure.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask coverage");
        return ExitCode::from(2);
    }
    if let Err(reason) = measure::tools() {
        println!("coverage: not run: {reason}");
        return ExitCode::SUCCESS;
    }
    match judge() {
        Ok(complaints) if complaints.is_empty() => ExitCode::SUCCESS,
        Ok(complaints) => {
            complaints.iter().for_each(|line| println!("coverage: {line}"));
            println!("coverage: {} complaints", complaints.len());
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("coverage: {error}");
            ExitCode::FAILURE
        }
    }
}

fn judge() -> Result<Vec<String>, String> {
    let packages: Vec<&str> = SUBJECTS.iter().map(|subject| subject.package).collect();
    let counts = measure::lines(&packages)?;
    let reasons = reasons::read(&root().join("tests/coverage.toml"))?;
    let (mut complaints, mut gaps) = (Vec::new(), Vec::new());
    println!("{:<12} {:>6} {:>6} {:>8}", "crate", "lines", "run", "share");
    for subject in &SUBJECTS {
        let files = lines::of_folder(&root(), subject.folder)?;
        let (mut tally, mut missed) = (Tally::default(), Vec::new());
        for file in &files {
            tally.add(file, &counts, &mut missed);
        }
        let share = tally.share();
        println!("{:<12} {:>6} {:>6} {:>6}.{} %", subject.package, tally.lines, tally.run, share / 10, share % 10);
        let Some(least) = subject.least else { continue };
        if share < least * 10 {
            complaints.push(format!("{} has less than {least} % of its lines run", subject.package));
        }
        gaps.extend(missed);
    }
    complaints.extend(reasons::compare(&reasons, &gaps));
    Ok(complaints)
}
