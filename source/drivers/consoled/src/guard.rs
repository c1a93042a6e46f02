//! Keeps the foreground session from printing what looks like a line of the system.
//!
//! Lines of the system begin with a name and `: `; the console puts that there from the kernel's record of the writer. The
//! kernel's audit begins with its name and a space. A raw line that begins the same way is printed after `| `. Which names exist does not matter: the form is what people and
//! scripts go by. Two forms are the session's own, `error: ` and a prompt, a name and `> `: a program that has the console
//! on loan gets its mark for them too.

use alloc::vec::Vec;

/// Longest name that the kernel stamps.
const NAME: usize = 24;
/// What a shell prints before the name of a failure.
const FREE: &[u8] = b"error";
/// What the kernel's audit begins with.
const AUDIT: &[u8] = b"QOS-AUDIT ";
const MARK: &[u8] = b"| ";

/// Who writes raw bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Writer {
    /// The session, and what is typed.
    Session,
    /// The program that has the console on loan.
    Program,
}

/// Where in a line the writers are.
#[derive(Debug)]
pub(crate) struct Guard {
    /// The line so far, while it may still turn into a system prefix.
    start: Option<Vec<u8>>,
    /// How much of it is on the screen already.
    shown: usize,
}

impl Default for Guard {
    fn default() -> Self {
        Guard { start: Some(Vec::new()), shown: 0 }
    }
}

impl Guard {
    /// Takes one byte; hands on what is to be printed.
    pub(crate) fn feed(&mut self, byte: u8, writer: Writer, out: &mut Vec<u8>) {
        let ends = matches!(byte, b'\n' | b'\r');
        match &mut self.start {
            Some(start) if may_follow(start, byte, writer) => {
                start.push(byte);
                if start.ends_with(b": ") || start.ends_with(b"> ") || start == AUDIT {
                    self.mark(out);
                }
            }
            Some(_) => {
                self.show(out);
                out.push(byte);
                self.start = None;
            }
            None => out.push(byte),
        }
        if ends {
            *self = Guard::default();
        }
    }

    /// No more bytes for now: what is held back is shown. If it turns into a prefix later, it is printed over.
    pub(crate) fn flush(&mut self, out: &mut Vec<u8>) {
        self.show(out);
    }

    fn show(&mut self, out: &mut Vec<u8>) {
        if let Some(start) = &self.start {
            out.extend_from_slice(&start[self.shown..]);
            self.shown = start.len();
        }
    }

    fn mark(&mut self, out: &mut Vec<u8>) {
        let start = self.start.take().unwrap_or_default();
        if self.shown > 0 {
            out.push(b'\r');
        }
        out.extend_from_slice(MARK);
        out.extend_from_slice(&start);
    }
}

/// Whether `start` and then `byte` can still become a name, `: `, or what else this writer has no right to.
fn may_follow(start: &[u8], byte: u8, writer: Writer) -> bool {
    match (start, byte) {
        ([], byte) => byte.is_ascii_alphabetic(),
        ([.., b':' | b'>'], byte) => byte == b' ',
        (name, b' ') => AUDIT.strip_suffix(b" ") == Some(name),
        (name, b':') => writer == Writer::Program || name != FREE,
        (_, b'>') => writer == Writer::Program,
        (name, byte) => name.len() < NAME && (byte.is_ascii_alphanumeric() || b"-_./".contains(&byte)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(chunks: &[&str]) -> String {
        printed_by(Writer::Session, chunks)
    }

    fn printed_by(writer: Writer, chunks: &[&str]) -> String {
        let (mut guard, mut out) = (Guard::default(), Vec::new());
        for chunk in chunks {
            chunk.bytes().for_each(|byte| guard.feed(byte, writer, &mut out));
            guard.flush(&mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_line_that_looks_like_the_system_s_is_marked() {
        for line in ["init: ready", "SELFTEST: end", "KSELFTEST: x ok", "QOS-AUDIT y", "app/boot/x: y", "execd: z"] {
            assert_eq!(printed(&[&format!("a\n{line}\nb\n")]), format!("a\n| {line}\nb\n"));
            assert_eq!(printed(&[&format!("a\r{line}")]), format!("a\r| {line}"));
        }
    }

    #[test]
    fn other_lines_are_printed_as_they_are() {
        for line in [
            "nexus> x: y",
            "error: ENOENT: x",
            "hello, world",
            "12:30: tea",
            "QOS-AUDITED x",
            "a b: c",
            "http://x: y",
            "init:ready",
            " init: x",
            "x: ".repeat(0).as_str(),
        ] {
            assert_eq!(printed(&[line]), line);
        }
        let long = format!("{}: x", "n".repeat(25));
        assert_eq!(printed(&[&long]), long);
    }

    #[test]
    fn a_program_cannot_print_the_session_s_own_forms() {
        for line in ["nexus> kill execd", "error: ENOENT: x", "init: ready", "x> ", "error: "] {
            assert_eq!(printed_by(Writer::Program, &[line]), format!("| {line}"));
        }
        for line in ["a -> b", "x >y", "12> ", "hello, world", "n>m"] {
            assert_eq!(printed_by(Writer::Program, &[line]), line);
        }
        assert_eq!(printed_by(Writer::Program, &["nex", "us", "> x\n"]), "nexus\r| nexus> x\n");
    }

    #[test]
    fn a_prefix_that_comes_in_pieces_is_printed_over() {
        assert_eq!(printed(&["in", "it", ": ready\n"]), "init\r| init: ready\n");
        assert_eq!(printed(&["init:", " ready\n"]), "init:\r| init: ready\n");
        assert_eq!(printed(&["err", "or: E\n"]), "error: E\n");
    }

    #[test]
    fn no_split_of_a_forged_line_gets_through() {
        let line = "x\ninit: up timed\n";
        for at in 0..line.len() {
            for then in at..line.len() {
                for writer in [Writer::Session, Writer::Program] {
                    let out = printed_by(writer, &[&line[..at], &line[at..then], &line[then..]]);
                    assert!(out.lines().all(|line| !line.starts_with("init: ")), "{out:?}");
                    assert!(out.contains("| init: up timed"), "{out:?}");
                }
            }
        }
    }
}
