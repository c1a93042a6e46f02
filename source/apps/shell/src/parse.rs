//! From a line to words: quotes, escapes, stages of a pipe, background.

use crate::Failure;
use alloc::string::String;
use alloc::vec::Vec;

/// Where a program runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The shell waits for it.
    Foreground,
    /// The prompt is back at once.
    Background,
}

/// A line that was understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The stages of the pipe, each with a word at least; none for an empty line.
    pub stages: Vec<Vec<String>>,
    /// Where it runs.
    pub place: Place,
}

/// Splits a line. Words are divided by white space; `'…'` keeps everything, `"…"` everything but `\"`, `\\`, `\n` and
/// `\t`; a backslash outside quotes keeps the next character.
pub fn parse(text: &str) -> Result<Line, Failure> {
    let mut parser = Parser { stages: Vec::new(), words: Vec::new(), word: None };
    let mut characters = text.chars();
    let mut place = Place::Foreground;
    while let Some(character) = characters.next() {
        if place == Place::Background && !character.is_whitespace() {
            return Err(Failure::invalid("`&` stands at the end only"));
        }
        match character {
            '\'' => parser.quoted(&mut characters)?,
            '"' => parser.double_quoted(&mut characters)?,
            '\\' => match characters.next() {
                Some(kept) => parser.push(kept),
                None => return Err(Failure::invalid("nothing follows the backslash")),
            },
            '|' => parser.end_stage()?,
            '&' => place = Place::Background,
            space if space.is_whitespace() => parser.end_word(),
            plain => parser.push(plain),
        }
    }
    parser.end_word();
    if !parser.stages.is_empty() || !parser.words.is_empty() || place == Place::Background {
        parser.end_stage()?;
    }
    Ok(Line { stages: parser.stages, place })
}

struct Parser {
    stages: Vec<Vec<String>>,
    words: Vec<String>,
    word: Option<String>,
}

impl Parser {
    fn push(&mut self, character: char) {
        self.word.get_or_insert_default().push(character);
    }

    fn end_word(&mut self) {
        self.words.extend(self.word.take());
    }

    fn end_stage(&mut self) -> Result<(), Failure> {
        self.end_word();
        if self.words.is_empty() {
            return Err(Failure::invalid("a command is missing beside `|` or `&`"));
        }
        self.stages.push(core::mem::take(&mut self.words));
        Ok(())
    }

    fn quoted(&mut self, characters: &mut core::str::Chars<'_>) -> Result<(), Failure> {
        let word = self.word.get_or_insert_default();
        for character in characters {
            match character {
                '\'' => return Ok(()),
                plain => word.push(plain),
            }
        }
        Err(Failure::invalid("a quote is not closed"))
    }

    fn double_quoted(&mut self, characters: &mut core::str::Chars<'_>) -> Result<(), Failure> {
        let word = self.word.get_or_insert_default();
        while let Some(character) = characters.next() {
            match character {
                '"' => return Ok(()),
                '\\' => match characters.next() {
                    Some('n') => word.push('\n'),
                    Some('t') => word.push('\t'),
                    Some(kept @ ('"' | '\\')) => word.push(kept),
                    Some(other) => word.extend(['\\', other]),
                    None => break,
                },
                plain => word.push(plain),
            }
        }
        Err(Failure::invalid("a quote is not closed"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<Vec<String>> {
        parse(text).unwrap().stages
    }

    fn refused(text: &str) -> String {
        parse(text).unwrap_err().text
    }

    #[test]
    fn words_are_divided_by_any_white_space() {
        assert_eq!(words("  run \t hello   x "), [["run", "hello", "x"]]);
        assert_eq!(words(" \t "), Vec::<Vec<String>>::new());
    }

    #[test]
    fn quotes_and_backslashes_keep_what_they_enclose() {
        assert_eq!(
            words(r#"a 'b c' "d \"e\" \n \x" f\ g '' x'y'"z""#),
            [["a", "b c", "d \"e\" \n \\x", "f g", "", "xyz"]]
        );
        assert_eq!(words(r#"'a|b&c' \| \&"#), [["a|b&c", "|", "&"]]);
    }

    #[test]
    fn bars_divide_stages_and_an_ampersand_ends_the_line() {
        let line = parse("run a 1|b 2 | c&").unwrap();
        assert_eq!(line.stages, [vec!["run", "a", "1"], vec!["b", "2"], vec!["c"]]);
        assert_eq!(line.place, Place::Background);
        assert_eq!(parse("run a").unwrap().place, Place::Foreground);
    }

    #[test]
    fn what_is_not_whole_is_refused() {
        for text in ["'", "\"", "a 'b", "\"\\", "\"\\\""] {
            assert_eq!(refused(text), "a quote is not closed", "{text}");
        }
        for text in ["|", "a|", "|a", "a||b", "&", "a|&"] {
            assert_eq!(refused(text), "a command is missing beside `|` or `&`", "{text}");
        }
        assert_eq!(refused("a & b"), "`&` stands at the end only");
        assert_eq!(refused("a\\"), "nothing follows the backslash");
    }
}
