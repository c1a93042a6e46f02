//! Keys on their way to whoever reads: the session, or the program that runs in front.
//!
//! For the session every byte is a key. A program gets lines' bytes: return is a line feed, what is typed is shown, Ctrl-D
//! is the end, and Ctrl-C is no byte at all but a signal to the session.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Keys that wait for a reader.
pub(crate) const HELD: usize = 1024;

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;

/// Who gets the keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reader {
    /// The session.
    Session,
    /// The program in front.
    Program,
}

/// What a key does beside being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Nothing.
    None,
    /// The byte is shown.
    Shown(u8),
    /// The session is signalled.
    Interrupt,
}

/// Keys between the device and their reader.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    keys: VecDeque<u8>,
    /// The program in front was told that there is nothing more.
    end: Option<()>,
}

impl Keyboard {
    /// Whether another key may be taken from the device. A program that does not read cannot hold back Ctrl-C.
    pub(crate) fn has_room(&self, reader: Reader) -> bool {
        reader == Reader::Program || self.keys.len() < HELD
    }

    /// Takes a key.
    pub(crate) fn press(&mut self, byte: u8, reader: Reader) -> Effect {
        if reader == Reader::Session {
            self.keys.push_back(byte);
            return Effect::None;
        }
        let byte = match byte {
            INTERRUPT => {
                self.keys.clear();
                return Effect::Interrupt;
            }
            END => {
                self.end = Some(());
                return Effect::None;
            }
            b'\r' => b'\n',
            plain => plain,
        };
        if self.keys.len() == HELD {
            return Effect::None;
        }
        self.keys.push_back(byte);
        match byte {
            b'\n' | b' '..=b'~' => Effect::Shown(byte),
            _ => Effect::None,
        }
    }

    /// Takes up to `most` keys away; `None`: there is nothing to say yet. No keys: the end.
    pub(crate) fn read(&mut self, most: usize) -> Option<Vec<u8>> {
        if self.keys.is_empty() {
            return self.end.take().map(|()| Vec::new());
        }
        let count = most.min(self.keys.len());
        Some(self.keys.drain(..count).collect())
    }

    /// Puts keys back that their reader did not get.
    pub(crate) fn unread(&mut self, keys: &[u8]) {
        keys.iter().rev().for_each(|key| self.keys.push_front(*key));
    }

    /// The reader changed: what was typed ahead stays, an end does not.
    pub(crate) fn change_hands(&mut self) {
        self.end = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_gets_every_byte() {
        let mut keyboard = Keyboard::default();
        (0..=255).for_each(|byte| assert_eq!(keyboard.press(byte, Reader::Session), Effect::None));
        assert_eq!(keyboard.read(1000).unwrap(), (0..=255).collect::<Vec<u8>>());
        assert_eq!(keyboard.read(1000), None);
    }

    #[test]
    fn a_program_gets_lines_an_end_and_no_interrupt() {
        let mut keyboard = Keyboard::default();
        let effects: Vec<Effect> = b"a\r\x1b".iter().map(|byte| keyboard.press(*byte, Reader::Program)).collect();
        assert_eq!(effects, [Effect::Shown(b'a'), Effect::Shown(b'\n'), Effect::None]);
        assert_eq!(keyboard.read(2).unwrap(), b"a\n");
        assert_eq!(keyboard.press(END, Reader::Program), Effect::None);
        assert_eq!((keyboard.read(9).unwrap(), keyboard.read(9), keyboard.read(9)), (vec![0x1b], Some(vec![]), None));
        keyboard.press(b'x', Reader::Program);
        assert_eq!(keyboard.press(INTERRUPT, Reader::Program), Effect::Interrupt);
        assert_eq!(keyboard.read(9), None);
    }

    #[test]
    fn keys_are_bounded_and_an_interrupt_still_comes_through() {
        let mut keyboard = Keyboard::default();
        (0..HELD).for_each(|_| _ = keyboard.press(b'x', Reader::Session));
        assert!(!keyboard.has_room(Reader::Session) && keyboard.has_room(Reader::Program));
        assert_eq!(keyboard.press(b'y', Reader::Program), Effect::None);
        assert_eq!(keyboard.keys.len(), HELD);
        assert_eq!(keyboard.press(INTERRUPT, Reader::Program), Effect::Interrupt);
    }

    #[test]
    fn keys_that_nobody_got_come_first_again() {
        let mut keyboard = Keyboard::default();
        b"abc".iter().for_each(|byte| _ = keyboard.press(*byte, Reader::Session));
        let read = keyboard.read(2).unwrap();
        keyboard.unread(&read);
        assert_eq!(keyboard.read(9).unwrap(), b"abc");
    }
}
