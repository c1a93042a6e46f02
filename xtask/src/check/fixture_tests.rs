//! Every gate fails on its violating fixture, with the line and the text, and passes on the clean twin.

use super::{RULES, Tree, report};
use std::fs;
use std::path::PathBuf;

fn fixtures() -> PathBuf {
    crate::root().join("tests/gates")
}

fn findings(rule: &str, twin: &str) -> Vec<String> {
    let folder = fixtures().join(rule).join(twin);
    let tree = Tree::load(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    assert!(!tree.rust.is_empty() || !tree.texts.is_empty(), "{} holds nothing to judge", folder.display());
    report(&tree).into_iter().filter(|line| line.contains(&format!(": {rule}: "))).collect()
}

#[test]
fn every_rule_fails_on_its_violating_fixture() {
    for rule in RULES {
        let path = fixtures().join(rule.name).join("findings.txt");
        let expected = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));

        let found = findings(rule.name, "bad");

        assert!(!found.is_empty(), "{} passes its violating fixture", rule.name);
        assert_eq!(found, expected.lines().collect::<Vec<_>>(), "findings of {}", rule.name);
    }
}

#[test]
fn every_rule_passes_its_clean_fixture() {
    for rule in RULES {
        assert_eq!(findings(rule.name, "clean"), Vec::<String>::new(), "findings of {}", rule.name);
    }
}

#[test]
fn a_file_that_does_not_parse_is_a_finding() {
    let tree = Tree::load(&fixtures().join("syntax/bad")).unwrap();

    let found = report(&tree);

    assert_eq!(found, ["src/broken.rs:4: syntax: does not parse: expected an expression"]);
}
