//! From figures to the tables.

use super::reading::{Boot, Readings};
use super::rows::{ROWS, Row, TIMERS};
use std::fmt::Write as _;

/// Least and most of a row.
type Range = (u64, u64);

/// The tables, or which row is missing or malformed.
pub(super) fn text(readings: &Readings) -> Result<String, String> {
    Ok(format!("{}\n{}", instructions(readings)?, timers(readings)?))
}

/// The table of instructions.
fn instructions(readings: &Readings) -> Result<String, String> {
    let mut text = String::from(
        "| instructions, if nothing else is said | ours | must | goal | verdict | seL4 fast path | seL4 general path | Linux | xv6 |\n\
         |---|--:|--:|--:|---|--:|--:|--:|--:|\n",
    );
    for row in ROWS {
        let range = range(readings, row)?;
        let (must, goal) =
            row.bars.map_or(("-".into(), "-".into()), |(must, goal)| (must.to_string(), goal.to_string()));
        let peers = &row.peers;
        // Writing into a string cannot fail.
        let _ = writeln!(
            text,
            "| {} | {} | {must} | {goal} | {} | {} | {} | {} | {} |",
            row.name,
            shown(range),
            verdict(row, range),
            peers.fast,
            peers.general,
            peers.linux,
            peers.xv6
        );
    }
    Ok(text)
}

fn range(readings: &Readings, row: &Row) -> Result<Range, String> {
    match readings.values(row.boot, row.printed)?[..] {
        [least, most] if least <= most => Ok((least, most)),
        _ => Err(format!("row `{}` is malformed", row.printed)),
    }
}

fn shown((least, most): Range) -> String {
    if least == most { least.to_string() } else { format!("{least} to {most}") }
}

/// How the worst sample stands against the bars.
fn verdict(row: &Row, (_, most): Range) -> &'static str {
    match row.bars {
        None => "",
        Some((_, goal)) if most <= goal => "goal",
        Some((must, _)) if most <= must => "must",
        Some(_) => "**missed**",
    }
}

/// The table of timers.
fn timers(readings: &Readings) -> Result<String, String> {
    let mut text = String::from(
        "| 64 timers, class | window | wake-ups | fewest possible | latest behind its window, us | Linux wake-ups |\n\
         |---|--:|--:|--:|--:|--:|\n",
    );
    for row in TIMERS {
        let name = format!("timers {}", row.class);
        let [wakes, fewest, late] = readings.values(Boot::Normal, &name)?[..] else {
            return Err(format!("row `{name}` is malformed"));
        };
        let _ = writeln!(text, "| {} | {} | {wakes} | {fewest} | {late} | {} |", row.class, row.window, row.linux);
    }
    Ok(text)
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
