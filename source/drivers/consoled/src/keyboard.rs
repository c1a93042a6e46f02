//! Keys on their way to whoever reads: the session, or the program that runs in front.
//!
//! For the session every byte is a key. A program gets whole lines: what is typed is shown and can be taken back until
//! return is pressed; Ctrl-D ends the input, Ctrl-C is no byte at all but a signal to the session.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

/// Keys that wait for a reader at most.
pub(crate) const HELD: usize = 1024;

const INTERRUPT: u8 = 0x03;
const END: u8 = 0x04;
const BACK: u8 = 0x08;
const KILL: u8 = 0x15;
const DELETE: u8 = 0x7f;

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
    /// This many shown bytes are taken back.
    Erased(usize),
    /// The session is signalled.
    Interrupt,
}

/// Keys between the device and their reader.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    keys: VecDeque<u8>,
    /// The line that a program does not have yet.
    line: Vec<u8>,
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
        match byte {
            INTERRUPT => {
                self.keys.clear();
                self.line.clear();
                Effect::Interrupt
            }
            END if self.line.is_empty() => {
                self.end = Some(());
                Effect::None
            }
            END => self.hand_over(),
            BACK | DELETE => Effect::Erased(self.line.pop().map_or(0, |_| 1)),
            KILL => Effect::Erased(self.line.drain(..).count()),
            b'\r' | b'\n' if self.keys.len() < HELD => {
                self.line.push(b'\n');
                self.hand_over();
                Effect::Shown(b'\n')
            }
            b'\t' | b' '..=b'~' | 0x80.. if self.keys.len() + self.line.len() < HELD => {
                self.line.push(byte);
                Effect::Shown(byte)
            }
            _ => Effect::None,
        }
    }

    fn hand_over(&mut self) -> Effect {
        self.keys.extend(self.line.drain(..));
        Effect::None
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
        self.hand_over();
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

    fn effects(keyboard: &mut Keyboard, keys: &[u8]) -> Vec<Effect> {
        keys.iter().map(|byte| keyboard.press(*byte, Reader::Program)).collect()
    }

    #[test]
    fn a_program_gets_whole_lines_that_could_be_mended() {
        let mut keyboard = Keyboard::default();
        let shown = effects(&mut keyboard, b"ab\x7f\x08\x08");
        let taken_back = [Effect::Erased(1), Effect::Erased(1), Effect::Erased(0)];
        assert_eq!(shown[..2], [Effect::Shown(b'a'), Effect::Shown(b'b')]);
        assert_eq!((&shown[2..], keyboard.read(9)), (&taken_back[..], None));
        assert_eq!(effects(&mut keyboard, b"xy\x15").last(), Some(&Effect::Erased(2)));
        assert_eq!(effects(&mut keyboard, b"c\x1b\r"), [Effect::Shown(b'c'), Effect::None, Effect::Shown(b'\n')]);
        assert_eq!(keyboard.read(9).unwrap(), b"c\n");
    }

    #[test]
    fn a_program_gets_an_end_and_no_interrupt() {
        let mut keyboard = Keyboard::default();
        effects(&mut keyboard, b"part\x04\x04");
        assert_eq!(
            (keyboard.read(9).unwrap(), keyboard.read(9), keyboard.read(9)),
            (b"part".to_vec(), Some(vec![]), None)
        );
        effects(&mut keyboard, b"x\ry");
        assert_eq!(effects(&mut keyboard, &[INTERRUPT]), [Effect::Interrupt]);
        assert_eq!(effects(&mut keyboard, b"\r"), [Effect::Shown(b'\n')]);
        assert_eq!(keyboard.read(9).unwrap(), b"\n");
    }

    #[test]
    fn keys_are_bounded_and_line_ends_and_interrupts_still_come_through() {
        let mut keyboard = Keyboard::default();
        (0..HELD).for_each(|_| _ = keyboard.press(b'x', Reader::Session));
        assert!(!keyboard.has_room(Reader::Session) && keyboard.has_room(Reader::Program));
        assert_eq!(effects(&mut keyboard, b"y\x03"), [Effect::None, Effect::Interrupt]);
        effects(&mut keyboard, &[b'z'; 2 * HELD]);
        assert_eq!(keyboard.line.len(), HELD);
        effects(&mut keyboard, &[b'\r'; 2 * HELD]);
        assert_eq!(keyboard.keys.len(), HELD + 1);
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
