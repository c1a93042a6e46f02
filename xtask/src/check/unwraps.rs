//! Panics by choice: no `unwrap` outside tests, and an `expect` that names the invariant it leans on.
//!
//! Bad input gets an error; only what cannot happen may panic, and the text says why it cannot.

use super::tree::{Finding, RustFile, Tree};
use syn::visit::{self, Visit};
use syn::{Expr, ExprMethodCall, Lit};

/// Words that an invariant needs at least.
const WORDS: usize = 3;

/// Every `unwrap()` and every `expect` without an invariant in product code.
pub(super) fn unwraps(tree: &Tree) -> Vec<Finding> {
    tree.rust
        .iter()
        .flat_map(|file| {
            let mut walk = Unwraps { file, findings: Vec::new() };
            walk.visit_file(&file.syntax);
            walk.findings
        })
        .collect()
}

struct Unwraps<'file> {
    file: &'file RustFile,
    findings: Vec<Finding>,
}

impl<'ast> Visit<'ast> for Unwraps<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let line = call.method.span().start().line;
        let text = match call.method.to_string().as_str() {
            "unwrap" | "unwrap_err" => Some("`unwrap`: handle the error, or `expect` with the invariant"),
            "expect" | "expect_err" if !names_invariant(call) => {
                Some("`expect` whose text does not name the invariant that makes it impossible")
            }
            _ => None,
        };
        if let Some(text) = text
            && !self.file.is_test_line(line)
        {
            self.findings.push(Finding::at(&self.file.path, line, text));
        }
        visit::visit_expr_method_call(self, call);
    }
}

/// Whether the text of an `expect` is a sentence. What is no literal is a method of our own called `expect`.
fn names_invariant(call: &ExprMethodCall) -> bool {
    match call.args.first() {
        Some(Expr::Lit(literal)) => {
            matches!(&literal.lit, Lit::Str(text) if text.value().split_whitespace().count() >= WORDS)
        }
        _ => true,
    }
}
