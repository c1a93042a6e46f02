//! The line editor: keys in, echo out, whole lines back.
//!
//! The crates that edit lines without an operating system either ask the terminal where its cursor is, and wait for an
//! answer that a script never gives, or have no completion; this one only ever moves relative to what it printed itself.

use crate::history::History;
use crate::keys::{Key, Keys};
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt::Write;

/// How many bytes a command line may hold.
pub const MAX_LINE: usize = 4096;

/// What came of the keys so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A line was entered.
    Line(String),
    /// A line was longer than [`MAX_LINE`]; none of it is kept.
    TooLong,
    /// Ctrl-C: the line is given up.
    Interrupt,
}

/// One line being written, and those before it.
#[derive(Debug)]
pub struct Editor {
    keys: Keys,
    history: History,
    line: String,
    /// A byte index on a character boundary.
    cursor: usize,
    overflow: Overflow,
    prompt: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Overflow {
    None,
    /// Everything up to the end of the line is dropped.
    Dropping,
}

impl Editor {
    /// An editor of lines after `prompt`.
    pub fn new(prompt: &'static str) -> Self {
        let (keys, history) = (Keys::new(), History::default());
        Editor { keys, history, line: String::new(), cursor: 0, overflow: Overflow::None, prompt }
    }

    /// Prints the prompt for the next line.
    pub fn prompt(&self, out: &mut dyn Write) {
        put(out, self.prompt);
    }

    /// Takes one byte. `words` are what the first word can be completed to.
    pub fn feed(&mut self, byte: u8, words: &[&str], out: &mut dyn Write) -> Option<Input> {
        let key = self.keys.feed(byte)?;
        match key {
            Key::Enter => {
                put(out, "\n");
                return Some(self.enter());
            }
            Key::Interrupt => {
                put(out, "^C\n");
                self.overflow = Overflow::None;
                self.take();
                return Some(Input::Interrupt);
            }
            _ if self.overflow == Overflow::Dropping => {}
            Key::Char(character) => self.insert(character, out),
            Key::Tab => self.complete(words, out),
            Key::Up | Key::Down => self.recall(key, out),
            Key::ClearScreen => {
                put(out, "\x1b[H\x1b[2J");
                put(out, self.prompt);
                put(out, &self.line);
                self.back_from_end(out);
            }
            Key::Left | Key::Right | Key::Home | Key::End => self.travel(key, out),
            Key::Backspace | Key::Delete | Key::KillLeft | Key::KillRight | Key::KillWord => self.cut(key, out),
        }
        None
    }

    fn enter(&mut self) -> Input {
        let line = self.take();
        if core::mem::replace(&mut self.overflow, Overflow::None) == Overflow::Dropping {
            return Input::TooLong;
        }
        self.history.push(&line);
        Input::Line(line)
    }

    fn take(&mut self) -> String {
        self.cursor = 0;
        core::mem::take(&mut self.line)
    }

    fn insert(&mut self, character: char, out: &mut dyn Write) {
        if self.line.len() + character.len_utf8() > MAX_LINE {
            self.take();
            self.overflow = Overflow::Dropping;
            return;
        }
        self.line.insert(self.cursor, character);
        put(out, &self.line[self.cursor..]);
        self.cursor += character.len_utf8();
        self.back_from_end(out);
    }

    /// Moves the cursor within the line.
    fn travel(&mut self, key: Key, out: &mut dyn Write) {
        let target = match key {
            Key::Left => self.before(),
            Key::Right => self.after(),
            Key::Home => 0,
            _ => self.line.len(),
        };
        self.move_to(target, out);
    }

    /// Removes what the key says, on one side of the cursor.
    fn cut(&mut self, key: Key, out: &mut dyn Write) {
        let (from, to) = match key {
            Key::Backspace => (self.before(), self.cursor),
            Key::Delete => (self.cursor, self.after()),
            Key::KillLeft => (0, self.cursor),
            Key::KillRight => (self.cursor, self.line.len()),
            _ => (self.word_start(), self.cursor),
        };
        if from == to {
            return;
        }
        self.move_to(from, out);
        self.line.replace_range(from..to, "");
        put(out, &self.line[from..]);
        put(out, "\x1b[K");
        self.back_from_end(out);
    }

    fn recall(&mut self, key: Key, out: &mut dyn Write) {
        let found = match key {
            Key::Up => self.history.older(&self.line),
            _ => self.history.newer(),
        };
        if let Some(line) = found.map(String::from) {
            self.replace(line, out);
        }
    }

    fn replace(&mut self, line: String, out: &mut dyn Write) {
        self.move_to(0, out);
        put(out, &line);
        put(out, "\x1b[K");
        self.cursor = line.len();
        self.line = line;
    }

    /// Completes the first word as far as it is clear; lists what it can be where it is not.
    fn complete(&mut self, words: &[&str], out: &mut dyn Write) {
        let start = &self.line[..self.cursor];
        let fitting: Vec<&str> = words.iter().copied().filter(|word| word.starts_with(start)).collect();
        let Some(first) = fitting.first() else { return };
        let shared = fitting.iter().fold(first.len(), |shared, word| shared.min(shared_prefix(first, word)));
        let more = String::from(&first[start.len()..shared]);
        let done = fitting.len() == 1 && self.cursor == self.line.len();
        if more.is_empty() && !done {
            put(out, "\n");
            for word in &fitting {
                put(out, word);
                put(out, "  ");
            }
            put(out, "\n");
            put(out, self.prompt);
            put(out, &self.line);
            return self.back_from_end(out);
        }
        more.chars().for_each(|character| self.insert(character, out));
        if done {
            self.insert(' ', out);
        }
    }

    fn before(&self) -> usize {
        self.line[..self.cursor].char_indices().next_back().map_or(0, |(index, _)| index)
    }

    fn after(&self) -> usize {
        self.line[self.cursor..].chars().next().map_or(self.cursor, |character| self.cursor + character.len_utf8())
    }

    fn word_start(&self) -> usize {
        let trimmed = self.line[..self.cursor].trim_end();
        trimmed.rfind(' ').map_or(0, |space| space + 1)
    }

    fn move_to(&mut self, target: usize, out: &mut dyn Write) {
        if target < self.cursor {
            steps(self.line[target..self.cursor].chars().count(), 'D', out);
        } else {
            steps(self.line[self.cursor..target].chars().count(), 'C', out);
        }
        self.cursor = target;
    }

    /// After the rest of the line was printed: back to where the cursor is.
    fn back_from_end(&self, out: &mut dyn Write) {
        steps(self.line[self.cursor..].chars().count(), 'D', out);
    }
}

/// How many bytes two ASCII words share at their start.
fn shared_prefix(one: &str, other: &str) -> usize {
    one.bytes().zip(other.bytes()).take_while(|(left, right)| left == right).count()
}

fn steps(count: usize, direction: char, out: &mut dyn Write) {
    if count > 0 {
        // The terminal is never an error to the editor: what cannot be shown is still typed.
        let _ = write!(out, "\x1b[{count}{direction}");
    }
}

fn put(out: &mut dyn Write, text: &str) {
    // As above.
    let _ = out.write_str(text);
}

#[cfg(test)]
#[path = "editor_tests.rs"]
mod tests;
