//! What goes to the terminal, and in which order: whole lines of the system between the bytes of the session.
//!
//! A line of the system never tears one of the session: it is printed on a line of its own, and the unfinished line of the
//! session is repeated below it. Everything is bounded; who writes faster than the device sends has to wait.

use crate::guard::Guard;
use alloc::collections::VecDeque;
use alloc::vec::Vec;

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
    /// Takes bytes of the session; answers how many. None: the queue is full.
    pub(crate) fn session(&mut self, bytes: &[u8]) -> usize {
        let room = SESSION_QUEUE.saturating_sub(self.queue.len()) / 2;
        let taken = bytes.len().min(room);
        if taken < bytes.len().min(SMALLEST) {
            return 0;
        }
        let mut out = Vec::new();
        bytes[..taken].iter().for_each(|byte| self.guard.feed(*byte, &mut out));
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

    /// Whether a chunk of the system's bytes fits, however many lines it has.
    pub(crate) fn takes_system(&self) -> bool {
        self.queue.len() <= SESSION_QUEUE
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

    fn repeat(&mut self) {
        if !self.partial.is_empty() && self.partial.len() <= REPEATED && self.queue.back() == Some(&b'\n') {
            self.queue.extend(&self.partial);
        }
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
        assert_eq!(screen.session(b"a\nb\n"), 4);
        assert_eq!(shown(&mut screen), "a\r\nb\r\n");
    }

    #[test]
    fn a_system_line_stands_alone_and_the_unfinished_line_below_it() {
        let mut screen = Screen::default();
        screen.session(b"nexus> he");
        screen.system(b"init: one\ninit: two\n");
        screen.session(b"lp\n");
        screen.system(b"init: three\n");
        assert_eq!(shown(&mut screen), "nexus> he\r\ninit: one\r\ninit: two\r\nnexus> help\r\ninit: three\r\n");
    }

    #[test]
    fn the_unfinished_line_is_kept_apart_also_when_the_device_had_sent_it() {
        let mut screen = Screen::default();
        screen.session(b"nexus> ");
        assert_eq!(shown(&mut screen), "nexus> ");
        screen.system(b"init: one\n");
        assert_eq!(shown(&mut screen), "\r\ninit: one\r\nnexus> ");
        screen.system(b"init: two\n");
        assert_eq!(shown(&mut screen), "\r\ninit: two\r\nnexus> ");
    }

    #[test]
    fn a_system_line_in_pieces_is_printed_when_it_is_whole() {
        let mut screen = Screen::default();
        screen.system(b"init: a");
        screen.session(b"x\n");
        screen.system(b"b\n");
        assert_eq!(shown(&mut screen), "x\r\ninit: ab\r\n");
    }

    #[test]
    fn both_queues_are_bounded() {
        let mut screen = Screen::default();
        let flood = [b'\n'; 4032];
        let mut taken = 0;
        for _ in 0..100 {
            taken += screen.session(&flood);
            if screen.takes_system() {
                screen.system(&flood);
            }
        }
        assert!((1..=SESSION_QUEUE).contains(&taken));
        assert_eq!((screen.session(b"x"), screen.takes_system()), (0, false));
        assert!(screen.pending() <= QUEUE, "{}", screen.pending());
        let mut screen = Screen::default();
        (0..100).for_each(|_| screen.system(&[b'x'; 100]));
        assert!(screen.line.len() < LINE);
    }

    #[test]
    fn a_long_unfinished_line_is_not_repeated() {
        let mut screen = Screen::default();
        screen.session(&[b'x'; 600]);
        shown(&mut screen);
        screen.system(b"init: one\n");
        assert_eq!(shown(&mut screen), "\r\ninit: one\r\n");
    }
}
