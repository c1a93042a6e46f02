//! Names: modules, files, functions and types are called what the field calls them.
//!
//! `util`, `manager` or `lite` say nothing of what is inside, and a number at the end says that two of a thing exist.

use super::tree::{Finding, RustFile, Tree};
use proc_macro2::Ident;
use std::collections::BTreeSet;
use syn::visit::{self, Visit};
use syn::{ImplItem, ItemEnum, ItemFn, ItemImpl, ItemMod, ItemStruct, ItemTrait, ItemType, TraitItemFn};

const BANNED: [&str; 12] =
    ["lite", "v1", "v2", "v3", "impl", "util", "utils", "helper", "helpers", "manager", "misc", "common"];

/// Every banned name, in files and in what they declare.
pub(super) fn banned(tree: &Tree) -> Vec<Finding> {
    let mut findings: Vec<Finding> = tree.rust.iter().flat_map(declared).collect();
    let mut seen = BTreeSet::new();
    for file in &tree.rust {
        for part in file.path.split('/') {
            let name = part.strip_suffix(".rs").unwrap_or(part);
            if let Some(word) = banned_word(name)
                && seen.insert(part)
            {
                findings.push(Finding::at(
                    &file.path,
                    1,
                    format!("`{part}`: `{word}` is no name for a file or folder"),
                ));
            }
        }
    }
    findings
}

fn declared(file: &RustFile) -> Vec<Finding> {
    let mut walk = Names { file, findings: Vec::new() };
    walk.visit_file(&file.syntax);
    walk.findings
}

struct Names<'file> {
    file: &'file RustFile,
    findings: Vec<Finding>,
}

impl Names<'_> {
    fn judge(&mut self, ident: &Ident) {
        if let Some(word) = banned_word(&ident.to_string()) {
            let text = format!("`{ident}`: `{word}` is no name; say what it is or does");
            self.findings.push(Finding::at(&self.file.path, ident.span().start().line, text));
        }
    }
}

impl<'ast> Visit<'ast> for Names<'_> {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.judge(&item.sig.ident);
        visit::visit_item_fn(self, item);
    }
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        // A method of a trait is judged where the trait declares it.
        let own = item.trait_.is_none();
        for method in item.items.iter().filter(|_| own) {
            if let ImplItem::Fn(method) = method {
                self.judge(&method.sig.ident);
            }
        }
        visit::visit_item_impl(self, item);
    }
    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.judge(&item.sig.ident);
        visit::visit_trait_item_fn(self, item);
    }
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.judge(&item.ident);
        visit::visit_item_mod(self, item);
    }
    fn visit_item_struct(&mut self, item: &'ast ItemStruct) {
        self.judge(&item.ident);
    }
    fn visit_item_enum(&mut self, item: &'ast ItemEnum) {
        self.judge(&item.ident);
    }
    fn visit_item_trait(&mut self, item: &'ast ItemTrait) {
        self.judge(&item.ident);
        visit::visit_item_trait(self, item);
    }
    fn visit_item_type(&mut self, item: &'ast ItemType) {
        self.judge(&item.ident);
    }
}

/// The banned word in a name, if one of its words is banned.
fn banned_word(name: &str) -> Option<String> {
    let words = words(name);
    if words.len() > 1 && words[0] == "do" {
        return Some("do_".to_string());
    }
    words.into_iter().find(|word| BANNED.contains(&word.as_str()))
}

/// The words of a name in snake, kebab or camel case, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut previous = '_';
    for character in name.chars() {
        let starts = character.is_uppercase() && previous.is_lowercase();
        if matches!(character, '_' | '-' | '.') || starts {
            words.push(String::new());
        }
        if character.is_alphanumeric() {
            words.last_mut().expect("the list starts with one word").extend(character.to_lowercase());
        }
        previous = character;
    }
    words
}
