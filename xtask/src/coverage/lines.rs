//! Which lines count, and to which function each belongs.

use super::measure::Counts;
use crate::check::tree::RustFile;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{ImplItemFn, Item, ItemFn, ItemImpl, ItemMacro, ItemMod, Meta, TraitItemFn, Type};

/// A function of a file that has lines which are not run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Gap {
    /// Its file, from the root of the tree.
    pub(super) file: String,
    /// `function`, `Type::function`, or `` where a line belongs to none.
    pub(super) function: String,
    /// Its lines that are not run.
    pub(super) lines: Vec<usize>,
}

/// Lines that count, and those that were run.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) lines: u64,
    pub(super) run: u64,
}

impl Tally {
    /// Adds a file; its gaps go to `gaps`.
    pub(super) fn add(&mut self, file: &Source, counts: &Counts, gaps: &mut Vec<Gap>) {
        let Some(counted) = counts.get(&file.absolute) else { return };
        let mut missed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (&line, &count) in counted.iter().filter(|(line, _)| !file.rust.is_test_line(**line)) {
            self.lines += 1;
            self.run += u64::from(count > 0);
            if count == 0 {
                missed.entry(file.function(line)).or_default().push(line);
            }
        }
        let path = &file.rust.path;
        gaps.extend(missed.into_iter().map(|(function, lines)| Gap { file: path.clone(), function, lines }));
    }

    /// The share in thousandths, rounded down.
    pub(super) fn share(&self) -> u64 {
        (1000 * self.run).checked_div(self.lines).unwrap_or(0)
    }
}

/// A file whose lines count.
pub(super) struct Source {
    rust: RustFile,
    absolute: PathBuf,
    functions: Vec<(std::ops::RangeInclusive<usize>, String)>,
}

impl Source {
    /// The innermost function that has this line.
    fn function(&self, line: usize) -> String {
        let around = self.functions.iter().filter(|(range, _)| range.contains(&line));
        let innermost = around.min_by_key(|(range, _)| range.end() - range.start());
        innermost.map(|(_, name)| name.clone()).unwrap_or_default()
    }
}

/// The files of a folder that do not exist only under test.
pub(super) fn of_folder(root: &Path, folder: &str) -> Result<Vec<Source>, String> {
    let mut paths = Vec::new();
    walk(&root.join(folder), &mut paths)?;
    let mut parsed = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).map_err(|error| error.to_string())?.display().to_string();
        let rust = RustFile::parse(&name, &text).map_err(|finding| format!("{name}: {}", finding.text))?;
        parsed.push((rust, path));
    }
    let only_test: BTreeSet<PathBuf> =
        parsed.iter().flat_map(|(rust, path)| test_modules(&rust.syntax.items, path)).collect();
    let ships = |path: &Path| !path.ancestors().any(|part| only_test.contains(&part.with_extension("")));
    let kept = parsed.into_iter().filter(|(rust, path)| !rust.is_test() && ships(path));
    Ok(kept.map(|(rust, absolute)| Source { functions: functions(&rust), rust, absolute }).collect())
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            walk(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(())
}

/// The paths, without extension, of modules that a file declares for tests alone.
fn test_modules(items: &[Item], path: &Path) -> Vec<PathBuf> {
    let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    let parent = path.parent().unwrap_or(Path::new(""));
    let folder = if matches!(stem, "lib" | "mod" | "main") { parent.to_path_buf() } else { parent.join(stem) };
    let is_test = |module: &&ItemMod| {
        module.content.is_none()
            && module.attrs.iter().any(|attribute| match &attribute.meta {
                Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
                _ => false,
            })
    };
    let modules = items.iter().filter_map(|item| if let Item::Mod(module) = item { Some(module) } else { None });
    modules.filter(is_test).map(|module| folder.join(module.ident.to_string())).collect()
}

/// The functions of a file with their lines. A macro that makes functions is one itself.
fn functions(rust: &RustFile) -> Vec<(std::ops::RangeInclusive<usize>, String)> {
    let mut finder = Finder { owner: String::new(), found: Vec::new() };
    finder.visit_file(&rust.syntax);
    finder.found
}

struct Finder {
    owner: String,
    found: Vec<(std::ops::RangeInclusive<usize>, String)>,
}

impl Finder {
    fn keep(&mut self, item: &impl Spanned, name: &syn::Ident) {
        let span = item.span();
        let name = if self.owner.is_empty() { name.to_string() } else { format!("{}::{name}", self.owner) };
        self.found.push((span.start().line..=span.end().line, name));
    }
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let name = match &*item.self_ty {
            Type::Path(path) => path.path.segments.last().map(|last| last.ident.to_string()).unwrap_or_default(),
            _ => String::new(),
        };
        let outer = std::mem::replace(&mut self.owner, name);
        visit::visit_item_impl(self, item);
        self.owner = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.keep(item, &item.sig.ident);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.keep(item, &item.sig.ident);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.keep(item, &item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_macro(&mut self, item: &'ast ItemMacro) {
        if let Some(name) = &item.ident {
            self.keep(item, name);
        }
    }
}

#[cfg(test)]
#[path = "coverage_tests.rs"]
mod tests;
