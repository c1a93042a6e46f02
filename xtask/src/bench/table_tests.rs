//! The table from figures that a test makes up.

use super::*;

fn readings(change: impl Fn(&str) -> String) -> Readings {
    let lines = |boot| ROWS.iter().filter(move |row| row.boot == boot).map(|row| change(row.printed));
    let timers = TIMERS.iter().map(|row| format!("bench: timers {} | 5 | 5 | 7", row.class));
    let normal = lines(Boot::Normal).chain(timers).collect();
    let [undirected, held, still] = [Boot::Undirected, Boot::Held, Boot::None].map(|boot| lines(boot).collect());
    Readings { normal, undirected, held, still }
}

#[test]
fn every_row_stands_beside_its_bars_and_peers() {
    let text = text(&readings(|row| format!("bench: {row} | 7 | 9"))).unwrap();
    assert_eq!(text.lines().count(), ROWS.len() + 2 + 1 + TIMERS.len() + 2);
    assert!(text.contains("| normal | 4 ms | 5 | 5 | 7 | 16 |"));
    assert!(text.contains("| null system call | 7 to 9 | 114 | 50 | goal | 115 | - | 225 | 1130 |"));
}

#[test]
fn the_worst_sample_is_held_against_the_bars() {
    for (most, verdict) in [(50, "goal"), (51, "must"), (114, "must"), (115, "**missed**")] {
        let text = text(&readings(|row| format!("bench: {row} | 7 | {most}"))).unwrap();
        let line = text.lines().find(|line| line.starts_with("| null system call")).unwrap();
        assert_eq!(line.split(" | ").nth(4), Some(verdict), "{most}");
    }
}

#[test]
fn the_general_path_is_read_from_its_own_boot() {
    let mut found = readings(|row| format!("bench: {row} | 7 | 7"));
    found.undirected = found.undirected.iter().map(|line| line.replace("7", "8")).collect();
    let text = text(&found).unwrap();
    assert!(text.contains("| round trip, 0 to 8 words | 7 |") && text.contains("| round trip, general path | 8 |"));
}

#[test]
fn a_missing_or_malformed_row_is_an_error() {
    assert!(text(&Readings::default()).unwrap_err().contains("missing"));
    for wrong in ["x | 9", "9", "9 | 7", "7 | 8 | 9"] {
        assert!(text(&readings(|row| format!("bench: {row} | {wrong}"))).unwrap_err().contains("malformed"), "{wrong}");
    }
    let mut fewer = readings(|row| format!("bench: {row} | 7 | 9"));
    fewer.normal.pop();
    assert!(text(&fewer).unwrap_err().contains("missing"));
    fewer.normal.push("bench: timers perfburst | 5 | 5".into());
    assert!(text(&fewer).unwrap_err().contains("malformed"));
}
