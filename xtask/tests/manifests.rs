//! A folder of tiny broken manifests, each refused with exactly the line beside it; every rule has at least one.

use std::collections::BTreeSet;
use std::path::PathBuf;

use xtask::manifest::{Rule, load};

fn fixtures() -> Vec<PathBuf> {
    let folder = xtask::root().join("tests/manifests");
    let entries = std::fs::read_dir(folder).expect("the folder is part of the tree");
    let mut files: Vec<_> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    files
}

#[test]
fn each_fixture_is_judged_as_the_text_beside_it_says() {
    let mut wrong = Vec::new();
    for path in fixtures() {
        let expected = std::fs::read_to_string(path.with_extension("txt")).unwrap_or_default();
        let found = load(&path).map_or_else(|refusal| refusal.to_string(), |_| "sound".to_owned());
        if found != expected.trim_end() {
            wrong.push(format!("{}: expected `{}`, found `{found}`", path.display(), expected.trim_end()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_rule_is_broken_by_a_fixture() {
    let broken: BTreeSet<Rule> =
        fixtures().iter().filter_map(|path| load(path).err()).map(|refusal| refusal.rule).collect();
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !broken.contains(rule)).collect();
    assert!(missing.is_empty(), "no fixture breaks {missing:?}");
}

#[test]
fn no_text_is_without_its_manifest() {
    let folder = xtask::root().join("tests/manifests");
    for entry in std::fs::read_dir(folder).expect("the folder is part of the tree") {
        let path = entry.expect("readable").path();
        assert!(path.with_extension("toml").exists(), "{} is about nothing", path.display());
    }
}

#[test]
fn the_system_itself_is_sound() {
    if let Err(refusal) = load(&xtask::root().join("system.toml")) {
        panic!("{refusal}");
    }
}

#[test]
fn no_prefix_of_the_system_manifest_makes_the_reader_panic() {
    let text = std::fs::read_to_string(xtask::root().join("system.toml")).expect("part of the tree");
    for (end, _) in text.char_indices() {
        if let Err(refusal) = xtask::manifest::parse("part.toml", &text[..end]) {
            assert!(refusal.line >= 1 && refusal.line <= text.lines().count() + 1, "{refusal}");
        }
    }
}

#[test]
fn no_changed_byte_of_the_system_manifest_makes_the_reader_panic() {
    let text = std::fs::read_to_string(xtask::root().join("system.toml")).expect("part of the tree");
    for at in (0..text.len()).step_by(31) {
        for byte in *b"\"]}=-9" {
            let mut changed = text.clone().into_bytes();
            changed[at] = byte;
            if let Ok(changed) = String::from_utf8(changed) {
                let _ = xtask::manifest::parse("changed.toml", &changed);
            }
        }
    }
}

#[test]
fn the_page_about_the_manifest_has_every_rule() {
    let page = std::fs::read_to_string(xtask::root().join("docs/manifest.md")).expect("part of the tree");
    let missing: Vec<_> = Rule::ALL.iter().filter(|rule| !page.contains(&format!("| `{}` |", rule.name()))).collect();
    assert!(missing.is_empty(), "docs/manifest.md does not explain {missing:?}");
}

#[test]
fn every_program_has_the_default_routes_unless_it_names_one_so() {
    let text = std::fs::read_to_string(xtask::root().join("tests/manifests/sound.toml")).expect("part of the tree");
    let text = text
        + "\n[programs]\nquota = { threads = 1 }\nroutes = { x = \"a\", y = \"b\" }\n\n[[service]]\nname = \"c\"\n\
           quota = { frames = 8, threads = 1 }\ngrants = [\"spawn\"]\n\n[[program]]\nname = \"p\"\n\n\
           [[program]]\nname = \"q\"\nroutes = { x = \"b:y\" }\n";
    let wiring = xtask::manifest::parse("defaults.toml", &text).unwrap_or_else(|refusal| panic!("{refusal}")).wiring;
    let routes = |program| {
        let routes = wiring.routes_of(wiring::Party::Program(program));
        let pair = |route: &wiring::Route| {
            (route.name.as_str().to_owned(), wiring.interfaces[usize::from(route.interface)].name.as_str().to_owned())
        };
        routes.map(pair).collect::<Vec<_>>()
    };
    let pair = |name: &str, interface: &str| (name.to_owned(), interface.to_owned());
    assert_eq!(routes(0), [pair("x", "x"), pair("y", "y")]);
    assert_eq!(routes(1), [pair("x", "y"), pair("y", "y")]);
}
