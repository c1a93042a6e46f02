//! Listings as scripts read them: the keys that the interface page promises, in that order, and no others.

use super::acts::missed;
use super::{Desk, PROMPT};
use crate::proof::session::SessionError;
use serde_json::Value;
use std::time::Duration;

/// No further prompt for so long: the console has said all that there was.
const QUIET: Duration = Duration::from_secs(1);

pub(super) fn act(desk: &mut Desk) -> Result<(), SessionError> {
    let promised = promised(&std::fs::read_to_string(crate::root().join("docs/interface.md"))?);
    if promised.is_empty() {
        return Err(missed("a table of listings and their keys in docs/interface.md", Vec::new()));
    }
    // What is listed has to be there: a program, its timers, and their records, after each of which the prompt comes again.
    desk.start_behind("run rogue timers")?;
    while desk.session.wait_for(PROMPT, QUIET).is_ok() {}
    for (listing, keys) in promised {
        let argument = if listing == "caps" { " shell" } else { "" };
        let printed = desk.collect(&format!("{listing}{argument} -j"))?;
        let lines: Vec<&String> = printed.iter().filter(|line| line.starts_with('{')).collect();
        if lines.is_empty() || lines.iter().any(|line| !has(line, &keys)) {
            return Err(missed(&format!("`{listing}` with the keys {keys:?}"), printed));
        }
    }
    Ok(())
}

/// The rows of the page's table of listings.
fn promised(page: &str) -> Vec<(String, Vec<String>)> {
    let rows = page.lines().skip_while(|line| *line != "| listing | keys |").skip(2);
    let cells = rows.map_while(|row| row.strip_prefix("| `")?.strip_suffix("` |")?.split_once("` | `"));
    cells.map(|(listing, keys)| (listing.to_string(), keys.split(' ').map(str::to_string).collect())).collect()
}

/// Whether the line is one object with exactly these keys in this order.
fn has(line: &str, keys: &[String]) -> bool {
    let Ok(Value::Object(object)) = serde_json::from_str(line) else { return false };
    let mut from = 0;
    let mut in_order = keys.iter().map(|key| {
        let place = line[from..].find(&format!("\"{key}\":"));
        from += place.unwrap_or_default();
        place.is_some()
    });
    in_order.all(|found| found) && object.len() == keys.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_promises_keys_and_a_line_keeps_them_or_not() {
        let page = std::fs::read_to_string(crate::root().join("docs/interface.md")).unwrap();
        assert!(
            promised(&page).iter().any(|(listing, keys)| listing == "mem" && keys == &["kind", "used", "capacity"])
        );
        let keys = ["a".to_string(), "b".to_string()];
        assert!(has("{\"a\":1,\"b\":\"x\"}", &keys));
        for line in ["{\"b\":1,\"a\":1}", "{\"a\":1}", "{\"a\":1,\"b\":1,\"c\":1}", "{\"a\":1,\"b\":"] {
            assert!(!has(line, &keys), "{line}");
        }
    }
}
