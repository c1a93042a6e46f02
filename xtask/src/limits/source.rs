//! Constants, enum numbers and macro tables of the tree, with their documentation.
//!
//! Works on the syntax, so that kernel and services are read alike without this tool depending on them.

use crate::check::Tree;
use syn::visit::Visit;
use syn::{Attribute, Expr, Ident, ItemConst, ItemEnum, ItemMacro, Lit, LitInt, Meta, TraitItemConst};

/// A constant.
pub(super) struct Constant<'a> {
    /// Path of its file.
    pub(super) path: String,
    /// Its name.
    pub(super) name: String,
    /// Its documentation in one line.
    pub(super) about: String,
    /// Its value.
    pub(super) value: &'a Expr,
}

/// One line of an enum or of a macro's table.
pub(super) struct Numbered {
    /// Its number.
    pub(super) number: u64,
    /// Its name in the source.
    pub(super) name: String,
    /// Its documentation in one line.
    pub(super) about: String,
}

/// What the page is made from.
pub(super) struct Source<'a> {
    tree: &'a Tree,
    constants: Vec<Constant<'a>>,
}

impl<'a> Source<'a> {
    /// Reads every constant of the target's crates that exists outside tests.
    pub(super) fn new(tree: &'a Tree) -> Self {
        let mut constants = Vec::new();
        for file in tree.rust.iter().filter(|file| on_target(&file.path) && !file.is_test()) {
            let mut walk = Walk { path: &file.path, found: Vec::new() };
            walk.visit_file(&file.syntax);
            constants
                .extend(walk.found.into_iter().filter(|(_, line)| !file.is_test_line(*line)).map(|(found, _)| found));
        }
        Self { tree, constants }
    }

    /// Every constant.
    pub(super) fn constants(&self) -> &[Constant<'a>] {
        &self.constants
    }

    /// The constant of this name in this file.
    pub(super) fn constant(&self, path: &str, name: &str) -> Result<&Constant<'a>, String> {
        let mut found = self.constants.iter().filter(|constant| constant.path == path && constant.name == name);
        match (found.next(), found.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(format!("{path} has no constant `{name}`")),
            (Some(_), Some(_)) => Err(format!("{path} has more than one constant `{name}`")),
        }
    }

    /// The variants of an enum whose numbers are written down.
    pub(super) fn variants(&self, path: &str, name: &str) -> Result<Vec<Numbered>, String> {
        let found = self.file(path)?.items.iter().find_map(|item| match item {
            syn::Item::Enum(found) if found.ident == name => Some(found),
            _ => None,
        });
        let variants = found.ok_or_else(|| format!("{path} has no enum `{name}`"))?;
        numbered(variants).ok_or_else(|| format!("{path}: a variant of `{name}` has no number"))
    }

    /// The lines of a table that a macro expands: documentation, number first or last, a name.
    pub(super) fn rows(&self, path: &str, name: &str) -> Result<Vec<Numbered>, String> {
        let found = self.file(path)?.items.iter().find_map(|item| match item {
            syn::Item::Macro(found) if found.mac.path.is_ident(name) => Some(found),
            _ => None,
        });
        let table = found.ok_or_else(|| format!("{path} has no table `{name}!`"))?;
        rows(table).map_err(|error| format!("{path}: `{name}!`: {error}"))
    }

    /// Whether code of the target that is no test names this variant.
    pub(super) fn names_variant(&self, kind: &str, variant: &str) -> bool {
        let wanted = format!("{kind}::{variant}");
        let names = |line: &str| {
            let mut rests = line.match_indices(&wanted).map(|(at, _)| &line[at + wanted.len()..]);
            !line.trim_start().starts_with("//") && rests.any(|rest| !rest.starts_with(char::is_alphanumeric))
        };
        self.tree.rust.iter().filter(|file| on_target(&file.path) && !file.is_test()).any(|file| {
            let lines = file.text.lines().enumerate();
            lines.filter(|(index, _)| !file.is_test_line(index + 1)).any(|(_, line)| names(line))
        })
    }

    fn file(&self, path: &str) -> Result<&'a syn::File, String> {
        let found = self.tree.rust.iter().find(|file| file.path == path);
        found.map(|file| &file.syntax).ok_or_else(|| format!("there is no {path}"))
    }
}

/// Whether this is the source of what the target runs; programs that only prove or measure have no bounds that others meet.
fn on_target(path: &str) -> bool {
    let proofs = ["abuse", "attacker", "bench", "chaos", "churn", "fuzz", "hostile", "selftest", "torture"]
        .map(|name| format!("source/apps/{name}/"));
    let target = path.starts_with("source/") || path.starts_with("userspace/");
    target && !proofs.iter().any(|folder| path.starts_with(folder.as_str()))
}

struct Walk<'a> {
    path: &'a str,
    found: Vec<(Constant<'a>, usize)>,
}

impl<'a> Walk<'a> {
    fn add(&mut self, ident: &Ident, attributes: &[Attribute], value: &'a Expr) {
        let (path, name) = (self.path.to_owned(), ident.to_string());
        let constant = Constant { path, name, about: about(attributes), value };
        self.found.push((constant, ident.span().start().line));
    }
}

impl<'ast> Visit<'ast> for Walk<'ast> {
    fn visit_item_const(&mut self, item: &'ast ItemConst) {
        self.add(&item.ident, &item.attrs, &item.expr);
    }

    fn visit_impl_item_const(&mut self, item: &'ast syn::ImplItemConst) {
        self.add(&item.ident, &item.attrs, &item.expr);
    }

    fn visit_trait_item_const(&mut self, _: &'ast TraitItemConst) {}
}

/// Documentation in one line.
fn about(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(text) => match &text.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    // A reference inside the source's documentation leads nowhere from a page.
    lines.collect::<Vec<_>>().join(" ").replace("[`", "`").replace("`]", "`")
}

fn numbered(variants: &ItemEnum) -> Option<Vec<Numbered>> {
    let number = |variant: &syn::Variant| match &variant.discriminant {
        Some((_, Expr::Lit(literal))) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        _ => None,
    };
    let each = variants.variants.iter();
    each.map(|variant| {
        Some(Numbered { number: number(variant)?, name: variant.ident.to_string(), about: about(&variant.attrs) })
    })
    .collect()
}

fn rows(table: &ItemMacro) -> syn::Result<Vec<Numbered>> {
    table.mac.parse_body_with(|input: syn::parse::ParseStream<'_>| {
        let mut rows = Vec::new();
        while !input.is_empty() {
            let about = about(&input.call(Attribute::parse_outer)?);
            // A table without numbers counts its lines.
            let number = if input.peek(LitInt) { input.parse::<LitInt>()?.base10_parse()? } else { rows.len() as u64 };
            let name = input.parse::<Ident>()?.to_string();
            while !input.peek(syn::Token![;]) {
                input.parse::<proc_macro2::TokenTree>()?;
            }
            input.parse::<syn::Token![;]>()?;
            rows.push(Numbered { number, name, about });
        }
        Ok(rows)
    })
}
