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

/// What the timers of a class took: wake-ups, the fewest possible, and microseconds behind the window.
struct Timers {
    class: &'static str,
    window: &'static str,
    linux: &'static str,
}

/// Linux 6.12 lean with its timer slack set to the same window; it has no PerfBurst.
const TIMERS: &[Timers] = &[
    Timers { class: "idle", window: "8 ms", linux: "15" },
    Timers { class: "normal", window: "4 ms", linux: "16" },
    Timers { class: "interactive", window: "1 ms", linux: "46" },
    Timers { class: "perfburst", window: "none", linux: "-" },
];

/// The tables, or which row is missing or malformed.
pub(super) fn print(lines: &[String]) -> Result<String, String> {
    Ok(format!("{}\n{}", instructions(lines)?, timers(lines)?))
}

/// The table of timers.
fn timers(lines: &[String]) -> Result<String, String> {
    let mut text = String::from("64 timers      window  wake-ups  fewest  latest behind window, us  Linux wake-ups\n");
    for row in TIMERS {
        let name = format!("timers {}", row.class);
        let [wakes, fewest, late] = values(lines, &name)?[..] else {
            return Err(format!("row `{name}` is malformed"));
        };
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{:<14} {:<7} {wakes:<9} {fewest:<7} {late:<25} {}", row.class, row.window, row.linux);
    }
    Ok(text)
}

/// The table of instructions, or which row is missing or malformed.
fn instructions(lines: &[String]) -> Result<String, String> {
    let mut text = String::from("instructions                        ours       seL4 fast  seL4 general  Linux\n");
    for peers in ROWS {
        let ours = find(lines, peers.row)?;
        // Writing into a string cannot fail.
        let _ = writeln!(text, "{:<35} {ours:<10} {:<10} {:<13} {}", peers.row, peers.fast, peers.general, peers.linux);
    }
    Ok(text)
}

fn find(lines: &[String], row: &str) -> Result<String, String> {
    match values(lines, row)?[..] {
        [least, most] if least == most => Ok(least.to_string()),
        [least, most] if least < most => Ok(format!("{least}..{most}")),
        _ => Err(format!("row `{row}` is malformed")),
    }
}

/// The numbers of a row.
fn values(lines: &[String], row: &str) -> Result<Vec<u64>, String> {
    let found = lines.iter().find_map(|line| {
        let mut parts = line.split_once("bench: ")?.1.split(" | ");
        (parts.next() == Some(row)).then(|| parts.map(str::trim).map(str::parse).collect::<Result<_, _>>())
    });
    let numbers = found.ok_or_else(|| format!("row `{row}` is missing"))?;
    numbers.map_err(|_| format!("row `{row}` is malformed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(change: impl Fn(&str) -> String) -> Vec<String> {
        let timers = TIMERS.iter().map(|row| format!("bench: timers {} | 5 | 5 | 7", row.class));
        ROWS.iter().map(|peers| change(peers.row)).chain(timers).collect()
    }

    #[test]
    fn every_row_stands_beside_its_peers() {
        let text = print(&lines(|row| format!("bench: {row} | 7 | 9"))).unwrap();
        assert_eq!(text.lines().count(), ROWS.len() + 1 + 2 + TIMERS.len());
        assert!(text.contains("normal         4 ms    5         5       7                         16"));
        assert!(text.contains("null system call                    7..9       115"));
    }

    #[test]
    fn a_missing_or_malformed_row_is_an_error() {
        assert!(print(&[]).unwrap_err().contains("missing"));
        assert!(print(&lines(|row| format!("bench: {row} | x | 9"))).unwrap_err().contains("malformed"));
        assert!(print(&lines(|row| format!("bench: {row} | 9"))).unwrap_err().contains("malformed"));
        assert!(print(&lines(|row| format!("bench: {row} | 9 | 7"))).unwrap_err().contains("malformed"));
        let mut fewer = lines(|row| format!("bench: {row} | 7 | 9"));
        fewer.pop();
        assert!(print(&fewer).unwrap_err().contains("missing"));
        fewer.push("bench: timers perfburst | 5 | 5".into());
        assert!(print(&fewer).unwrap_err().contains("malformed"));
    }
}
