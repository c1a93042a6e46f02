//! From bytes to keys: control bytes, escape sequences, UTF-8.
//!
//! Every byte string decodes: what is no key is dropped, and no sequence is remembered for longer than its bound.

/// What was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Enter,
    Tab,
    Backspace,
    Delete,
    Left,
    Right,
    Up,
    Down,
    Home,
    End,
    /// Removes from the cursor to the end.
    KillRight,
    /// Removes from the start to the cursor.
    KillLeft,
    /// Removes the word before the cursor.
    KillWord,
    ClearScreen,
    Interrupt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Ground,
    /// After the return key: a line feed that follows belongs to it.
    Return,
    Escape,
    /// Inside a control sequence: its number so far.
    Control(u16),
    /// After `ESC O`, one byte follows.
    Single,
    /// Inside a UTF-8 character.
    Utf8,
}

/// The decoder.
#[derive(Debug)]
pub(crate) struct Keys {
    state: State,
    utf8: [u8; 4],
    length: usize,
}

impl Keys {
    pub(crate) const fn new() -> Self {
        Keys { state: State::Ground, utf8: [0; 4], length: 0 }
    }

    /// Takes one byte; a key when it completes one.
    pub(crate) fn feed(&mut self, byte: u8) -> Option<Key> {
        let state = core::mem::replace(&mut self.state, State::Ground);
        match state {
            State::Return if byte == b'\n' => None,
            State::Ground | State::Return => self.plain(byte),
            State::Escape => {
                self.state = match byte {
                    b'[' => State::Control(0),
                    b'O' => State::Single,
                    0x1b => State::Escape,
                    _ => State::Ground,
                };
                None
            }
            State::Control(number) => self.control(number, byte),
            State::Single => cursor_key(byte),
            State::Utf8 => self.continued(byte),
        }
    }

    fn plain(&mut self, byte: u8) -> Option<Key> {
        let key = match byte {
            0x01 => Key::Home,
            0x02 => Key::Left,
            0x03 => Key::Interrupt,
            0x04 => Key::Delete,
            0x05 => Key::End,
            0x06 => Key::Right,
            0x08 | 0x7f => Key::Backspace,
            b'\t' => Key::Tab,
            b'\n' => Key::Enter,
            0x0b => Key::KillRight,
            0x0c => Key::ClearScreen,
            b'\r' => {
                self.state = State::Return;
                Key::Enter
            }
            0x0e => Key::Down,
            0x10 => Key::Up,
            0x15 => Key::KillLeft,
            0x17 => Key::KillWord,
            0x1b => {
                self.state = State::Escape;
                return None;
            }
            b' '..=b'~' => Key::Char(char::from(byte)),
            0xc2..=0xf4 => {
                self.state = State::Utf8;
                (self.utf8[0], self.length) = (byte, 1);
                return None;
            }
            _ => return None,
        };
        Some(key)
    }

    /// A byte of `ESC [ number final`; any other byte ends the sequence.
    fn control(&mut self, number: u16, byte: u8) -> Option<Key> {
        match byte {
            b'0'..=b'9' => {
                self.state = State::Control(number.saturating_mul(10).saturating_add(u16::from(byte - b'0')));
                None
            }
            b'~' => match number {
                1 | 7 => Some(Key::Home),
                3 => Some(Key::Delete),
                4 | 8 => Some(Key::End),
                _ => None,
            },
            // Intermediate and parameter bytes of sequences that mean nothing here: swallowed up to their final byte.
            b' '..=b'?' => {
                self.state = State::Control(u16::MAX);
                None
            }
            0x40..=0x7e => cursor_key(byte),
            // A sequence that was cut off: the byte stands for itself.
            _ => self.plain(byte),
        }
    }

    fn continued(&mut self, byte: u8) -> Option<Key> {
        if byte & 0xc0 != 0x80 {
            return self.plain(byte);
        }
        self.utf8[self.length] = byte;
        self.length += 1;
        let wanted = match self.utf8[0] {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            _ => 4,
        };
        if self.length < wanted {
            self.state = State::Utf8;
            return None;
        }
        let text = core::str::from_utf8(&self.utf8[..wanted]).ok()?;
        text.chars().next().filter(|character| !character.is_control()).map(Key::Char)
    }
}

fn cursor_key(byte: u8) -> Option<Key> {
    match byte {
        b'A' => Some(Key::Up),
        b'B' => Some(Key::Down),
        b'C' => Some(Key::Right),
        b'D' => Some(Key::Left),
        b'F' => Some(Key::End),
        b'H' => Some(Key::Home),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::new();
        bytes.iter().filter_map(|byte| keys.feed(*byte)).collect()
    }

    #[test]
    fn each_way_to_end_a_line_is_one_enter() {
        assert_eq!(keys(b"\r"), [Key::Enter]);
        assert_eq!(keys(b"\n"), [Key::Enter]);
        assert_eq!(keys(b"\r\n"), [Key::Enter]);
        assert_eq!(keys(b"\n\n"), [Key::Enter, Key::Enter]);
        assert_eq!(keys(b"\r\r"), [Key::Enter, Key::Enter]);
        assert_eq!(keys(b"\ra\n"), [Key::Enter, Key::Char('a'), Key::Enter]);
    }

    #[test]
    fn cursor_keys_come_in_both_spellings() {
        assert_eq!(keys(b"\x1b[A\x1bOB\x1b[H\x1b[4~\x1b[3~"), [Key::Up, Key::Down, Key::Home, Key::End, Key::Delete]);
    }

    #[test]
    fn an_unknown_sequence_is_swallowed_to_its_end() {
        assert_eq!(
            keys(b"\x1b[200~x\x1b[1;5Cy\x1b[?25hz"),
            [Key::Char('x'), Key::Right, Key::Char('y'), Key::Char('z')]
        );
        assert_eq!(keys(b"\x1b\x1b[A"), [Key::Up]);
    }

    #[test]
    fn a_cut_off_sequence_gives_the_next_key_back() {
        assert_eq!(keys(b"\x1b[1\x03"), [Key::Interrupt]);
        assert_eq!(keys(b"\xe2\x82\r"), [Key::Enter]);
    }

    #[test]
    fn utf8_characters_are_whole_and_broken_ones_dropped() {
        assert_eq!(keys("é€😀".as_bytes()), [Key::Char('é'), Key::Char('€'), Key::Char('😀')]);
        assert_eq!(keys(b"\xff\x80\xc0\xaf\xed\xa0\x80a"), [Key::Char('a')]);
        assert_eq!(keys("\u{85}".as_bytes()), []);
    }

    #[test]
    fn every_byte_in_every_state_leaves_a_decoder_that_still_works() {
        let starts: [&[u8]; 7] = [b"", b"\r", b"\x1b", b"\x1b[", b"\x1b[99999999", b"\x1bO", b"\xf0\x90"];
        for start in starts {
            for byte in 0..=255 {
                let mut decoder = Keys::new();
                start.iter().chain([&byte]).for_each(|byte| _ = decoder.feed(*byte));
                // A byte string that ends every open sequence, then a key.
                let last: Vec<Key> = b"~~\x03".iter().filter_map(|byte| decoder.feed(*byte)).collect();
                assert_eq!(last.last(), Some(&Key::Interrupt), "{start:?} {byte}");
            }
        }
    }
}
