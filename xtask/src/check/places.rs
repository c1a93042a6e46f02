//! Places: `unsafe` and choices by target stand where the tree says, and nowhere else.
//!
//! Tokens are searched, not the syntax tree, so that a macro hides nothing.

use super::tree::{Finding, RustFile, Tree};
use proc_macro2::{Delimiter, TokenStream, TokenTree};
use toml::de::{DeTable, DeValue};

/// The folders where `unsafe` may stand.
const UNSAFE_PLACES: [&str; 2] = ["source/kernel/arch/", "userspace/nexus-rt/src/sys/"];
/// The crates that hold such a folder, and so set their own lints.
const UNSAFE_CRATES: [&str; 2] = ["source/kernel/arch/", "userspace/nexus-rt/"];

/// The files that choose between machine and host, each with what it chooses.
const CHOOSERS: [(&str, &str); 4] = [
    ("source/kernel/arch/src/lib.rs", "the machine's modules exist only on the machine"),
    ("source/kernel/image/src/main.rs", "the kernel binary is empty where it cannot boot"),
    ("userspace/nexus-rt/src/lib.rs", "system calls by ecall on the machine, none on the host"),
    ("userspace/nexus-rt/src/sys/mod.rs", "the same choice for the unsafe half"),
];

/// No `unsafe` outside its places, and every other crate forbids it through the workspace lints.
pub(super) fn unsafe_code(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust.iter().filter(|file| !starts_with_any(&file.path, &UNSAFE_PLACES)) {
        for line in lines_of_ident(file.tokens.clone(), "unsafe") {
            let text = format!("`unsafe` outside {} and {}", UNSAFE_PLACES[0], UNSAFE_PLACES[1]);
            findings.push(Finding::at(&file.path, line, text));
        }
    }
    for manifest in tree.texts.iter().filter(|file| file.path.ends_with("Cargo.toml")) {
        let own_lints = starts_with_any(&manifest.path, &UNSAFE_CRATES);
        if !own_lints && is_package(&manifest.text) && !inherits_lints(&manifest.text) {
            let text = "no `[lints] workspace = true`: the crate does not forbid unsafe code";
            findings.push(Finding::at(&manifest.path, 1, text));
        }
    }
    findings
}

/// A choice by target stands only in the files that choose, and there on a module, an import or the crate;
/// a choice by anything else but `test` stands on a module, an import or the crate.
pub(super) fn target_choice(tree: &Tree) -> Vec<Finding> {
    tree.rust.iter().flat_map(choices_in).collect()
}

fn choices_in(file: &RustFile) -> Vec<Finding> {
    let mut choices = Vec::new();
    collect_choices(file.tokens.clone(), &mut choices);
    let is_chooser = CHOOSERS.iter().any(|(path, _)| *path == file.path) || is_program_main(&file.path);
    choices
        .into_iter()
        .filter_map(|choice| {
            let by_target = choice.predicate.contains("target_");
            let only_test = choice.predicate == "test";
            if by_target && !is_chooser {
                let text = "a choice by target outside the files that choose (xtask/src/check/places.rs lists them)";
                Some(Finding::at(&file.path, choice.line, text))
            } else if !only_test && !choice.chooses_file {
                Some(Finding::at(&file.path, choice.line, "`cfg` inside logic; let it choose a module or an import"))
            } else {
                None
            }
        })
        .collect()
}

/// The `main.rs` of a program chooses `no_std` and `no_main` for the machine, on the crate.
fn is_program_main(path: &str) -> bool {
    let parts: Vec<&str> = path.split('/').collect();
    matches!(parts[..], ["source", "services" | "drivers" | "apps", _, "src", "main.rs"])
}

/// One `cfg`, `cfg_attr` or `cfg!`.
struct Choice {
    line: usize,
    predicate: String,
    chooses_file: bool,
}

fn collect_choices(tokens: TokenStream, choices: &mut Vec<Choice>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        let TokenTree::Group(group) = token else {
            continue;
        };
        if group.delimiter() == Delimiter::Bracket
            && let Some((line, predicate)) = attribute_choice(group.stream())
        {
            let inner = index > 0 && is_punct(&tokens[index - 1], '!');
            choices.push(Choice { line, predicate, chooses_file: inner || precedes_file(&tokens[index + 1..]) });
        } else {
            collect_choices(group.stream(), choices);
        }
    }
    for window in tokens.windows(3) {
        if let [TokenTree::Ident(name), bang, TokenTree::Group(group)] = window
            && name == "cfg"
            && is_punct(bang, '!')
        {
            let predicate = group.stream().to_string();
            choices.push(Choice { line: name.span().start().line, predicate, chooses_file: false });
        }
    }
}

/// Line and predicate of an attribute that chooses.
fn attribute_choice(tokens: TokenStream) -> Option<(usize, String)> {
    let mut tokens = tokens.into_iter();
    match (tokens.next()?, tokens.next()?) {
        (TokenTree::Ident(name), TokenTree::Group(group)) if name == "cfg" || name == "cfg_attr" => {
            Some((name.span().start().line, group.stream().to_string()))
        }
        _ => None,
    }
}

/// Whether what follows an attribute, past further attributes, is a module or an import.
fn precedes_file(rest: &[TokenTree]) -> bool {
    let mut at = 0;
    while rest.get(at).is_some_and(|token| is_punct(token, '#')) {
        at += 2;
    }
    let words = rest.get(at..).unwrap_or_default().iter().take(3).map(ToString::to_string);
    let word = words.into_iter().find(|word| word != "pub" && !word.starts_with('('));
    word.is_some_and(|word| word == "mod" || word == "use")
}

/// Lines that prove something are printed by the program that proves it, and by the kernel's one module of tests.
pub(super) fn marker_literals(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.rust.iter().filter(|file| is_product(&file.path) && !prints_proofs(&file.path)) {
        let mut literals = Vec::new();
        collect_literals(file.tokens.clone(), &mut literals);
        for (line, literal) in literals {
            if literal.contains("SELFTEST: ") && !file.is_test_line(line) {
                let text = "a proof line inside product code; source/apps/selftest prints it";
                findings.push(Finding::at(&file.path, line, text));
            }
        }
    }
    findings
}

fn is_product(path: &str) -> bool {
    path.starts_with("source/") || path.starts_with("userspace/")
}

fn prints_proofs(path: &str) -> bool {
    path.starts_with("source/apps/selftest/") || path.starts_with("source/kernel/core/src/selftest/")
}

fn collect_literals(tokens: TokenStream, literals: &mut Vec<(usize, String)>) {
    let tokens: Vec<TokenTree> = tokens.into_iter().collect();
    for (index, token) in tokens.iter().enumerate() {
        match token {
            // Documentation may quote a line.
            TokenTree::Group(group) if index == 0 || !is_doc(group.stream()) => {
                collect_literals(group.stream(), literals);
            }
            TokenTree::Literal(literal) => literals.push((literal.span().start().line, literal.to_string())),
            _ => {}
        }
    }
}

fn is_doc(tokens: TokenStream) -> bool {
    matches!(tokens.into_iter().next(), Some(TokenTree::Ident(name)) if name == "doc")
}

fn lines_of_ident(tokens: TokenStream, word: &str) -> Vec<usize> {
    tokens
        .into_iter()
        .flat_map(|token| match token {
            TokenTree::Ident(ident) if ident == word => vec![ident.span().start().line],
            TokenTree::Group(group) => lines_of_ident(group.stream(), word),
            _ => Vec::new(),
        })
        .collect()
}

fn is_punct(token: &TokenTree, character: char) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == character)
}

fn starts_with_any(path: &str, prefixes: &[&str]) -> bool {
    prefixes.iter().any(|prefix| path.starts_with(prefix))
}

fn is_package(manifest: &str) -> bool {
    DeTable::parse(manifest).is_ok_and(|table| table.get_ref().contains_key("package"))
}

fn inherits_lints(manifest: &str) -> bool {
    let Ok(table) = DeTable::parse(manifest) else {
        return false;
    };
    let lints = table.get_ref().get("lints").and_then(|lints| lints.get_ref().get("workspace"));
    lints.is_some_and(|value| matches!(value.get_ref(), DeValue::Boolean(true)))
}
