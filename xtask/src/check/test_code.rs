//! Which lines of a file exist only under test.
//!
//! Sizes and product rules are about what ships; a `#[cfg(test)]` item and a `#[test]` function do not.

use std::ops::RangeInclusive;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, Meta};

/// The line ranges of all items under `#[cfg(test)]` or `#[test]`.
pub(super) fn lines(file: &syn::File) -> Vec<RangeInclusive<usize>> {
    let mut finder = Finder { ranges: Vec::new() };
    finder.visit_file(file);
    finder.ranges
}

struct Finder {
    ranges: Vec<RangeInclusive<usize>>,
}

impl<'ast> Visit<'ast> for Finder {
    fn visit_item(&mut self, item: &'ast Item) {
        if attributes(item).iter().any(is_test) {
            let span = item.span();
            self.ranges.push(span.start().line..=span.end().line);
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        if item.attrs.iter().any(is_test) {
            let span = item.span();
            self.ranges.push(span.start().line..=span.end().line);
        } else {
            visit::visit_impl_item_fn(self, item);
        }
    }
}

fn is_test(attribute: &Attribute) -> bool {
    match &attribute.meta {
        Meta::Path(path) => path.is_ident("test"),
        Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        Meta::NameValue(_) => false,
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
