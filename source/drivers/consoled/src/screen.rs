//! What goes to the terminal, and in which order: whole lines of the system between the bytes of the session.
//!
//! A line of the system never tears one of the session: it is printed on a line of its own, and the unfinished line of the
//! session is repeated below it. Everything is bounded; who writes faster than the device sends has to wait.

use crate::guard::{Guard, Writer};
use alloc::collections::VecDeque;
use alloc::vec::Vec;
use nexus_abi::{identity::MAX_NAME, message::MAX_LINE};

/// Bytes of output that wait for the device at most.
pub(crate) const QUEUE: usize = 16 * 1024;
/// What the session's own bytes may fill: the rest is for what one chunk of them turns into, and for the system.
const SESSION_QUEUE: usize = QUEUE / 2;
/// A writer with more than this waits rather than be served in smaller pieces.
const SMALLEST: usize = 512;
/// An unfinished line longer than this is not repeated.
const REPEATED: usize = 512;
/// A line of the system that is longer than this is broken.
const LINE: usize = 4096;
// The kernel's longest line is whole: the rest of one could look like another's.
const _: () = assert!(LINE >= MAX_NAME + 2 + 4 * MAX_LINE);

/// The two writers and the queue to the device.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    queue: VecDeque<u8>,
    guard: Guard,
    /// The session's unfinished line, as printed.
    partial: Vec<u8>,
    /// The system's unfinished line.
    line: Vec<u8>,
}

impl Screen {
    /// Takes raw bytes; answers how many. None: the queue is full.
    pub(crate) fn raw(&mut self, bytes: &[u8], writer: Writer) -> usize {
        let room = SESSION_QUEUE.saturating_sub(self.queue.len()) / 2;
        let taken = bytes.len().min(room);
        if taken < bytes.len().min(SMALLEST) {
            return 0;
        }
        let mut out = Vec::new();
        bytes[..taken].iter().for_each(|byte| self.guard.feed(*byte, writer, &mut out));
        self.guard.flush(&mut out);
        for byte in out {
            match byte {
                b'\n' => {
                    self.queue.extend(b"\r\n");
                    self.partial.clear();
                }
                byte => {
                    self.queue.push_back(byte);
                    if self.partial.len() <= REPEATED {
                        self.partial.push(byte);
                    }
                }
            }
        }
        taken
    }

    /// The next writer is another: it begins a line.
    pub(crate) fn end_line(&mut self) {
        if !self.partial.is_empty() {
            if self.queue.back() != Some(&b'\n') {
                self.queue.extend(b"\r\n");
            }
            self.partial.clear();
        }
        self.guard = Guard::default();
    }

    /// Whether a chunk of the system's bytes fits, however many lines it has.
    pub(crate) fn takes_system(&self) -> bool {
        self.queue.len() <= SESSION_QUEUE
    }

    /// Says that bytes of the system were lost. What came of their line stands alone: what follows begins one.
    pub(crate) fn lost(&mut self, bytes: u64) {
        if !self.line.is_empty() {
            self.print_line();
        }
        self.system(alloc::format!("consoled: {bytes} bytes lost\n").as_bytes());
    }

    /// Takes bytes of the system; what is no whole line yet waits for its rest.
    pub(crate) fn system(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.print_line(),
                byte => self.line.push(*byte),
            }
            if self.line.len() >= LINE {
                self.print_line();
            }
        }
        self.repeat();
    }

    /// The next byte for the device; it stays until [`Screen::sent`].
    pub(crate) fn next(&self) -> Option<u8> {
        self.queue.front().copied()
    }

    /// The device took the next byte.
    pub(crate) fn sent(&mut self) {
        self.queue.pop_front();
    }

    /// Bytes that wait.
    pub(crate) fn pending(&self) -> usize {
        self.queue.len()
    }

    fn print_line(&mut self) {
        if !self.partial.is_empty() && self.queue.back() != Some(&b'\n') {
            self.queue.extend(b"\r\n");
        }
        self.queue.extend(self.line.drain(..));
        self.queue.extend(b"\r\n");
    }

    /// After lines of the system. What is too long to be repeated is over: its writer is at the beginning of a line.
    fn repeat(&mut self) {
        if self.queue.back() != Some(&b'\n') {
            return;
        }
        if self.partial.len() > REPEATED {
            self.partial.clear();
            self.guard = Guard::default();
        }
        self.queue.extend(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(screen: &mut Screen) -> String {
        let mut out = Vec::new();
        while let Some(byte) = screen.next() {
            out.push(byte);
            screen.sent();
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn line_ends_become_those_of_a_terminal() {
        let mut screen = Screen::default();
        assert_eq!(screen.raw(b"a\nb\n", Writer::Session), 4);
        assert_eq!(shown(&mut screen), "a\r\nb\r\n");
    }

    #[test]
    fn a_system_line_stands_alone_and_the_unfinished_line_below_it() {
        let mut screen = Screen::default();
        screen.raw(b"nexus> he", Writer::Session);
        screen.system(b"init: one\ninit: two\n");
        screen.raw(b"lp\n", Writer::Session);
        screen.system(b"init: three\n");
        assert_eq!(shown(&mut screen), "nexus> he\r\ninit: one\r\ninit: two\r\nnexus> help\r\ninit: three\r\n");
    }

    #[test]
    fn the_unfinished_line_is_kept_apart_also_when_the_device_had_sent_it() {
        let mut screen = Screen::default();
        screen.raw(b"nexus> ", Writer::Session);
        assert_eq!(shown(&mut screen), "nexus> ");
        screen.system(b"init: one\n");
        assert_eq!(shown(&mut screen), "\r\ninit: one\r\nnexus> ");
        screen.system(b"init: two\n");
        assert_eq!(shown(&mut screen), "\r\ninit: two\r\nnexus> ");
    }

    #[test]
    fn the_next_writer_begins_a_line() {
        let mut screen = Screen::default();
        screen.raw(b"no end", Writer::Program);
        screen.end_line();
        screen.raw(b"nexus> ", Writer::Session);
        assert_eq!(shown(&mut screen), "no end\r\nnexus> ");
        screen.system(b"init: one\n");
        screen.raw(b"x\n", Writer::Session);
        screen.end_line();
        screen.raw(b"error: E\n", Writer::Session);
        assert_eq!(shown(&mut screen), "\r\ninit: one\r\nnexus> x\r\nerror: E\r\n");
    }

    #[test]
    fn a_system_line_in_pieces_is_printed_when_it_is_whole() {
        let mut screen = Screen::default();
        screen.system(b"init: a");
        screen.raw(b"x\n", Writer::Session);
        screen.system(b"b\n");
        assert_eq!(shown(&mut screen), "x\r\ninit: ab\r\n");
    }

    #[test]
    fn both_queues_are_bounded() {
        let mut screen = Screen::default();
        let flood = [b'\n'; 4032];
        let mut taken = 0;
        for _ in 0..100 {
            taken += screen.raw(&flood, Writer::Session);
            if screen.takes_system() {
                screen.system(&flood);
            }
        }
        assert!((1..=SESSION_QUEUE).contains(&taken));
        assert_eq!((screen.raw(b"x", Writer::Session), screen.takes_system()), (0, false));
        assert!(screen.pending() <= QUEUE, "{}", screen.pending());
        let mut screen = Screen::default();
        (0..100).for_each(|_| screen.system(&[b'x'; 100]));
        assert!(screen.line.len() < LINE);
    }

    #[test]
    fn a_long_unfinished_line_is_not_repeated() {
        let mut screen = Screen::default();
        screen.raw(&[b'x'; 600], Writer::Session);
        shown(&mut screen);
        screen.system(b"init: one\n");
        assert_eq!(shown(&mut screen), "\r\ninit: one\r\n");
    }

    #[test]
    fn a_long_line_that_was_cut_off_goes_on_as_a_new_one() {
        let mut screen = Screen::default();
        screen.raw(&[b'x'; 600], Writer::Program);
        shown(&mut screen);
        screen.system(b"init: one\n");
        screen.raw(b"init: ready\n", Writer::Program);
        assert_eq!(shown(&mut screen), "\r\ninit: one\r\n| init: ready\r\n");
    }
}
