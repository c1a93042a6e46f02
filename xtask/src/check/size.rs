//! Sizes: files, functions, parameter lists, and the `main.rs` of a service.
//!
//! What is ugly is always one giant dispatcher or builder, so the tail is cut and nothing is excepted.

use super::tree::{Finding, RustFile, Tree};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Block, FnArg, ImplItemFn, ItemFn, ItemImpl, Pat, PatType, Signature, TraitItemFn, Type};

/// Lines of a file, tests not counted.
pub(super) const FILE_LINES: usize = 400;
/// Lines of a function, from its signature to its closing brace.
pub(super) const FUNCTION_LINES: usize = 60;
/// Parameters of a function, the receiver not counted.
pub(super) const PARAMETERS: usize = 5;
/// Lines of the `main.rs` of a service.
pub(super) const SERVICE_MAIN_LINES: usize = 40;

/// No file is longer than [`FILE_LINES`] without its tests.
pub(super) fn files(tree: &Tree) -> Vec<Finding> {
    let rust = tree.rust.iter().filter(|file| !file.is_test()).map(|file| (file.path.as_str(), product_lines(file)));
    let other = tree
        .texts
        .iter()
        .filter(|file| [".S", ".ld", ".sh", ".py"].iter().any(|end| file.path.ends_with(end)))
        .map(|file| (file.path.as_str(), file.text.lines().count()));
    rust.chain(other)
        .filter(|(_, lines)| *lines > FILE_LINES)
        .map(|(path, lines)| {
            let text = format!("{lines} lines without tests, {FILE_LINES} allowed; one concept a file");
            Finding::at(path, FILE_LINES + 1, text)
        })
        .collect()
}

/// No `main.rs` of a service or driver is longer than [`SERVICE_MAIN_LINES`].
pub(super) fn service_mains(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let parts: Vec<&str> = file.path.split('/').collect();
        let ["source", "services" | "drivers", _, "src", "main.rs"] = parts[..] else {
            continue;
        };
        let lines = file.text.lines().count();
        if lines > SERVICE_MAIN_LINES {
            let text = format!("{lines} lines, {SERVICE_MAIN_LINES} allowed; the logic of a service is in its lib.rs");
            findings.push(Finding::at(&file.path, SERVICE_MAIN_LINES + 1, text));
        }
    }
    findings
}

/// No function is longer than [`FUNCTION_LINES`], in a macro neither.
pub(super) fn functions(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let mut extents = Vec::new();
        extents_in(file.tokens.clone(), &mut extents);
        for Extent { name, line, lines } in extents {
            if lines > FUNCTION_LINES {
                let text = format!("`{name}` has {lines} lines, {FUNCTION_LINES} allowed");
                findings.push(Finding::at(&file.path, line, text));
            }
        }
    }
    findings
}

/// Where a function stands, from its `fn` to its closing brace.
struct Extent {
    name: String,
    line: usize,
    lines: usize,
}

/// The extents of all functions with a body: after `fn` and a name comes the first brace that no `;` precedes.
fn extents_in(tokens: TokenStream, extents: &mut Vec<Extent>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        if let TokenTree::Group(group) = token {
            extents_in(group.stream(), extents);
        }
        let TokenTree::Ident(keyword) = token else { continue };
        let name = tokens.get(index + 1).filter(|next| matches!(next, TokenTree::Ident(_) | TokenTree::Punct(_)));
        if keyword != "fn" || name.is_none() {
            continue;
        }
        let body = tokens[index..].iter().take_while(|token| token.to_string() != ";").find_map(|token| match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => Some(group),
            _ => None,
        });
        if let (Some(name), Some(body)) = (name, body) {
            let line = keyword.span().start().line;
            let lines = body.span_close().end().line + 1 - line;
            extents.push(Extent { name: name.to_string(), line, lines });
        }
    }
}

/// No function takes more than [`PARAMETERS`]; one that assembly enters takes what the ABI says.
pub(super) fn parameters(tree: &Tree) -> Vec<Finding> {
    each_function(tree, |function| {
        let entered_by_assembly = function.signature.abi.is_some() && function.block.is_some();
        let count = function.arguments().count();
        let name = &function.signature.ident;
        let text = format!("`{name}` takes {count} parameters, {PARAMETERS} allowed; name what belongs together");
        (count > PARAMETERS && function.is_own() && !entered_by_assembly).then_some(text)
    })
}

/// No function takes a bare `bool`: the caller's line would not say what it means. An assertion takes its condition, which
/// is called `holds`.
pub(super) fn booleans(tree: &Tree) -> Vec<Finding> {
    each_function(tree, |function| {
        let name = &function.signature.ident;
        let text = format!("`{name}` takes a bool; an enum with two names says what is meant");
        (function.is_own() && function.arguments().any(is_flag)).then_some(text)
    })
}

/// Who chose the signature of a function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Own,
    /// The trait that it serves, judged where that is declared.
    Trait,
}

struct Function<'ast> {
    signature: &'ast Signature,
    block: Option<&'ast Block>,
    origin: Origin,
}

impl<'ast> Function<'ast> {
    fn line(&self) -> usize {
        self.signature.span().start().line
    }

    fn is_own(&self) -> bool {
        self.origin == Origin::Own
    }

    /// What callers pass beside the receiver.
    fn arguments(&self) -> impl Iterator<Item = &'ast PatType> {
        self.signature.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(typed) => Some(typed),
            FnArg::Receiver(_) => None,
        })
    }
}

fn is_flag(argument: &PatType) -> bool {
    let is_bool = matches!(&*argument.ty, Type::Path(path) if path.path.is_ident("bool"));
    let is_condition = matches!(&*argument.pat, Pat::Ident(name) if name.ident == "holds");
    is_bool && !is_condition
}

/// Lines that are no tests.
fn product_lines(file: &RustFile) -> usize {
    (1..=file.text.lines().count()).filter(|line| !file.is_test_line(*line)).count()
}

/// Judges every function of the tree.
fn each_function(tree: &Tree, judge: fn(&Function) -> Option<String>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &tree.rust {
        let mut walk = Functions { origin: Origin::Own, judge, found: Vec::new() };
        walk.visit_file(&file.syntax);
        let here = walk.found.into_iter().map(|(line, text)| Finding::at(&file.path, line, text));
        findings.extend(here);
    }
    findings
}

struct Functions {
    origin: Origin,
    judge: fn(&Function) -> Option<String>,
    found: Vec<(usize, String)>,
}

impl Functions {
    fn judge(&mut self, function: &Function) {
        if let Some(text) = (self.judge)(function) {
            self.found.push((function.line(), text));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        let outer = self.origin;
        self.origin = if item.trait_.is_some() { Origin::Trait } else { Origin::Own };
        visit::visit_item_impl(self, item);
        self.origin = outer;
    }

    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.judge(&Function { signature: &item.sig, block: Some(&item.block), origin: Origin::Own });
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.judge(&Function { signature: &item.sig, block: Some(&item.block), origin: self.origin });
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast TraitItemFn) {
        self.judge(&Function { signature: &item.sig, block: item.default.as_ref(), origin: Origin::Own });
        visit::visit_trait_item_fn(self, item);
    }
}
