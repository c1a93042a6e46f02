//! Listings: aligned columns for people, JSON lines for programs.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt::{self, Write};

/// One value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number, aligned to the right.
    Number(u64),
    /// Nothing: `-`, in JSON `null`.
    Absent,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Cell::Number(number)
    }
}

impl From<u8> for Cell {
    fn from(number: u8) -> Self {
        Cell::Number(u64::from(number))
    }
}

impl From<u32> for Cell {
    fn from(number: u32) -> Self {
        Cell::Number(u64::from(number))
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Cell::Absent, Into::into)
    }
}

/// How a listing is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Aligned columns under their names.
    Columns,
    /// One JSON object a row.
    JsonLines,
}

/// Rows under named columns.
#[derive(Clone, Debug)]
pub struct Listing {
    columns: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Listing {
    /// An empty listing.
    pub fn new(columns: &'static [&'static str]) -> Self {
        Listing { columns, rows: Vec::new() }
    }

    /// Adds a row with one cell a column.
    pub fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        let cells = cells.into();
        debug_assert_eq!(cells.len(), self.columns.len(), "a row has one cell a column");
        self.rows.push(cells);
    }

    /// Prints it.
    pub fn print(&self, form: Form, out: &mut dyn Write) -> fmt::Result {
        match form {
            Form::Columns => self.print_columns(out),
            Form::JsonLines => self.rows.iter().try_for_each(|row| self.print_json(row, out)),
        }
    }

    fn print_columns(&self, out: &mut dyn Write) -> fmt::Result {
        let texts: Vec<Vec<String>> = self.rows.iter().map(|row| row.iter().map(plain).collect()).collect();
        let width = |at: usize| texts.iter().map(|row| row[at].chars().count()).chain([self.columns[at].len()]).max();
        let widths: Vec<usize> = (0..self.columns.len()).filter_map(width).collect();
        let right = |at: usize| self.rows.iter().any(|row| matches!(row[at], Cell::Number(_)));
        let heads: Vec<String> = self.columns.iter().map(|name| name.to_string()).collect();
        for row in core::iter::once(&heads).chain(&texts) {
            let mut line = String::new();
            for (at, text) in row.iter().enumerate() {
                match right(at) {
                    true => write!(line, "{text:>width$}  ", width = widths[at])?,
                    false => write!(line, "{text:<width$}  ", width = widths[at])?,
                }
            }
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }

    fn print_json(&self, row: &[Cell], out: &mut dyn Write) -> fmt::Result {
        out.write_char('{')?;
        for (at, (name, cell)) in self.columns.iter().zip(row).enumerate() {
            if at > 0 {
                out.write_char(',')?;
            }
            write!(out, "\"{name}\":")?;
            match cell {
                Cell::Text(text) => json_string(text, out)?,
                Cell::Number(number) => write!(out, "{number}")?,
                Cell::Absent => out.write_str("null")?,
            }
        }
        out.write_str("}\n")
    }
}

/// A cell for people: no control byte reaches the terminal.
fn plain(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => {
            text.chars().map(|character| if character.is_control() { '?' } else { character }).collect()
        }
        Cell::Number(number) => number.to_string(),
        Cell::Absent => "-".to_string(),
    }
}

/// RFC 8259, section 7.
fn json_string(text: &str, out: &mut dyn Write) -> fmt::Result {
    out.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            control if control.is_control() => write!(out, "\\u{:04x}", u32::from(control))?,
            other => out.write_char(other)?,
        }
    }
    out.write_char('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> Listing {
        let mut listing = Listing::new(&["pid", "name"]);
        listing.row([Cell::from(7u64), Cell::from("a \"b\"\n\u{1b}\\")]);
        listing.row([Cell::Absent, Cell::from("longer than the others")]);
        listing
    }

    fn printed(form: Form) -> String {
        let mut out = String::new();
        listing().print(form, &mut out).unwrap();
        out
    }

    #[test]
    fn columns_are_aligned_and_hold_no_control_byte() {
        assert_eq!(printed(Form::Columns), "pid  name\n  7  a \"b\"??\\\n  -  longer than the others\n");
    }

    #[test]
    fn json_lines_are_one_object_a_row_with_everything_escaped() {
        let text = printed(Form::JsonLines);
        let mut lines = text.lines();
        assert_eq!(lines.next(), Some(r#"{"pid":7,"name":"a \"b\"\u000a\u001b\\"}"#));
        assert_eq!(lines.next(), Some(r#"{"pid":null,"name":"longer than the others"}"#));
        assert_eq!(lines.next(), None);
    }
}
