//! What a proof says in the end, and how it is written down.
//!
//! A failure names the first phase and line that failed and shows a bounded piece of the transcript around it.

use std::fmt;
use std::time::Duration;

/// How many transcript lines an excerpt shows before the place, and after it.
const EXCERPT: (usize, usize) = (12, 4);
/// How much of one transcript line an excerpt shows.
const EXCERPT_WIDTH: usize = 160;

/// One line of the console with the time since the emulator started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// Since the start of the run.
    pub at: Duration,
    /// The text without its line end.
    pub text: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The emulator ended by itself with this status.
    Exited(i32),
    /// The runner stopped it because the stop rule was met or a line had failed.
    Stopped,
    /// The time was over.
    TimedOut,
}

/// Why a proof failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The line never came in this boot.
    Missing {
        /// Counted from 1.
        boot: u32,
    },
    /// It came before or after what it must follow or precede.
    OutOfOrder(String),
    /// It came twice in one generation.
    Duplicate,
    /// It belongs to another boot.
    WrongBoot(u32),
    /// A line that no proof may show.
    Forbidden(&'static str),
    /// The machine started more often than the proof does.
    UnexpectedReset,
    /// The machine ended with a failure.
    ExitStatus(i32),
    /// All lines came, but the machine did not end in time.
    NoShutdown,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Missing { boot } => write!(f, "missing in boot {boot}"),
            Reason::OutOfOrder(why) => write!(f, "out of order: {why}"),
            Reason::Duplicate => write!(f, "duplicated"),
            Reason::WrongBoot(boot) => write!(f, "came in boot {boot}"),
            Reason::Forbidden(what) => write!(f, "{what}"),
            Reason::UnexpectedReset => write!(f, "the machine started again"),
            Reason::ExitStatus(status) => write!(f, "the machine ended with status {status}"),
            Reason::NoShutdown => write!(f, "the machine did not end in time"),
        }
    }
}

/// The first thing that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The phase it belongs to.
    pub phase: String,
    /// The line: an expected one that is missing, or the one that failed.
    pub line: String,
    /// Why.
    pub reason: Reason,
    /// Where in the transcript.
    pub index: usize,
}

/// The result of one proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything that was expected came: this many lines.
    Passed(usize),
    /// Something failed.
    Failed(Failure),
}

impl Failure {
    /// The failure for the terminal: phase, line, reason, excerpt.
    pub fn report(&self, transcript: &[Stamped]) -> String {
        let mut text = format!("FAILED phase {}: `{}`: {}\n", self.phase, escape(&self.line), self.reason);
        let from = self.index.saturating_sub(EXCERPT.0);
        let to = (self.index + EXCERPT.1).min(transcript.len());
        for line in &transcript[from.min(to)..to] {
            text.push_str(&format!("  {:8.3} {}\n", line.at.as_secs_f64(), escape(&line.text)));
        }
        text
    }
}

/// Control bytes made visible, and the rest of a long line left out.
pub fn escape(text: &str) -> String {
    let mut shown = String::new();
    for (count, character) in text.chars().enumerate() {
        if count == EXCERPT_WIDTH {
            shown.push('…');
            break;
        }
        match character {
            control if control.is_control() => shown.extend(control.escape_default()),
            plain => shown.push(plain),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_bounded_in_lines_and_width_and_shows_no_control_byte() {
        let line = |_| Stamped { at: Duration::ZERO, text: "\u{1b}[31m".repeat(1000) };
        let transcript: Vec<Stamped> = (0..500).map(line).collect();
        let failure = Failure { phase: "p".into(), line: "l\r".into(), reason: Reason::Duplicate, index: 250 };
        let report = failure.report(&transcript);
        assert_eq!(report.lines().count(), 1 + EXCERPT.0 + EXCERPT.1);
        assert!(report.starts_with("FAILED phase p: `l\\r`: duplicated\n"));
        assert!(report.lines().all(|line| line.len() < 1200 && !line.contains('\u{1b}')));
    }

    #[test]
    fn a_report_at_the_end_of_an_empty_transcript_is_one_line() {
        let failure = Failure { phase: "p".into(), line: "l".into(), reason: Reason::Missing { boot: 2 }, index: 7 };
        assert_eq!(failure.report(&[]), "FAILED phase p: `l`: missing in boot 2\n");
    }
}
