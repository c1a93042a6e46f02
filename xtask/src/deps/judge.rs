//! What a crate may not be or bring.

use super::graph::{Graph, Key, OnTarget};
use super::licence;
use std::collections::{BTreeMap, BTreeSet};

/// Crates that the target may not hold: they lean on an operating system, or draw entropy past the service that owns it.
const FORBIDDEN: [&str; 3] = ["parking_lot", "parking_lot_core", "getrandom"];

/// Crates that the target holds in two majors, each with the reason.
const EXPLAINED_DUPLICATES: [(&str, &str); 0] = [];

/// Everything that is wrong with the crates, in order.
pub(super) fn findings(graph: &Graph) -> Vec<String> {
    let mut findings = Vec::new();
    for (key, _, built) in graph.on_target() {
        findings.extend(target_findings(key, built));
    }
    findings.extend(duplicates(graph));
    for ((name, version), krate) in graph.crates.iter().filter(|(_, krate)| !krate.is_member) {
        let licence = krate.licence.as_deref().unwrap_or("none");
        if !licence::is_allowed(licence) {
            findings.push(format!("{name} {version}: the licence `{licence}` is not allowed"));
        }
    }
    findings
}

fn target_findings((name, version): &Key, built: &OnTarget) -> Vec<String> {
    let mut findings = Vec::new();
    if FORBIDDEN.contains(&name.as_str()) {
        findings.push(format!("{name} {version}: forbidden on the target"));
    }
    if built.features.iter().any(|feature| feature == "std") {
        findings.push(format!("{name} {version}: the feature `std` is on; the target has no std"));
    }
    if built.library.as_deref().is_some_and(|text| !is_no_std(text)) {
        findings.push(format!("{name} {version}: its library has no `no_std`, so it needs std"));
    }
    findings
}

/// Whether the root of a library says `no_std`, always or under a condition.
fn is_no_std(text: &str) -> bool {
    let Ok(file) = syn::parse_file(text) else { return false };
    file.attrs.iter().any(|attribute| {
        attribute.path().is_ident("no_std")
            || attribute.path().is_ident("cfg_attr")
                && attribute.meta.require_list().is_ok_and(|list| list.tokens.to_string().ends_with("no_std"))
    })
}

fn duplicates(graph: &Graph) -> Vec<String> {
    let mut majors: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for ((name, version), _, _) in graph.on_target() {
        majors.entry(name).or_default().insert(major(version));
    }
    majors
        .into_iter()
        .filter(|(name, majors)| majors.len() > 1 && !EXPLAINED_DUPLICATES.iter().any(|(known, _)| known == name))
        .map(|(name, majors)| {
            let majors: Vec<String> = majors.into_iter().collect();
            format!("{name}: {} majors on the target ({}), unexplained", majors.len(), majors.join(", "))
        })
        .collect()
}

/// The part of a version that must agree for two versions to be compatible.
fn major(version: &str) -> String {
    let mut parts = version.split('.');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if first == "0" { format!("0.{second}") } else { first.to_string() }
}
