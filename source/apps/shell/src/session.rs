//! One session: bytes in, commands run, prompt out.

use crate::command::{self, COMMANDS, Context, Kind};
use crate::editor::{Editor, Input, MAX_LINE};
use crate::{Failure, Place, System, parse};
use alloc::format;
use alloc::string::String;
use core::fmt::Write;
use nexus_abi::Error;

/// Stands at the start of a line when the next command can be typed.
pub const PROMPT: &str = "nexus> ";

const NAMES: [&str; COMMANDS.len()] = {
    let mut names = [""; COMMANDS.len()];
    let mut at = 0;
    while at < names.len() {
        names[at] = COMMANDS[at].name;
        at += 1;
    }
    names
};

/// The state of a session between two bytes.
#[derive(Debug)]
pub struct Session {
    editor: Editor,
    last: Option<&'static str>,
}

impl Default for Session {
    fn default() -> Self {
        Session { editor: Editor::new(PROMPT), last: None }
    }
}

impl Session {
    /// Prints the first prompt.
    pub fn open(&self, out: &mut dyn Write) {
        self.editor.prompt(out);
    }

    /// Takes one byte; runs the command when it ends a line.
    pub fn feed(&mut self, byte: u8, system: &mut dyn System, out: &mut dyn Write) {
        let Some(input) = self.editor.feed(byte, &NAMES, out) else { return };
        match input {
            Input::Line(line) => self.run(&line, system, out),
            Input::TooLong => {
                self.note(Err(Failure::new(Error::TooLong, format!("a line holds at most {MAX_LINE} bytes"))), out);
            }
            Input::Interrupt => {}
        }
        self.editor.prompt(out);
    }

    /// Runs one line and notes how it ended.
    pub fn run(&mut self, line: &str, system: &mut dyn System, out: &mut dyn Write) {
        let result = match execute(line, self.last, system, out) {
            Some(result) => result,
            None => return,
        };
        self.note(result, out);
    }

    /// Whether the last command failed.
    pub fn failed(&self) -> bool {
        self.last.is_some()
    }

    fn note(&mut self, result: Result<(), Failure>, out: &mut dyn Write) {
        self.last = result.as_ref().err().map(|failure| failure.name);
        if let Err(failure) = result {
            // A terminal that is gone does not see why; `status` still knows.
            let _ = writeln!(out, "{failure}");
        }
    }
}

/// None for a line without words, which leaves the last status as it was.
fn execute(
    line: &str,
    last: Option<&'static str>,
    system: &mut dyn System,
    out: &mut dyn Write,
) -> Option<Result<(), Failure>> {
    let line = match parse(line) {
        Ok(line) => line,
        Err(failure) => return Some(Err(failure)),
    };
    let (name, words) = line.stages.first()?.split_first()?;
    let Some(command) = command::find(name) else {
        let shown: String = name.chars().take(40).collect();
        return Some(Err(Failure::new(Error::NotFound, format!("no command `{}`", shown.escape_debug()))));
    };
    if command.kind == Kind::Builtin && (line.stages.len() > 1 || line.place == Place::Background) {
        return Some(Err(Failure::invalid("only `run` takes `|` and `&`")));
    }
    let mut context = Context { words, stages: &line.stages, place: line.place, last, system, out };
    Some((command.run)(&mut context))
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
