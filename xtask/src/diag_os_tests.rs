//! The diagnosis fails on a crate that needs `std` and on a warning, and passes the clean twin.

use super::*;

/// Runs the diagnosis of one fixture and gives what it says.
fn diagnose(fixture: &str) -> Result<String, String> {
    let folder = crate::root().join("tests/gates/diag-os").join(fixture);
    // Of its own: cargo tells packages of one name apart by their place in the workspace only.
    let output = crate::root().join("target/gate-fixtures").join(fixture);
    let mut command = clippy(&folder, PROGRAM_TARGET, (&["fixture".to_string()], ""));
    packages::output(command.env("CARGO_TARGET_DIR", output))
}

#[test]
fn a_crate_that_needs_std_fails() {
    let text = diagnose("needs-std").unwrap_err();

    assert!(text.contains("can't find crate for `std`"), "{text}");
}

#[test]
fn a_warning_fails() {
    let text = diagnose("warns").unwrap_err();

    assert!(text.contains("unused variable") && text.contains("src/lib.rs:6"), "{text}");
}

#[test]
fn a_clippy_finding_fails() {
    let text = diagnose("clippy").unwrap_err();

    assert!(text.contains("needless_return") && text.contains("src/lib.rs:6"), "{text}");
}

#[test]
fn a_clean_crate_passes() {
    assert_eq!(diagnose("clean"), Ok(String::new()));
}
