//! Links between documents: what a page points at is there.
//!
//! Only paths inside the tree are judged; the rest of the world changes without asking.

use super::tree::{Finding, TextFile, Tree};

/// Every link to a file or folder of the tree that is not there.
pub(super) fn links(tree: &Tree) -> Vec<Finding> {
    let pages = tree.texts.iter().filter(|file| file.path.ends_with(".md"));
    pages.flat_map(|page| broken_links(tree, page)).collect()
}

fn broken_links(tree: &Tree, page: &TextFile) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut in_code = false;
    for (number, line) in page.text.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        for target in targets(line).filter(|_| !in_code) {
            let path = resolve(&page.path, target);
            if !tree.paths.iter().any(|known| *known == path || known.starts_with(&format!("{path}/"))) {
                findings.push(Finding::at(&page.path, number + 1, format!("the link to `{target}` leads nowhere")));
            }
        }
    }
    findings
}

/// The targets in the tree of the links in a line, without their anchors.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).filter_map(|target| {
        let target = target.split(['#', ' ']).next().unwrap_or_default();
        let is_inside = !target.is_empty() && !target.contains("://") && !target.starts_with("mailto:");
        is_inside.then_some(target)
    })
}

/// The path from the root of what a page calls by a path from its own folder.
fn resolve(page: &str, target: &str) -> String {
    let mut parts: Vec<&str> = page.split('/').collect();
    parts.pop();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                // Above the root nothing is known, so that the link is broken.
                if parts.pop().is_none() {
                    parts.push("..");
                }
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}
