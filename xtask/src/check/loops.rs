//! Retries: no loop around an IPC call outside `nexus-ipc`.
//!
//! A loop that sends until it works turns a dead peer into a spinning client. Whatever waits or tries again does it in
//! `nexus-ipc`, whose budgets end it, or blocks in the one receive loop. Two marks give a loop away: it makes a message
//! call itself, or it looks at an error that says "again" or "gone". Programs that attack or measure the kernel are no
//! clients of anybody and may do what they like.

use super::tree::{Finding, RustFile, Tree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprBinary, ExprCall, ExprForLoop, ExprLoop, ExprMethodCall, ExprPath, ExprWhile, Macro, Pat, Path,
};

/// Where services, drivers and what they link stand.
const CLIENTS: [&str; 4] = ["source/services/", "source/drivers/", "source/apps/shell/", "userspace/"];
/// The library whose loops have budgets, the one receive loop, and what floods a service to see its bounds.
const LOOPERS: [&str; 3] =
    ["userspace/nexus-ipc/", "userspace/nexus-rt/src/server.rs", "userspace/nexus-proto/src/contract/"];

/// Functions and methods that send or receive a message.
const CALLS: [&str; 12] = [
    "message",
    "counted",
    "send",
    "route",
    "route_each",
    "find",
    "find_within",
    "learn",
    "renew",
    "exchange",
    "ask_each",
    "route_with_nonce_budgeted",
];
/// Errors after which a client may think of trying again.
const AGAIN: [&str; 4] = ["Again", "PeerClosed", "TimedOut", "RateLimited"];

/// Every loop in a client that makes a message call or looks whether to try again.
pub(super) fn ipc_loops(tree: &Tree) -> Vec<Finding> {
    let judged = |file: &&RustFile| {
        let under = |folders: &[&str]| folders.iter().any(|folder| file.path.starts_with(folder));
        under(&CLIENTS) && !under(&LOOPERS)
    };
    tree.rust
        .iter()
        .filter(judged)
        .flat_map(|file| {
            let mut walk = Loops { file, depth: 0, looking: 0, findings: Vec::new() };
            walk.visit_file(&file.syntax);
            walk.findings
        })
        .collect()
}

struct Loops<'file> {
    file: &'file RustFile,
    /// Loops around the place that is looked at.
    depth: usize,
    /// Patterns and comparisons around it.
    looking: usize,
    findings: Vec<Finding>,
}

impl Loops<'_> {
    fn inside(&mut self, walk: impl FnOnce(&mut Self)) {
        self.depth += 1;
        walk(self);
        self.depth -= 1;
    }

    fn called(&mut self, name: &str, span: proc_macro2::Span) {
        if CALLS.contains(&name) {
            self.found(span, format!("`{name}` in a loop: only nexus-ipc repeats an IPC call, within a budget"));
        }
    }

    fn found(&mut self, span: proc_macro2::Span, text: String) {
        let line = span.start().line;
        if self.depth > 0 && !self.file.is_test_line(line) {
            self.findings.push(Finding::at(&self.file.path, line, text));
        }
    }
}

impl<'ast> Visit<'ast> for Loops<'_> {
    fn visit_expr_loop(&mut self, each: &'ast ExprLoop) {
        self.inside(|walk| visit::visit_expr_loop(walk, each));
    }

    fn visit_expr_while(&mut self, each: &'ast ExprWhile) {
        self.inside(|walk| visit::visit_expr_while(walk, each));
    }

    /// What a `for` goes through is asked once.
    fn visit_expr_for_loop(&mut self, each: &'ast ExprForLoop) {
        self.visit_expr(&each.expr);
        self.inside(|walk| walk.visit_block(&each.body));
    }

    fn visit_expr_call(&mut self, call: &'ast ExprCall) {
        if let Expr::Path(ExprPath { path, .. }) = &*call.func
            && let Some(last) = path.segments.last()
        {
            self.called(&last.ident.to_string(), last.ident.span());
        }
        visit::visit_expr_call(self, call);
    }

    fn visit_expr_method_call(&mut self, call: &'ast ExprMethodCall) {
        let name = call.method.to_string();
        // `find` of an iterator takes a closure, that of routes a name.
        let closure = call.args.first().is_some_and(|argument| matches!(argument, Expr::Closure(_)));
        if !closure {
            self.called(&name, call.method.span());
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_pat(&mut self, pattern: &'ast Pat) {
        self.looking += 1;
        visit::visit_pat(self, pattern);
        self.looking -= 1;
    }

    fn visit_expr_binary(&mut self, each: &'ast ExprBinary) {
        let compares = usize::from(matches!(each.op, BinOp::Eq(_) | BinOp::Ne(_)));
        self.looking += compares;
        visit::visit_expr_binary(self, each);
        self.looking -= compares;
    }

    /// What a macro is given is no syntax tree: its text is searched.
    fn visit_macro(&mut self, each: &'ast Macro) {
        let text = each.tokens.to_string();
        let looks = each.path.is_ident("matches") || text.contains("==");
        for again in AGAIN.iter().filter(|again| looks && text.contains(&format!("Error :: {again}"))) {
            self.found(each.path.span(), format!("a loop that looks at `Error::{again}`: only nexus-ipc tries again"));
        }
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let mut names = path.segments.iter().rev().map(|segment| segment.ident.to_string());
        if let (Some(last), Some(owner)) = (names.next(), names.next())
            && owner == "Error"
            && self.looking > 0
            && AGAIN.contains(&last.as_str())
        {
            self.found(path.span(), format!("a loop that looks at `Error::{last}`: only nexus-ipc tries again"));
        }
        visit::visit_path(self, path);
    }
}
