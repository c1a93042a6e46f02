//! A scripted console session with one machine: type, wait for text, read the end.
//!
//! The driver of every suite that talks to a running system; each wait has a deadline and fails with what was on the
//! console instead.

use super::emulator::{Emulator, Event, Machine};
use super::verdict::{Ending, Stamped, escape};
use std::fmt;
use std::path::Path;
use std::time::{Duration, Instant};

/// How many of the last lines an error shows.
const SHOWN: usize = 15;
/// How many lines one session keeps; a guest that prints more is stopped.
const KEPT: usize = 200_000;

/// Why a session did not go on.
#[derive(Debug)]
pub enum SessionError {
    /// The emulator could not be started or written to.
    Emulator(std::io::Error),
    /// The text did not come: what was awaited, why the wait ended, the last lines.
    Missed(String, &'static str, Vec<String>),
}

impl fmt::Display for SessionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SessionError::Emulator(error) => write!(f, "emulator: {error}"),
            SessionError::Missed(text, why, last) => {
                writeln!(f, "`{}` did not come: {why}; last on the console:", escape(text))?;
                last.iter().try_for_each(|line| writeln!(f, "  {}", escape(line)))
            }
        }
    }
}

impl From<std::io::Error> for SessionError {
    fn from(error: std::io::Error) -> Self {
        SessionError::Emulator(error)
    }
}

/// A running machine and all that it printed.
pub struct Session {
    emulator: Emulator,
    transcript: Vec<Stamped>,
    partial: String,
    /// The first place that no wait has passed yet: a line's index, and a place in it.
    cursor: (usize, usize),
    ended: Option<i32>,
}

impl Session {
    /// Boots `machine` with the scripts below `root`.
    pub fn boot(root: &Path, machine: &Machine) -> Result<Self, SessionError> {
        let emulator = Emulator::start(root, machine)?;
        Ok(Session { emulator, transcript: Vec::new(), partial: String::new(), cursor: (0, 0), ended: None })
    }

    /// Types `text` and the return key.
    pub fn send_line(&mut self, text: &str) -> Result<(), SessionError> {
        self.send_bytes(format!("{text}\r").as_bytes())
    }

    /// Types these bytes.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), SessionError> {
        Ok(self.emulator.send(bytes)?)
    }

    /// Waits until a line, or the start of the current one, contains `text`, and passes everything up to its end.
    pub fn wait_for(&mut self, text: &str, within: Duration) -> Result<Stamped, SessionError> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(line) = self.pass(text) {
                return Ok(line);
            }
            if let Some(why) = self.step(deadline) {
                return Err(SessionError::Missed(text.to_string(), why, self.last_lines()));
            }
        }
    }

    /// Moves the cursor past the next `text`, or to the end of all whole lines.
    fn pass(&mut self, text: &str) -> Option<Stamped> {
        loop {
            let (index, from) = self.cursor;
            let whole = self.transcript.get(index);
            let line = whole.map_or(self.partial.as_str(), |line| line.text.as_str());
            if let Some(place) = line.get(from..).and_then(|rest| rest.find(text)) {
                self.cursor = (index, from + place + text.len());
                let current = || Stamped { at: self.emulator.elapsed(), text: line.to_string() };
                return Some(whole.cloned().unwrap_or_else(current));
            }
            whole?;
            self.cursor = (index + 1, 0);
        }
    }

    /// Everything printed so far, whole lines only.
    pub fn transcript(&self) -> &[Stamped] {
        &self.transcript
    }

    /// Waits for the end of the machine, ends it when it does not come, and hands back all that was printed.
    pub fn finish(mut self, within: Duration) -> (Vec<Stamped>, Ending) {
        let deadline = Instant::now() + within;
        while self.step(deadline).is_none() {}
        let ending = self.ended.map_or(Ending::TimedOut, Ending::Exited);
        (std::mem::take(&mut self.transcript), ending)
    }

    /// Takes one event; says why there are no more.
    fn step(&mut self, deadline: Instant) -> Option<&'static str> {
        if self.ended.is_some() {
            return Some("the machine ended");
        }
        if self.transcript.len() >= KEPT {
            return Some("too many lines");
        }
        match self.emulator.next(deadline) {
            Event::Line(line) => {
                self.partial.clear();
                self.transcript.push(line);
            }
            Event::Partial(text) => self.partial = text,
            Event::Ended(status) => {
                self.ended = Some(status);
                return Some("the machine ended");
            }
            Event::Deadline => return Some("the time was over"),
        }
        None
    }

    fn last_lines(&self) -> Vec<String> {
        let from = self.transcript.len().saturating_sub(SHOWN);
        let lines = self.transcript[from..].iter().map(|line| line.text.clone());
        lines.chain([self.partial.clone()]).collect()
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
