//! What a constant is worth: the arithmetic of constant expressions.
//!
//! Knows integers, other constants, and durations in milliseconds. Whatever else stands there, overflow included, is an
//! error: the page has no value that was guessed.

use super::source::{Constant, Source};
use syn::{BinOp, Expr, ExprCall, ExprPath, Lit, Type};

/// How deep constants may refer to each other.
const DEPTH: usize = 16;

/// The value of a constant; durations in milliseconds.
pub(super) fn of(source: &Source<'_>, constant: &Constant<'_>) -> Result<u128, String> {
    Scope { source, path: &constant.path, depth: 0 }
        .evaluate(constant.value)
        .map_err(|text| format!("{}: `{}`: {text}", constant.path, constant.name))
}

#[derive(Clone, Copy)]
struct Scope<'a> {
    source: &'a Source<'a>,
    path: &'a str,
    depth: usize,
}

impl Scope<'_> {
    fn evaluate(&self, expr: &Expr) -> Result<u128, String> {
        match expr {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Int(number) => number.base10_parse().map_err(|error| error.to_string()),
                _ => Err("a literal that is no integer".to_owned()),
            },
            Expr::Paren(inner) => self.evaluate(&inner.expr),
            Expr::Cast(cast) => fits(self.evaluate(&cast.expr)?, &cast.ty),
            Expr::Binary(pair) => apply(&pair.op, self.evaluate(&pair.left)?, self.evaluate(&pair.right)?),
            Expr::Path(path) => self.name(path),
            Expr::Call(call) => self.duration(call),
            _ => Err("not arithmetic".to_owned()),
        }
    }

    fn duration(&self, call: &ExprCall) -> Result<u128, String> {
        let names = match &*call.func {
            Expr::Path(path) => segments(path),
            _ => Vec::new(),
        };
        let scale = match names.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
            [.., "Duration", "from_secs"] => 1000,
            [.., "Duration", "from_millis"] => 1,
            _ => return Err("a call".to_owned()),
        };
        let count = call.args.first().ok_or("a call without argument")?;
        Ok(self.evaluate(count)? * scale)
    }

    /// A constant of the same file, or the only constant of that name: in the module that the path names, if it does.
    fn name(&self, path: &ExprPath) -> Result<u128, String> {
        let names = segments(path);
        let (name, module) = match names.as_slice() {
            [name] => (name, None),
            [.., module, name] => (name, Some(module)),
            [] => return Err("no name".to_owned()),
        };
        if self.depth == DEPTH {
            return Err(format!("`{name}` leads to itself"));
        }
        let all = || self.source.constants().iter().filter(|constant| constant.name == *name);
        let here: Vec<_> = all().filter(|constant| module.is_none() && constant.path == self.path).collect();
        let there = || all().filter(|constant| module.is_none_or(|module| is_module(&constant.path, module))).collect();
        let found: Vec<_> = if here.is_empty() { there() } else { here };
        match found.as_slice() {
            [one] => Scope { path: &one.path, depth: self.depth + 1, ..*self }.evaluate(one.value),
            several => Err(format!("`{name}` is {} constants", several.len())),
        }
    }
}

fn segments(path: &ExprPath) -> Vec<String> {
    path.path.segments.iter().map(|segment| segment.ident.to_string()).collect()
}

fn is_module(path: &str, module: &str) -> bool {
    path.ends_with(&format!("/{module}.rs")) || path.ends_with(&format!("/{module}/mod.rs"))
}

fn apply(operator: &BinOp, left: u128, right: u128) -> Result<u128, String> {
    let bits = || u32::try_from(right).ok().filter(|bits| *bits < 64);
    let result = match operator {
        BinOp::Add(_) => left.checked_add(right),
        BinOp::Sub(_) => left.checked_sub(right),
        BinOp::Mul(_) => left.checked_mul(right),
        BinOp::Div(_) => left.checked_div(right),
        BinOp::Shl(_) => bits().and_then(|bits| left.checked_mul(1 << bits)),
        BinOp::Shr(_) => bits().map(|bits| left >> bits),
        _ => return Err("an unknown operator".to_owned()),
    };
    result.filter(|value| *value <= u128::from(u64::MAX)).ok_or_else(|| "does not fit 64 bits".to_owned())
}

/// The value, if a cast to this type keeps it.
fn fits(value: u128, kind: &Type) -> Result<u128, String> {
    let name = match kind {
        Type::Path(path) => path.path.get_ident().map(ToString::to_string).unwrap_or_default(),
        _ => String::new(),
    };
    let bits = match name.as_str() {
        "u8" => 8,
        "u16" => 16,
        "u32" => 32,
        "u64" | "usize" => 64,
        _ => return Err("a cast to another type than an unsigned integer".to_owned()),
    };
    if value >> bits == 0 { Ok(value) } else { Err(format!("does not fit {name}")) }
}
