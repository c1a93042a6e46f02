//! From the lines that the program printed to the table.

use std::fmt::Write as _;

/// What others need for the same, in instructions: seL4's fast path, seL4's general path, Linux 6.12 lean.
struct Peers {
    row: &'static str,
    fast: &'static str,
    general: &'static str,
    linux: &'static str,
}

/// Rows in the order of the table. One that the program does not print is an error.
const ROWS: &[Peers] = &[
    Peers { row: "null system call", fast: "115", general: "-", linux: "225" },
    Peers { row: "call", fast: "235", general: "-", linux: "-" },
    Peers { row: "reply and receive", fast: "256", general: "-", linux: "-" },
    Peers { row: "round trip, 0 to 8 words", fast: "491", general: "1733", linux: "6100" },
    Peers { row: "call with deadline", fast: "-", general: "-", linux: "-" },
    Peers { row: "reply and receive with deadline", fast: "-", general: "-", linux: "-" },
    Peers { row: "round trip with deadlines", fast: "-", general: "-", linux: "-" },
    Peers { row: "signal, nobody waits", fast: "-", general: "-", linux: "-" },
    Peers { row: "map one page", fast: "724", general: "715", linux: "-" },
    Peers { row: "unmap one page", fast: "682", general: "625", linux: "-" },
];

/// The table, or which row is missing or malformed.
pub(super) fn print(lines: &[String]) -> Result<String, String> {
    let mut text = String::from("instructions                        ours       seL4 fast  seL4 general  Linux\n");
    for peers in ROWS {
        let ours = find(lines, peers.row)?;
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{:<35} {ours:<10} {:<10} {:<13} {}", peers.row, peers.fast, peers.general, peers.linux);
    }
    Ok(text)
}

fn find(lines: &[String], row: &str) -> Result<String, String> {
    let values = lines.iter().find_map(|line| {
        let mut parts = line.split_once("bench: ")?.1.split(" | ");
        (parts.next() == Some(row)).then(|| parts.map(str::trim).map(str::parse::<u64>).collect::<Vec<_>>())
    });
    match values.as_deref() {
        Some([Ok(least), Ok(most)]) if least == most => Ok(least.to_string()),
        Some([Ok(least), Ok(most)]) if least < most => Ok(format!("{least}..{most}")),
        Some(_) => Err(format!("row `{row}` is malformed")),
        None => Err(format!("row `{row}` is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(change: impl Fn(&str) -> String) -> Vec<String> {
        ROWS.iter().map(|peers| change(peers.row)).collect()
    }

    #[test]
    fn every_row_stands_beside_its_peers() {
        let text = print(&lines(|row| format!("bench: {row} | 7 | 9"))).unwrap();
        assert_eq!(text.lines().count(), ROWS.len() + 1);
        assert!(text.contains("null system call                    7..9       115"));
    }

    #[test]
    fn a_missing_or_malformed_row_is_an_error() {
        assert!(print(&[]).unwrap_err().contains("missing"));
        assert!(print(&lines(|row| format!("bench: {row} | x | 9"))).unwrap_err().contains("malformed"));
        assert!(print(&lines(|row| format!("bench: {row} | 9"))).unwrap_err().contains("malformed"));
        assert!(print(&lines(|row| format!("bench: {row} | 9 | 7"))).unwrap_err().contains("malformed"));
    }
}
