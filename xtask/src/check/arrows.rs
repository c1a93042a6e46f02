//! Crate arrows: an edge between crates may only point down.
//!
//! image → arch → core → abi; services, apps and drivers → userspace → abi; the simulator → core, services and what
//! they stand on; the host tool → abi, loader and wiring; the examination of parsers → whoever parses, and nothing stands on
//! it but its targets for `cargo fuzz`. Nothing else, in any kind of dependency.

use super::tree::{Finding, TextFile, Tree};
use std::collections::BTreeMap;
use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Lit, Meta};
use toml::de::{DeTable, DeValue};

/// Where a crate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    Image,
    Arch,
    Core,
    Abi,
    Program,
    Userspace,
    Simulator,
    Tool,
    Examination,
    Targets,
}

impl Layer {
    fn of(folder: &str) -> Option<Self> {
        Some(match folder.split('/').collect::<Vec<_>>()[..] {
            ["source", "kernel", "image"] => Self::Image,
            ["source", "kernel", "arch"] => Self::Arch,
            ["source", "kernel", "core"] => Self::Core,
            ["source", "libs", _] => Self::Abi,
            ["source", "services" | "apps" | "drivers", _] => Self::Program,
            ["userspace", _] => Self::Userspace,
            ["tests", "parsers"] => Self::Examination,
            ["tests", _] => Self::Simulator,
            ["xtask"] => Self::Tool,
            ["fuzz"] => Self::Targets,
            _ => return None,
        })
    }

    fn may_use(self, below: Self, name: &str) -> bool {
        match self {
            Self::Image => matches!(below, Self::Arch | Self::Core | Self::Abi),
            Self::Arch => matches!(below, Self::Core | Self::Abi),
            Self::Core => below == Self::Abi,
            Self::Abi => false,
            Self::Program | Self::Userspace => matches!(below, Self::Userspace | Self::Abi),
            Self::Simulator => matches!(below, Self::Core | Self::Program | Self::Userspace | Self::Abi),
            Self::Examination => !matches!(below, Self::Image | Self::Simulator | Self::Examination | Self::Targets),
            Self::Targets => below == Self::Examination,
            Self::Tool => below == Self::Abi || matches!(name, "loader" | "wiring"),
        }
    }
}

const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Every edge that does not point down, every crate outside the layers, every path that leaves its crate.
pub(super) fn arrows(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut layers = BTreeMap::new();
    let mut packages = Vec::new();
    for manifest in tree.texts.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = manifest.path.trim_end_matches("/Cargo.toml");
        match (package_name(&manifest.text), Layer::of(folder)) {
            (Ok(Some(name)), Some(layer)) => {
                layers.insert(name, layer);
                packages.push((manifest, layer));
            }
            (Ok(Some(_)), None) => findings.push(Finding::at(&manifest.path, 1, "a crate that stands in no layer")),
            (Ok(None), _) => {}
            (Err(error), _) => findings.push(Finding::at(&manifest.path, 1, format!("does not parse: {error}"))),
        }
    }
    for (manifest, layer) in packages {
        findings.extend(edges(manifest, layer, &layers));
    }
    findings.extend(borrowed_files(tree));
    findings
}

fn package_name(manifest: &str) -> Result<Option<String>, toml::de::Error> {
    let table = DeTable::parse(manifest)?;
    let name = table.get_ref().get("package").and_then(|package| package.get_ref().get("name"));
    Ok(name.and_then(|name| name.get_ref().as_str().map(ToString::to_string)))
}

fn edges(manifest: &TextFile, layer: Layer, layers: &BTreeMap<String, Layer>) -> Vec<Finding> {
    let table = DeTable::parse(&manifest.text).expect("the manifest parsed when its name was read");
    let mut findings = Vec::new();
    for dependencies in dependency_tables(table.get_ref()) {
        for (key, value) in dependencies {
            let renamed = value.get_ref().get("package").and_then(|package| package.get_ref().as_str());
            let name = renamed.unwrap_or(key.get_ref());
            let Some(below) = layers.get(name) else {
                continue;
            };
            if !layer.may_use(*below, name) {
                let line = line_of(&manifest.text, key.span().start);
                let text = format!("{layer:?} may not use {below:?} (`{name}`); an arrow only points down");
                findings.push(Finding::at(&manifest.path, line, text));
            }
        }
    }
    findings
}

/// All dependency tables of a manifest, those of a target included.
fn dependency_tables<'table, 'text>(manifest: &'table DeTable<'text>) -> Vec<&'table DeTable<'text>> {
    let mut tables: Vec<&DeTable> = Vec::new();
    let mut holders = vec![manifest];
    if let Some(DeValue::Table(targets)) = manifest.get("target").map(|target| target.get_ref()) {
        holders.extend(targets.values().filter_map(|target| target.get_ref().as_table()));
    }
    for holder in holders {
        let named = KINDS.iter().filter_map(|kind| holder.get(*kind));
        tables.extend(named.filter_map(|table| table.get_ref().as_table()));
    }
    tables
}

/// A `#[path]` that climbs out of its crate is an edge that no manifest shows.
fn borrowed_files(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let mut walk = Borrowed { lines: Vec::new() };
        walk.visit_file(&file.syntax);
        let text = "a module taken from outside its folder: an edge that no manifest shows";
        findings.extend(walk.lines.into_iter().map(|line| Finding::at(&file.path, line, text)));
    }
    findings
}

struct Borrowed {
    lines: Vec<usize>,
}

impl<'ast> Visit<'ast> for Borrowed {
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("path")
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(value) = &value.lit
            && value.value().contains("..")
        {
            self.lines.push(value.span().start().line);
        }
        visit::visit_attribute(self, attribute);
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    text[..offset].matches('\n').count() + 1
}
