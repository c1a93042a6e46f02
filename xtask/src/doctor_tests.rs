//! What is missing fails if everyone needs it, and the line names the command that mends it.

use super::*;

fn thing(need: Need, look: fn() -> Result<String, String>) -> Thing {
    Thing { name: "tool", need, look, mend: "install tool" }
}

#[test]
fn a_missing_needed_thing_is_counted_and_mended() {
    let things = [thing(Need::Everyone, || version("no-such-program-anywhere", &[]))];

    let (lines, missing) = examine(&things);

    assert_eq!(missing, 1);
    assert_eq!(lines, [format!("MISSING  {:<28} not found; mend with: install tool", "tool")]);
}

#[test]
fn a_missing_optional_thing_is_not_counted() {
    let things = [thing(Need::Some("for something"), || Err("not found".to_string()))];

    let (lines, missing) = examine(&things);

    assert_eq!(missing, 0);
    assert!(lines[0].starts_with("optional tool") && lines[0].ends_with("for something; mend with: install tool"));
}

#[test]
fn a_tool_that_fails_is_not_present() {
    assert_eq!(version("false", &["--version"]), Err("`false --version` fails".to_string()));
}

#[test]
fn versions_compare_by_number() {
    assert_eq!(at_least("10.0.2", "7.2"), Ok(()));
    assert_eq!(at_least("7.2", "7.2"), Ok(()));
    assert_eq!(at_least("1.96.0-nightly", "1.95"), Ok(()));
    assert!(at_least("7.1.9", "7.2").is_err());
    assert!(at_least("", "7.2").is_err());
}
