//! TOML values that remember their line.
//!
//! A typed deserializer would name the key but not judge it; this reader refuses unknown keys, missing keys, wrong types
//! and numbers out of range with the line they stand on, and hands every value on together with that line, because the
//! rules that need the whole manifest (cycles, quotas, owners) must point back as well.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::refusal::{Broken, Rule, broken};

/// A value and the line it stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) line: usize,
}

/// The file's text, to turn offsets into lines.
#[derive(Clone, Copy)]
struct Lines<'a>(&'a str);

impl Lines<'_> {
    fn of(self, offset: usize) -> usize {
        1 + self.0.bytes().take(offset).filter(|&byte| byte == b'\n').count()
    }
}

/// Parses `text` and gives its top table to `read`.
pub(super) fn with_document<T>(text: &str, read: impl FnOnce(Table<'_>) -> Result<T, Broken>) -> Result<T, Broken> {
    let lines = Lines(text);
    let document = DeTable::parse(text).map_err(|error| {
        let offset = error.span().map_or(0, |span| span.start);
        broken(Rule::Syntax, lines.of(offset), error.message())
    })?;
    read(Table { entries: document.get_ref(), lines, line: 1, name: "the manifest" })
}

/// One table of the file.
#[derive(Clone, Copy)]
pub(super) struct Table<'a> {
    entries: &'a DeTable<'a>,
    lines: Lines<'a>,
    pub(super) line: usize,
    name: &'a str,
}

impl<'a> Table<'a> {
    /// Refuses every key that is not one of `known`.
    pub(super) fn only(self, known: &[&str]) -> Result<Self, Broken> {
        let stranger = self
            .entries
            .iter()
            .filter(|(key, _)| !known.contains(&key.get_ref().as_ref()))
            .min_by_key(|(key, _)| key.span().start);
        match stranger {
            Some((key, _)) => {
                let text = format!("`{}` is not a key of {}", key.get_ref(), self.name);
                Err(broken(Rule::UnknownKey, self.lines.of(key.span().start), text))
            }
            None => Ok(self),
        }
    }

    /// The value of `key`, which must be there.
    pub(super) fn required(self, key: &'a str) -> Result<Item<'a>, Broken> {
        let text = || format!("{} has no `{key}`", self.name);
        self.optional(key).ok_or_else(|| broken(Rule::MissingKey, self.line, text()))
    }

    /// The value of `key`, if it is there.
    pub(super) fn optional(self, key: &'a str) -> Option<Item<'a>> {
        let value = self.entries.get(key)?;
        Some(Item { value, lines: self.lines, key })
    }

    /// All entries in the order of the file, keys with their lines.
    pub(super) fn entries(self) -> Vec<(At<String>, Item<'a>)> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by_key(|(key, _)| key.span().start);
        let lines = self.lines;
        let entry = |(key, value): (&'a Spanned<_>, &'a Spanned<DeValue<'a>>)| {
            let name: &'a std::borrow::Cow<'a, str> = key.get_ref();
            let at = At { value: name.to_string(), line: lines.of(key.span().start) };
            (at, Item { value, lines, key: name.as_ref() })
        };
        entries.into_iter().map(entry).collect()
    }

    /// The tables of the array of tables `key`; none if it is not there.
    pub(super) fn tables(self, key: &'a str) -> Result<Vec<Table<'a>>, Broken> {
        match self.optional(key) {
            None => Ok(Vec::new()),
            Some(item) => item.list()?.into_iter().map(Item::table).collect(),
        }
    }
}

/// One value of the file.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    value: &'a Spanned<DeValue<'a>>,
    lines: Lines<'a>,
    key: &'a str,
}

impl<'a> Item<'a> {
    /// The line that it stands on.
    pub(super) fn line(self) -> usize {
        self.lines.of(self.value.span().start)
    }

    /// The text that it is.
    pub(super) fn text(self) -> Result<At<String>, Broken> {
        let text = self.value.get_ref().as_str().ok_or_else(|| self.not("a string"))?;
        Ok(At { value: text.to_owned(), line: self.line() })
    }

    /// The number that it is.
    pub(super) fn number<T: TryFrom<u64>>(self) -> Result<At<T>, Broken> {
        let digits = self.value.get_ref().as_integer().ok_or_else(|| self.not("a whole number"))?;
        let text = || format!("`{}` cannot be {digits}", self.key);
        let value = u64::from_str_radix(digits.as_str(), digits.radix())
            .ok()
            .and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| broken(Rule::OutOfRange, self.line(), text()))?;
        Ok(At { value, line: self.line() })
    }

    /// The table that it is.
    pub(super) fn table(self) -> Result<Table<'a>, Broken> {
        let entries = self.value.get_ref().as_table().ok_or_else(|| self.not("a table"))?;
        Ok(Table { entries, lines: self.lines, line: self.line(), name: self.key })
    }

    /// The list that it is.
    pub(super) fn list(self) -> Result<Vec<Item<'a>>, Broken> {
        let values = self.value.get_ref().as_array().ok_or_else(|| self.not("a list"))?;
        Ok(values.iter().map(|value| Item { value, ..self }).collect())
    }

    /// The list of distinct words that it is.
    pub(super) fn words(self) -> Result<Vec<At<String>>, Broken> {
        let mut words: Vec<At<String>> = Vec::new();
        for item in self.list()? {
            let word = item.text()?;
            if words.iter().any(|earlier| earlier.value == word.value) {
                let text = format!("`{}` has `{}` twice", self.key, word.value);
                return Err(broken(Rule::Repeated, word.line, text));
            }
            words.push(word);
        }
        Ok(words)
    }

    fn not(self, wanted: &str) -> Broken {
        let found = self.value.get_ref().type_str();
        broken(Rule::WrongType, self.line(), format!("`{}` is {wanted}, not {found}", self.key))
    }
}
