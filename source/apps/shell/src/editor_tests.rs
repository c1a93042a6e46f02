//! The editor against a terminal that understands exactly what the editor sends.

use super::*;

const WORDS: [&str; 4] = ["cpus", "caps", "run", "reboot"];

/// A terminal of one unbounded row a line.
#[derive(Default)]
struct Terminal {
    row: Vec<char>,
    column: usize,
    finished: Vec<String>,
    /// What came of an escape sequence so far.
    sequence: Option<String>,
}

impl Write for Terminal {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        text.chars().for_each(|character| self.take(character));
        Ok(())
    }
}

impl Terminal {
    fn take(&mut self, character: char) {
        if let Some(mut sequence) = self.sequence.take() {
            if character == '[' || character.is_ascii_digit() {
                sequence.push(character);
                self.sequence = Some(sequence);
            } else {
                self.control(sequence.trim_start_matches('['), character);
            }
            return;
        }
        match character {
            '\n' => {
                self.finished.push(self.row.drain(..).collect());
                self.column = 0;
            }
            '\x1b' => self.sequence = Some(String::new()),
            plain => {
                match self.row.get_mut(self.column) {
                    Some(place) => *place = plain,
                    None => self.row.push(plain),
                }
                self.column += 1;
            }
        }
    }

    fn control(&mut self, number: &str, last: char) {
        let count: usize = number.parse().unwrap_or(1);
        match last {
            'D' => self.column = self.column.checked_sub(count).expect("left of the first column"),
            'C' => self.column += count,
            'K' => self.row.truncate(self.column),
            'H' | 'J' => (self.row, self.column) = (Vec::new(), 0),
            other => panic!("unknown sequence {number}{other}"),
        }
    }

    fn shown(&self) -> String {
        self.row.iter().collect()
    }
}

struct Desk {
    editor: Editor,
    terminal: Terminal,
}

impl Desk {
    fn new() -> Self {
        let mut desk = Desk { editor: Editor::new("> "), terminal: Terminal::default() };
        desk.editor.prompt(&mut desk.terminal);
        desk
    }

    fn key(&mut self, byte: u8) -> Option<Input> {
        let input = self.editor.feed(byte, &WORDS, &mut self.terminal);
        if input.is_some() {
            self.editor.prompt(&mut self.terminal);
        }
        let column = self.editor.line[..self.editor.cursor].chars().count() + 2;
        if self.editor.overflow == Overflow::None {
            assert_eq!((self.terminal.shown(), self.terminal.column), (format!("> {}", self.editor.line), column));
        }
        input
    }

    fn keys(&mut self, bytes: &[u8]) -> Vec<Input> {
        bytes.iter().filter_map(|byte| self.key(*byte)).collect()
    }
}

fn line(bytes: &[u8]) -> String {
    match &Desk::new().keys(bytes)[..] {
        [Input::Line(line)] => line.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn typing_and_entering_gives_the_line() {
    assert_eq!(line(b"run hello\r"), "run hello");
    assert_eq!(line("é€ x\n".as_bytes()), "é€ x");
}

#[test]
fn each_editing_key_changes_the_line_and_the_terminal_shows_it() {
    assert_eq!(line(b"abc\x08\x7f\r"), "a");
    assert_eq!(line(b"bc\x01a\x05d\r"), "abcd");
    assert_eq!(line(b"ac\x1b[Db\x1b[Cd\r"), "abcd");
    assert_eq!(line(b"abc\x02\x02\x0b\r"), "a");
    assert_eq!(line(b"abc\x02\x15\r"), "c");
    assert_eq!(line(b"run  one two \x17\x17x\r"), "run  x");
    assert_eq!(line(b"abc\x1b[H\x1b[3~\x04\r"), "c");
    assert_eq!(line("xéy\x02\x08\r".as_bytes()), "xy");
    assert_eq!(line(b"abc\x0cd\r"), "abcd");
    assert_eq!(line(b"\x08\x7f\x04\x17\x0b\x15\x02\x06ok\r"), "ok");
}

#[test]
fn history_comes_back_and_the_draft_is_kept() {
    let mut desk = Desk::new();
    desk.keys(b"one\rtwo\r");
    assert_eq!(desk.keys(b"dr\x1b[A\x1b[A\x1b[A\r"), [Input::Line("one".into())]);
    assert_eq!(desk.keys(b"dr\x10\x0e\r"), [Input::Line("dr".into())]);
}

#[test]
fn tab_completes_as_far_as_it_is_clear() {
    assert_eq!(line(b"ru\t\r"), "run ");
    assert_eq!(line(b"r\tu\t\r"), "run ");
    assert_eq!(line(b"x\t\r"), "x");
    assert_eq!(line(b"run he\t\r"), "run he");
}

#[test]
fn tab_lists_what_is_not_clear() {
    let mut desk = Desk::new();
    desk.keys(b"c\t");
    assert_eq!(desk.terminal.finished, ["> c", "cpus  caps  "]);
    assert_eq!(desk.keys(b"a\t\r"), [Input::Line("caps ".into())]);
}

#[test]
fn an_interrupt_gives_the_line_up() {
    let mut desk = Desk::new();
    assert_eq!(desk.keys(b"abc\x03def\r"), [Input::Interrupt, Input::Line("def".into())]);
    assert_eq!(desk.terminal.finished, ["> abc^C", "> def"]);
}

#[test]
fn a_line_of_the_limit_is_kept_and_one_byte_more_is_none() {
    let full = vec![b'a'; MAX_LINE];
    assert_eq!(line(&[&full[..], b"\r"].concat()).len(), MAX_LINE);
    let mut desk = Desk::new();
    assert_eq!(
        desk.keys(&[&full[..], b"ab\x1b[A\x08\t\r", b"next\r"].concat()),
        [Input::TooLong, Input::Line("next".into())]
    );
    assert_eq!(desk.keys(&[&full[..], b"a\x03", b"x\r"].concat()), [Input::Interrupt, Input::Line("x".into())]);
}

#[test]
fn a_mebibyte_line_is_refused_once_in_bounded_memory() {
    let mut desk = Desk::new();
    for _ in 0..1 << 20 {
        assert_eq!(desk.editor.feed(b'x', &WORDS, &mut desk.terminal), None);
        assert!(desk.editor.line.capacity() <= 2 * MAX_LINE);
    }
    assert_eq!(desk.editor.feed(b'\r', &WORDS, &mut desk.terminal), Some(Input::TooLong));
}

#[test]
fn random_bytes_always_leave_the_terminal_as_the_line() {
    for seed in 1..200u64 {
        let mut desk = Desk::new();
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        for _ in 0..400 {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            // Half of the bytes are those that mean something.
            let byte = if state & 1 == 0 {
                (state >> 8) as u8
            } else {
                b"\x1b[ABCDHF3~\x01\x05\x0b\x15\x17\tcr "[(state >> 8) as usize % 18]
            };
            if byte != 0x0c {
                desk.key(byte);
            }
        }
    }
}
