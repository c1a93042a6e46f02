//! Documents: the pages of contracts and tasks, and the indexes that name them.
//!
//! A status stands on its page; an index repeats it, so the two are compared.

use super::tree::{Finding, TextFile, Tree};

const STATUSES: [&str; 3] = ["Draft", "In Review", "Complete"];
/// Lines of a contract page.
const RFC_LINES: usize = 200;

/// One kind of page and its index.
struct Shelf {
    folder: &'static str,
    prefix: &'static str,
    /// How a page writes its status.
    key: &'static str,
    template: &'static str,
}

const RFCS: Shelf = Shelf { folder: "docs/rfcs/", prefix: "RFC-", key: "Status:", template: "RFC-TEMPLATE.md" };
const TASKS: Shelf = Shelf { folder: "tasks/", prefix: "TASK-", key: "status:", template: "" };

/// Contracts are short and say what they are worth.
pub(super) fn contracts(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in pages(tree, &RFCS) {
        let lines = page.text.lines().count();
        if lines > RFC_LINES {
            let text = format!("{lines} lines, {RFC_LINES} allowed; a contract that long is two");
            findings.push(Finding::at(&page.path, RFC_LINES + 1, text));
        }
        findings.extend(status_findings(page, &RFCS));
    }
    findings
}

/// Task pages open with front matter that carries their status.
pub(super) fn task_pages(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for page in pages(tree, &TASKS) {
        if !page.text.starts_with("---\n") || !page.text[4..].contains("\n---\n") {
            findings.push(Finding::at(&page.path, 1, "the page does not open with front matter (`---`)"));
        }
        findings.extend(status_findings(page, &TASKS));
    }
    findings
}

/// An index lists each page once, with the status that the page carries.
pub(super) fn indexes(tree: &Tree) -> Vec<Finding> {
    [RFCS, TASKS].iter().flat_map(|shelf| index_findings(tree, shelf)).collect()
}

fn index_findings(tree: &Tree, shelf: &Shelf) -> Vec<Finding> {
    let path = format!("{}README.md", shelf.folder);
    let pages: Vec<&TextFile> = pages(tree, shelf).collect();
    let Some(index) = tree.text(&path) else {
        let first = pages.first().map(|page| Finding::at(&page.path, 1, format!("there is no index {path}")));
        return first.into_iter().collect();
    };
    let rows = rows(index, shelf);
    let mut findings = Vec::new();
    for row in &rows {
        let Some(page) = pages.iter().find(|page| file_name(page) == row.file) else {
            findings.push(Finding::at(&path, row.line, format!("`{}` does not exist", row.file)));
            continue;
        };
        let status = status(page, shelf).map(|(_, status)| status);
        if status != Some(row.status.as_str()) {
            let text = format!("`{}` is {} here, {} on its page", row.file, row.status, status.unwrap_or("nothing"));
            findings.push(Finding::at(&path, row.line, text));
        }
    }
    for page in pages {
        let count = rows.iter().filter(|row| row.file == file_name(page)).count();
        if count != 1 {
            findings.push(Finding::at(
                &path,
                1,
                format!("`{}` stands {count} times in the index, not once", file_name(page)),
            ));
        }
    }
    findings
}

/// A row of an index: link to the page first, status last.
struct Row {
    line: usize,
    file: String,
    status: String,
}

fn rows(index: &TextFile, shelf: &Shelf) -> Vec<Row> {
    let mut rows = Vec::new();
    for (number, line) in index.text.lines().enumerate() {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let file = cells[0].split_once("](").and_then(|(_, rest)| rest.split_once(')')).map(|(file, _)| file);
        if let Some(file) = file
            && line.starts_with('|')
            && file.starts_with(shelf.prefix)
        {
            let status = cells.last().copied().unwrap_or_default().to_string();
            rows.push(Row { line: number + 1, file: file.to_string(), status });
        }
    }
    rows
}

fn pages<'tree>(tree: &'tree Tree, shelf: &'tree Shelf) -> impl Iterator<Item = &'tree TextFile> {
    tree.texts.iter().filter(|file| {
        file.path.strip_prefix(shelf.folder).is_some_and(|name| {
            name.starts_with(shelf.prefix) && name.ends_with(".md") && name != shelf.template && !name.contains('/')
        })
    })
}

/// Line and text of a page's status.
fn status<'page>(page: &'page TextFile, shelf: &Shelf) -> Option<(usize, &'page str)> {
    let mut lines = page.text.lines().enumerate();
    lines.find_map(|(number, line)| line.strip_prefix(shelf.key).map(|status| (number + 1, status.trim())))
}

fn status_findings(page: &TextFile, shelf: &Shelf) -> Option<Finding> {
    match status(page, shelf) {
        None => Some(Finding::at(&page.path, 1, format!("no line `{} …`", shelf.key))),
        Some((line, status)) if !STATUSES.contains(&status) => {
            Some(Finding::at(&page.path, line, format!("`{status}` is no status; one of {}", STATUSES.join(", "))))
        }
        Some(_) => None,
    }
}

fn file_name(page: &TextFile) -> &str {
    page.path.rsplit('/').next().unwrap_or_default()
}
