//! Suppressed lints: each says why.
//!
//! A lint that is switched off in silence is an exception list that nobody reads.

use super::tree::{Finding, RustFile, Tree};
use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// Every `allow` or `expect` attribute without a reason, in macros too.
pub(super) fn suppressions(tree: &Tree) -> Vec<Finding> {
    tree.rust.iter().flat_map(silent).collect()
}

fn silent(file: &RustFile) -> Vec<Finding> {
    let mut lines = Vec::new();
    collect(file.tokens.clone(), &mut lines);
    let text = "a lint is switched off without `reason = \"…\"`";
    lines.into_iter().map(|line| Finding::at(&file.path, line, text)).collect()
}

fn collect(tokens: TokenStream, lines: &mut Vec<usize>) {
    for token in tokens {
        let TokenTree::Group(group) = token else { continue };
        let inner: Vec<TokenTree> = group.stream().into_iter().collect();
        match &inner[..] {
            [TokenTree::Ident(name), TokenTree::Group(list)]
                if group.delimiter() == Delimiter::Bracket && (name == "allow" || name == "expect") =>
            {
                if !gives_reason(list.stream()) {
                    lines.push(name.span().start().line);
                }
            }
            _ => collect(group.stream(), lines),
        }
    }
}

fn gives_reason(list: TokenStream) -> bool {
    list.into_iter().any(|token| matches!(token, TokenTree::Ident(name) if name == "reason"))
}
