//! That the page is true, complete for what calls itself a bound, and never guesses.

use super::source::Source;
use super::{PAGE, page, table, unlisted, value};
use crate::check::{RustFile, Tree};
use nexus_abi::{handle, image, layout, message};

fn one_file(text: &str) -> Tree {
    let file = RustFile::parse("source/libs/sample/src/lib.rs", text).expect("the sample parses");
    Tree { rust: vec![file], ..Tree::default() }
}

fn worth(text: &str) -> Result<u128, String> {
    let tree = one_file(text);
    let source = Source::new(&tree);
    value::of(&source, source.constant("source/libs/sample/src/lib.rs", "IT")?)
}

#[test]
fn the_page_says_what_the_source_says() {
    let wanted = page().expect("the source is as the list says");
    let found = std::fs::read_to_string(crate::root().join(PAGE)).unwrap_or_default();
    let differ = wanted.lines().zip(found.lines()).find(|(wanted, found)| wanted != found);
    assert!(wanted == found, "{PAGE} is out of date, run `cargo xtask limits`; first difference: {differ:?}");
}

#[test]
fn a_bound_that_is_not_in_the_list_is_found() {
    let tree = one_file("const ENTRY_MAX: u64 = 1; const MAXIMAL: u64 = 2; impl T { const QUEUE: u8 = 3; }");
    let path = "source/libs/sample/src/lib.rs";
    assert_eq!(unlisted(&Source::new(&tree)), [format!("{path}: `ENTRY_MAX`"), format!("{path}: `QUEUE`")]);
}

#[test]
fn nothing_is_listed_twice() {
    let mut listed: Vec<_> =
        table::SECTIONS.iter().flat_map(|section| section.bounds).map(|bound| (bound.path, bound.name)).collect();
    let all = listed.len();
    listed.sort_unstable();
    listed.dedup();
    assert_eq!(listed.len(), all);
}

#[test]
fn values_are_those_that_the_compiler_computes() {
    let read = |file| {
        let path = format!("source/libs/nexus-abi/src/{file}.rs");
        let text = std::fs::read_to_string(crate::root().join(&path)).expect("part of the tree");
        RustFile::parse(&path, &text).expect("it parses")
    };
    let tree = Tree { rust: ["handle", "image", "layout", "message"].map(read).into(), ..Tree::default() };
    let source = Source::new(&tree);
    for (file, name, compiled) in [
        ("handle", "MAX_SLOTS", handle::MAX_SLOTS as u64),
        ("handle", "MAX_SHARDS", handle::MAX_SHARDS as u64),
        ("handle", "GENERATION_END", handle::GENERATION_END),
        ("image", "MAX_ENTRIES", image::MAX_ENTRIES as u64),
        ("layout", "USER_START", layout::USER_START),
        ("layout", "USER_END", layout::USER_END),
        ("layout", "MAP_BATCH", layout::MAP_BATCH),
        ("layout", "DEFAULT_STACK", layout::DEFAULT_STACK as u64),
        ("message", "MAX_INLINE", message::MAX_INLINE as u64),
    ] {
        let path = format!("source/libs/nexus-abi/src/{file}.rs");
        let constant = source.constant(&path, name).expect("part of the tree");
        assert_eq!(value::of(&source, constant), Ok(u128::from(compiled)), "{name}");
    }
}

#[test]
fn an_error_is_in_use_only_where_code_names_it() {
    let tree = one_file(
        "/// [`Error::Told`]\nfn a() { f(Error::Real) }\nfn b() { f(Error::Longer) }\n#[cfg(test)]\nmod tests { fn c() { f(Error::Tested) } }",
    );
    let source = Source::new(&tree);
    let named = |variant| source.names_variant("Error", variant);
    assert_eq!([named("Real"), named("Told"), named("Long"), named("Tested")], [true, false, false, false]);
}

#[test]
fn arithmetic_is_that_of_constants() {
    assert_eq!(worth("const A: usize = 3; const IT: u64 = (A * 4 - 2) as u64 / 3 + (1 << 4);"), Ok(19));
    assert_eq!(worth("const IT: Duration = Duration::from_secs(2);"), Ok(2000));
    assert_eq!(worth("const IT: Duration = Duration::from_millis(20);"), Ok(20));
}

#[test]
fn what_is_not_arithmetic_has_no_value() {
    for wrong in [
        "const IT: u8 = 300 as u8;",
        "const IT: u64 = 1 - 2;",
        "const IT: u64 = 1 / 0;",
        "const IT: u64 = 1 << 64;",
        "const IT: u64 = IT;",
        "const IT: u64 = absent::A;",
        "const IT: u64 = guess();",
        "const OTHER: u64 = 1;",
        "#[cfg(test)] mod tests { const IT: u64 = 1; }",
    ] {
        assert!(worth(wrong).is_err(), "{wrong}");
    }
}
