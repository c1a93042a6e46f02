//! The counterfactuals: for each line that claims something, a machine in which it must not come.
//!
//! A row changes the environment or the mechanism below the checked code and names the text with which the checker
//! itself then fails. A line without such a row is worth nothing, so the table's gaps are an error.

use super::beside::Beside;
use super::emulator::Machine;
use super::ladder::{CPU, Ladder, SERVICE};
use super::plan::{Demand, Plan, has_kernel_row};
use super::session::Session;
use super::settings::{Harts, Settings};
use super::table::{Row, TableError, rows};
use super::variant::Difference;
use super::verdict::{Ending, Stamped};
use std::path::Path;
use std::time::Duration;

/// The judge's own failure text, for lines that have no other checker.
pub const MISSING: &str = "missing";

/// What is different in a counterfactual's world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Boot arguments that break something below the checked code.
    Append(String),
    /// The machine has fewer harts than the proof expects.
    Smp(u32),
    /// The boot image is another in one thing.
    Image(Difference),
    /// A line of the manifest reads otherwise.
    Manifest(String, String),
    /// This is typed at the first prompt, and then the proof program is started.
    Typed(String),
}

/// One row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counterfactual {
    /// The line that must not come.
    pub line: String,
    /// What is different already where the line is printed.
    pub world: Option<Difference>,
    /// What is changed.
    pub change: Change,
    /// What the checker says instead.
    pub failure: String,
}

/// Reads the table; rows with placeholders are filled from `plan`.
pub fn parse(text: &str, ladder: &Ladder, beside: &[Beside], plan: &Plan) -> Result<Vec<Counterfactual>, TableError> {
    let mut table = Vec::new();
    for row in rows("counterfactuals", text, 3)? {
        let pattern = row.columns[0];
        let aside = beside.iter().find(|line| line.line == pattern);
        if aside.is_none() && !ladder.rungs.iter().any(|rung| rung.line == pattern) {
            return Err(row.error(format!("`{pattern}` is no line of the ladder or beside it")));
        }
        let world = aside.and_then(|line| line.world.clone());
        for value in fillings(pattern, ladder, plan) {
            let fill = |text: &str| text.replace(SERVICE, &value).replace(CPU, &value);
            let change = parse_change(&row, &fill(row.columns[1]))?;
            table.push(Counterfactual {
                line: fill(pattern),
                world: world.clone(),
                change,
                failure: fill(row.columns[2]),
            });
        }
    }
    Ok(table)
}

/// What a pattern's placeholder stands for in `plan`; one empty filling for a line without any.
fn fillings(pattern: &str, ladder: &Ladder, plan: &Plan) -> Vec<String> {
    let Some(mark) = [SERVICE, CPU].into_iter().find(|mark| pattern.contains(mark)) else {
        return vec![String::new()];
    };
    let names: Vec<String> = match mark {
        SERVICE => ladder.services.iter().map(|service| service.name.clone()).collect(),
        _ => (1..=8).map(|cpu: u32| cpu.to_string()).collect(),
    };
    let expected = |line: &str| plan.items.iter().any(|item| item.demand == Demand::Expected && item.line == line);
    names.into_iter().filter(|name| expected(&pattern.replace(mark, name))).collect()
}

fn parse_change(row: &Row<'_>, text: &str) -> Result<Change, TableError> {
    let (verb, rest) = text.split_once(' ').unwrap_or((text, ""));
    let change = match verb {
        "append" if !rest.is_empty() => Change::Append(rest.to_string()),
        "smp" => Change::Smp(rest.parse().map_err(|_| row.error(format!("smp `{rest}`")))?),
        "without" if !rest.is_empty() => Change::Image(Difference::Without(rest.to_string())),
        "damage" if !rest.is_empty() => Change::Image(Difference::Damaged(rest.to_string())),
        "raise" if !rest.is_empty() => Change::Image(Difference::Raising(rest.to_string())),
        "unlist" if !rest.is_empty() => Change::Image(Difference::Unlisted(rest.to_string())),
        "replace" => match rest.split_once(" by ") {
            Some((name, other)) => Change::Image(Difference::Replaced(name.to_string(), other.to_string())),
            None => return Err(row.error("replace <name> by <name>")),
        },
        "manifest" => match rest.split_once(" => ") {
            Some((line, other)) => Change::Manifest(line.to_string(), other.to_string()),
            None => return Err(row.error("manifest <line> => <line>")),
        },
        "type" if !rest.is_empty() => Change::Typed(rest.to_string()),
        _ => return Err(row.error(format!("`{text}` is no change"))),
    };
    Ok(change)
}

/// The lines that claim something, are expected or stand beside the ladder, and have no row.
pub fn gaps(plan: &Plan, beside: &[Beside], table: &[Counterfactual]) -> Vec<String> {
    let claims = |line: &str| {
        [" ok", " online", ": ready"].iter().any(|end| line.ends_with(end)) || line.starts_with("init: up ")
    };
    let expected = plan.items.iter().filter(|item| item.demand == Demand::Expected && claims(&item.line));
    let lines = expected.map(|item| &item.line).chain(beside.iter().map(|line| &line.line));
    lines.filter(|line| !table.iter().any(|row| row.line == **line)).cloned().collect()
}

/// The settings under which the most lines are expected.
pub fn settings(ladder: &Ladder) -> Settings {
    match has_kernel_row(ladder) {
        true => Settings { smp: 2, harts: Harts::Required, ..Settings::default() },
        false => Settings::default(),
    }
}

/// Runs one row on `machine`, which already has the changed boot image. `Err` says what came instead.
pub fn run(root: &Path, machine: &Machine, row: &Counterfactual, within: Duration) -> Result<(), String> {
    let mut session = Session::boot(root, machine).map_err(|error| error.to_string())?;
    if let Change::Typed(text) = &row.change {
        for line in [text.as_str(), "selftest"] {
            let typed = session.wait_for("nexus> ", within).and_then(|_| session.send_line(line));
            typed.map_err(|error| error.to_string())?;
        }
    }
    // A checker that only waits has no text of its own: the line's absence for the whole time is the failure.
    if row.failure != MISSING {
        session.wait_for(&row.failure, within).map_err(|error| error.to_string())?;
        let (transcript, _) = session.finish(Duration::from_secs(1));
        return absent(&transcript, &row.line);
    }
    let (transcript, ending) = session.finish(within);
    if !transcript.iter().any(|line| line.text.starts_with("OpenSBI v")) {
        return Err(format!("the machine never started: {ending:?}"));
    }
    if let (Ending::Exited(0), false) = (ending, transcript.is_empty()) {
        return Err("the machine ended with success".to_string());
    }
    absent(&transcript, &row.line)
}

fn absent(transcript: &[Stamped], line: &str) -> Result<(), String> {
    match transcript.iter().any(|other| other.text == line) {
        true => Err("the line came all the same".to_string()),
        false => Ok(()),
    }
}

#[cfg(test)]
#[path = "counterfactual_tests.rs"]
mod tests;
