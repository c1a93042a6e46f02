//! What the fuzzer reported, against what the ABI declares: every pair of call and error.

use super::unreachable::UNREACHABLE;
use nexus_abi::Error;
use nexus_abi::syscall::{TYPED, ipc, refusals};
use std::collections::BTreeMap;
use std::fmt::Write;

/// What begins each line of the fuzzer: the kernel's word that the first process wrote it.
const PREFIX: &str = "init: fuzz: ";

/// One boot's report.
#[derive(Clone, Debug, Default)]
pub(super) struct Report {
    /// Calls made.
    pub(super) calls: u64,
    /// The child that comes next.
    pub(super) next: u64,
    /// Digest of all calls and outcomes.
    pub(super) digest: String,
    /// How often a call (by number) came to an outcome (by name).
    pub(super) pairs: BTreeMap<(u64, String), u64>,
    /// What the fuzzer itself found.
    pub(super) failures: Vec<String>,
    /// Its last word.
    pub(super) end: Option<i32>,
}

impl Report {
    /// Reads one line of the console; false if it is not the fuzzer's.
    pub(super) fn read(&mut self, line: &str) -> bool {
        let Some(text) = line.strip_prefix(PREFIX) else { return false };
        let words: Vec<&str> = text.split_whitespace().collect();
        match words[..] {
            ["calls", calls, "next", next, ref rest @ ..] => {
                (self.calls, self.next) = (calls.parse().unwrap_or(0), next.parse().unwrap_or(0));
                self.digest = rest.last().map_or(String::new(), ToString::to_string);
            }
            ["row", number, ref outcomes @ ..] => {
                for (name, count) in outcomes.iter().filter_map(|word| word.split_once('=')) {
                    let pair = (number.parse().unwrap_or(u64::MAX), name.to_string());
                    *self.pairs.entry(pair).or_default() += count.parse::<u64>().unwrap_or(0);
                }
            }
            ["FAIL", ..] => self.failures.push(text.to_string()),
            ["end", status] => self.end = status.parse().ok(),
            _ => {}
        }
        true
    }

    fn met(&self, number: u64, error: Error) -> bool {
        self.pairs.contains_key(&(number, error.name().to_string()))
    }
}

/// Every call with its name, and the numbers that none has.
fn calls() -> impl Iterator<Item = (u64, &'static str)> {
    let typed = TYPED.iter().map(|call| (call.number, call.name));
    ipc::ALL.iter().copied().chain(typed).chain([(u64::MAX, "no call")])
}

/// The pairs: one line a call.
pub(super) fn table(report: &Report) -> String {
    let mut out = String::new();
    for (number, name) in calls() {
        let _ = write!(out, "{name:<20}");
        for ((_, outcome), count) in report.pairs.range((number, String::new())..=(number, "~".to_string())) {
            let _ = write!(out, " {outcome} {count}");
        }
        out += "\n";
    }
    out
}

/// What is wrong with the pairs: met and not declared, met and called impossible, and declared and not met. Of several harts
/// the last is not asked: which of them is the faster one, and not the seed alone, decides what is met.
pub(super) fn verdict(report: &Report, harts: u64) -> Result<(), String> {
    let name = |number| calls().find(|(known, _)| *known == number).map_or("?", |(_, name)| name);
    let mut wrong = Vec::new();
    for (number, outcome) in report.pairs.keys().filter(|(_, outcome)| outcome != "ok") {
        if !refusals(*number).any(|error| error.name() == outcome) {
            wrong.push(format!("{} refuses with {outcome}, which it does not declare", name(*number)));
        }
    }
    let mut declared = 0;
    for (number, name) in calls() {
        for error in refusals(number) {
            declared += 1;
            let impossible = UNREACHABLE.iter().any(|pairs| pairs.covers(number, error));
            match (report.met(number, error), impossible) {
                (true, true) => {
                    wrong.push(format!("{name} refuses with {}, which is said to be impossible", error.name()))
                }
                (false, false) if harts == 1 => wrong.push(format!("{name} never refused with {}", error.name())),
                _ => {}
            }
        }
    }
    let met = report.pairs.keys().filter(|(_, outcome)| outcome != "ok").count();
    println!("fuzz: {met} of {declared} declared pairs of call and error met, {} impossible", declared - met);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n")) }
}
