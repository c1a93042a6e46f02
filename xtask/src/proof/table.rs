//! Plain tables: rows of `|`-separated columns, `#` comments.
//!
//! The data of the proof is read by people first, so it stands in columns and not in a markup language.

use std::fmt;

/// What is wrong with a data file, and where.
#[derive(Debug, PartialEq, Eq)]
pub struct TableError {
    /// The file's name.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong.
    pub text: String,
}

impl fmt::Display for TableError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.text)
    }
}

/// One row: its line number and its columns, trimmed.
#[derive(Debug)]
pub struct Row<'a> {
    file: &'a str,
    /// The line, counted from 1.
    pub number: usize,
    /// The columns, trimmed.
    pub columns: Vec<&'a str>,
}

impl Row<'_> {
    /// An error that points at this row.
    pub fn error(&self, text: impl Into<String>) -> TableError {
        TableError { file: self.file.to_string(), line: self.number, text: text.into() }
    }
}

/// Splits `text` into rows of exactly `width` columns; the last column keeps any further `|`.
pub fn rows<'a>(file: &'a str, text: &'a str, width: usize) -> Result<Vec<Row<'a>>, TableError> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let columns = line.splitn(width, '|').map(str::trim).collect();
        let row = Row { file, number: index + 1, columns };
        if row.columns.len() != width {
            return Err(row.error(format!("{} columns, not {width}", row.columns.len())));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The words of a comma-separated column.
pub fn words(column: &str) -> Vec<String> {
    column.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_are_skipped_and_columns_trimmed() {
        let rows = rows("t", "# c\n\n a | b,c \n", 2).unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!((rows[0].number, rows[0].columns.as_slice()), (3, &["a", "b,c"][..]));
        assert_eq!(words(rows[0].columns[1]), ["b", "c"]);
    }

    #[test]
    fn a_row_of_the_wrong_width_is_refused_with_its_line() {
        let error = rows("t", "# c\na\n", 2).unwrap_err();
        assert_eq!(error.to_string(), "t:2: 1 columns, not 2");
    }

    #[test]
    fn the_last_column_keeps_further_bars() {
        assert_eq!(rows("t", "a|b|c", 2).unwrap()[0].columns, ["a", "b|c"]);
    }
}
