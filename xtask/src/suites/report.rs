//! The table at the end, and the line that carries the verdict.

use super::row::{Absence, Suite};
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Lines of the output of a failed suite that are shown.
const EXCERPT_LINES: usize = 60;

/// How a suite ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Passed,
    Failed { why: String },
    NotRun { why: String, absence: Absence },
}

/// A verdict with what it took.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) verdict: Verdict,
    pub(super) seconds: Duration,
    pub(super) budget: Duration,
    /// Where its output is, if it ran.
    pub(super) log: Option<PathBuf>,
}

impl Outcome {
    /// The suite's line of the table.
    pub(super) fn line(&self, suite: &Suite) -> String {
        let verdict = match &self.verdict {
            Verdict::Passed => "pass".to_string(),
            Verdict::Failed { why } => format!("FAIL: {why}"),
            Verdict::NotRun { why, absence: Absence::Fails } => format!("FAIL: not run: {why}"),
            Verdict::NotRun { why, absence: Absence::IsReported } => format!("not run: {why}"),
        };
        let (seconds, budget) = (self.seconds.as_secs_f32(), self.budget.as_secs());
        format!("{:<12} {seconds:>7.1} s of {budget:>4} s  {verdict}", suite.name)
    }

    /// What helps to understand a failure: the end of the output, and where all of it is.
    pub(super) fn excerpt(&self) -> Option<String> {
        let log = self.log.as_ref().filter(|_| matches!(self.verdict, Verdict::Failed { .. }))?;
        let text = String::from_utf8_lossy(&fs::read(log).ok()?).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        let end = lines[lines.len().saturating_sub(EXCERPT_LINES)..].join("\n    ");
        Some(format!("    {end}\n    … all of it in {}", log.display()))
    }

    fn counts(&self) -> Counts {
        match &self.verdict {
            Verdict::Passed => Counts { passed: 1, failed: 0 },
            Verdict::NotRun { absence: Absence::IsReported, .. } => Counts::default(),
            Verdict::Failed { .. } | Verdict::NotRun { .. } => Counts { passed: 0, failed: 1 },
        }
    }
}

#[derive(Clone, Copy, Default)]
struct Counts {
    passed: usize,
    failed: usize,
}

/// Every outcome so far.
#[derive(Default)]
pub(super) struct Report {
    lines: Vec<String>,
    counts: Counts,
    seconds: Duration,
}

impl Report {
    /// Adds the outcome of a suite.
    pub(super) fn add(&mut self, suite: &Suite, outcome: Outcome) {
        self.lines.push(outcome.line(suite));
        let Counts { passed, failed } = outcome.counts();
        self.counts.passed += passed;
        self.counts.failed += failed;
        self.seconds += outcome.seconds;
    }

    /// Whether something passed and nothing failed.
    pub(super) fn is_success(&self) -> bool {
        self.counts.passed > 0 && self.counts.failed == 0
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        for line in &self.lines {
            writeln!(formatter, "{line}")?;
        }
        writeln!(formatter, "{:<12} {:>7.1} s", "all", self.seconds.as_secs_f32())?;
        writeln!(formatter, "{} passed, {} failed", self.counts.passed, self.counts.failed)
    }
}
