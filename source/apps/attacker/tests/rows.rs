//! The table of attacks and the attacks name each other.

use std::collections::BTreeSet;

const TABLE: &str = include_str!("../../../../tests/hostile/rows");

fn rows() -> impl Iterator<Item = (&'static str, Option<&'static str>)> {
    let lines = TABLE.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| {
        let mut words = line.split('|').next().expect("a first column").split_whitespace();
        (words.next().expect("a word"), words.next())
    })
}

#[test]
fn every_row_has_an_attack() {
    let unknown: Vec<_> = rows().filter(|&(name, operand)| !attacker::knows(name, operand)).collect();
    assert_eq!(unknown, []);
}

#[test]
fn every_attack_has_a_row() {
    let named: BTreeSet<&str> = rows().map(|(name, _)| name).collect();
    let helpers = ["accomplice"];
    let missing: Vec<_> = attacker::attacks().filter(|name| !named.contains(name) && !helpers.contains(name)).collect();
    assert_eq!(missing, [""; 0]);
}
