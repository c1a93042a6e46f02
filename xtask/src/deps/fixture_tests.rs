//! Every rule fails on its fixture (a fragment of cargo's own output) and passes on the clean one.

use super::graph::Graph;
use super::judge;
use serde_json::Value;
use std::fs;

fn graph(case: &str) -> Result<Graph, String> {
    let folder = crate::root().join("tests/gates/dep-gate").join(case);
    let read = |name: &str| fs::read_to_string(folder.join(name)).map_err(|error| format!("{name}: {error}"));
    let metadata: Value = serde_json::from_str(&read("metadata.json")?).map_err(|error| error.to_string())?;
    Graph::new(&metadata, &read("tree.txt")?, read)
}

fn findings(case: &str) -> Vec<String> {
    judge::findings(&graph(case).unwrap())
}

#[test]
fn a_clean_graph_passes() {
    assert_eq!(findings("clean"), Vec::<String>::new());
}

#[test]
fn a_forbidden_crate_fails() {
    assert_eq!(findings("forbidden"), ["parking_lot_core 0.9.10: forbidden on the target"]);
}

#[test]
fn the_feature_std_on_the_target_fails() {
    assert_eq!(findings("feature-std"), ["crc 3.2.1: the feature `std` is on; the target has no std"]);
}

#[test]
fn a_library_that_needs_std_fails() {
    assert_eq!(findings("needs-std"), ["crc 3.2.1: its library has no `no_std`, so it needs std"]);
}

#[test]
fn a_licence_that_is_not_allowed_fails_on_the_host_too() {
    assert_eq!(
        findings("licence"),
        ["crc 3.2.1: the licence `GPL-3.0-only` is not allowed", "serde 1.0.0: the licence `none` is not allowed",]
    );
}

#[test]
fn two_majors_on_the_target_fail() {
    assert_eq!(findings("duplicate"), ["crc: 2 majors on the target (2, 3), unexplained"]);
}

#[test]
fn a_graph_that_builds_nothing_is_an_error() {
    assert_eq!(graph("empty").err().as_deref(), Some("nothing is built for the target"));
}
