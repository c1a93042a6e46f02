//! `cargo xtask test`: every suite in order, its seconds against its budget, one table, one verdict.
//!
//! A suite is a row of data; its output is in `target/suites`. What cannot run says why, and counts as failed unless its row calls the tool optional.

mod budget;
mod report;
mod row;
pub(crate) mod runner;
mod table;

#[cfg(test)]
mod suites_tests;

use budget::Budgets;
use report::Report;
use row::{Suite, Tier};
use std::process::ExitCode;
use table::SUITES;

const USAGE: &str = "usage: cargo xtask test [--daily | --full] [SUITE…] | --defects [DEFECT…]";

/// Runs the suites of a tier, or the named ones; or the seeded defects, whose table is their own.
pub fn run(args: &[String]) -> ExitCode {
    if let Some((first, rest)) = args.split_first()
        && first == "--defects"
    {
        return crate::defects::run(rest);
    }
    let selection = match select(args) {
        Ok(selection) => selection,
        Err(text) => {
            eprintln!("error: {text}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match Budgets::load(&crate::root().join("tests/budget.toml"), SUITES) {
        Ok(budgets) => run_all(&selection, &budgets),
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

fn run_all(selection: &[&Suite], budgets: &Budgets) -> ExitCode {
    let mut report = Report::default();
    let logs = crate::root().join("target/suites");
    for suite in selection {
        println!("{:<12} {} …", suite.name, suite.about);
        let outcome = runner::run(suite, budgets.of(suite), &logs);
        println!("{}", outcome.line(suite));
        if let Some(excerpt) = outcome.excerpt() {
            println!("{excerpt}");
        }
        report.add(suite, outcome);
    }
    print!("\n{report}");
    if report.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The suites that the arguments ask for, in order of the table.
fn select(args: &[String]) -> Result<Vec<&'static Suite>, String> {
    let mut tiers: &[Tier] = &[Tier::Test];
    let mut names = Vec::new();
    for arg in args {
        match arg.as_str() {
            "--daily" => tiers = &[Tier::Test, Tier::Daily],
            "--full" => tiers = &[Tier::Test, Tier::Daily, Tier::Full],
            name if SUITES.iter().any(|suite| suite.name == name) => names.push(name),
            other => return Err(format!("`{other}` is neither a tier nor a suite")),
        }
    }
    let wanted = |suite: &&Suite| match names.is_empty() {
        true => tiers.contains(&suite.tier),
        false => names.contains(&suite.name),
    };
    Ok(SUITES.iter().filter(wanted).collect())
}
