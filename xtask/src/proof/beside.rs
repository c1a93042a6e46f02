//! Lines beside the ladder: no proof expects them, but what they claim has its counterfactual too.

use super::table::{TableError, rows};
use super::variant::Difference;
use std::path::Path;

/// One such line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// What is different in the boot image that prints it.
    pub world: Option<Difference>,
    /// The exact text.
    pub line: String,
}

/// Reads the table of `folder`.
pub fn load(folder: &Path) -> Result<Vec<Beside>, String> {
    let path = folder.join("beside");
    let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&text).map_err(|error| error.to_string())
}

/// Reads the table.
pub fn parse(text: &str) -> Result<Vec<Beside>, TableError> {
    let mut lines: Vec<Beside> = Vec::new();
    for row in rows("beside", text, 2)? {
        let (world, line) = (row.columns[0], row.columns[1].to_string());
        let world = match world.strip_prefix("replace ").and_then(|names| names.split_once(" by ")) {
            Some((name, other)) => Some(Difference::Replaced(name.to_string(), other.to_string())),
            None if world.is_empty() => None,
            None => return Err(row.error(format!("`{world}` is no world"))),
        };
        if lines.iter().any(|other| other.line == line) {
            return Err(row.error(format!("`{line}` stands twice")));
        }
        lines.push(Beside { world, line });
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::ladder::Ladder;

    #[test]
    fn a_row_is_a_world_and_a_line() {
        let lines = parse("| SELFTEST: a ok\nreplace x by y | x: b ok").unwrap();
        assert_eq!(lines[0], Beside { world: None, line: "SELFTEST: a ok".into() });
        assert_eq!(lines[1].world, Some(Difference::Replaced("x".into(), "y".into())));
    }

    #[test]
    fn a_line_stands_once_and_in_a_world_that_exists() {
        assert!(parse("| a ok\n| a ok").unwrap_err().to_string().contains("beside:2: `a ok` stands twice"));
        assert!(parse("replace x | a ok").unwrap_err().to_string().contains("is no world"));
    }

    /// Every check of the proof program, by its source, is a line that this folder knows.
    #[test]
    fn what_the_proof_program_can_claim_is_in_the_data() {
        let root = crate::root();
        let folder = root.join("tests/boot");
        let (ladder, beside) = (Ladder::load(&folder).unwrap(), load(&folder).unwrap());
        let known = |line: &str| {
            ladder.rungs.iter().any(|rung| rung.line == line) || beside.iter().any(|other| other.line == line)
        };
        let source = std::fs::read_to_string(root.join("source/apps/selftest/src/lib.rs")).unwrap();
        let mut checks = 0;
        for name in source.lines().filter_map(check_name) {
            checks += 1;
            let printers = ["SELFTEST", "shell"];
            assert!(printers.iter().any(|printer| known(&format!("{printer}: {name} ok"))), "{name}");
        }
        assert!(checks >= beside.len(), "the checks were found: {checks}");
    }

    /// `("name", function)`, alone on its line or in a table of one.
    fn check_name(line: &str) -> Option<&str> {
        let (_, rest) = line.split_once("(\"")?;
        let (name, rest) = rest.split_once("\", ")?;
        rest.contains("::").then_some(name)
    }
}
