//! `cargo xtask limits`: `docs/limits.md`, every bound and number of the system, from the source.
//!
//! [`table`] lists which constants are bounds, by file and name, [`source`] reads them with their documentation,
//! [`mod@value`] computes them, [`mod@page`] writes the tables. Nothing is copied by hand: where one of the list is missing or
//! undocumented there is no page, and a test fails where the page differs from the source or a bound is not in the list.

mod page;
mod source;
mod table;
mod value;

#[cfg(test)]
mod limits_tests;

use crate::check::Tree;
use std::fs;
use std::process::ExitCode;

/// Where the page lies.
pub const PAGE: &str = "docs/limits.md";

/// Writes the page.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask limits");
        return ExitCode::from(2);
    }
    match page().and_then(|text| fs::write(crate::root().join(PAGE), text).map_err(|error| error.to_string())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// What the page has to say.
///
/// # Errors
/// What of the source is not as the list says.
pub fn page() -> Result<String, String> {
    let root = crate::root();
    let tree = Tree::load(&root).map_err(|error| format!("the source tree cannot be read: {error}"))?;
    let manifest = crate::manifest::load(&root.join("system.toml")).map_err(|refusal| refusal.to_string())?;
    let source = source::Source::new(&tree);
    if let Some(bound) = unlisted(&source).first() {
        return Err(format!("{bound} calls itself a bound and is not in the list of limits/table.rs"));
    }
    page::text(&source, &manifest)
}

/// Constants that call themselves a bound and are not in the list.
fn unlisted(source: &source::Source<'_>) -> Vec<String> {
    let listed = |constant: &source::Constant<'_>| {
        let mut list = table::SECTIONS.iter().flat_map(|section| section.bounds);
        list.any(|bound| bound.path == constant.path && bound.name == constant.name)
    };
    let bounds = source.constants().iter().filter(|constant| table::is_bound(&constant.name));
    bounds.filter(|bound| !listed(bound)).map(|bound| format!("{}: `{}`", bound.path, bound.name)).collect()
}
