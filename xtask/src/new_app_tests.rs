//! A new program stands where everything finds it; a refused name leaves the tree as it was.

use super::*;
use std::path::PathBuf;

/// A tree of its own with the sample and the manifest of this one.
fn tree(test: &str) -> PathBuf {
    let root = crate::root().join("target/gate-fixtures/new-app").join(test);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("source/apps/hello/src")).unwrap();
    fs::create_dir_all(root.join("userspace/loader")).unwrap();
    for file in ["system.toml", "source/apps/hello/Cargo.toml", "source/apps/hello/src/main.rs"] {
        fs::copy(crate::root().join(file), root.join(file)).unwrap();
    }
    root
}

#[test]
fn a_new_program_has_its_crate_and_its_row() {
    let root = tree("made");

    create(&root, "my-app").unwrap();

    let package = fs::read_to_string(root.join("source/apps/my-app/Cargo.toml")).unwrap();
    assert_eq!(package.matches("name = \"my-app\"").count(), 2, "package and executable:\n{package}");
    assert!(!package.contains("\"hello\""), "{package}");
    let code = fs::read_to_string(root.join("source/apps/my-app/src/main.rs")).unwrap();
    assert!(code.starts_with("//! The program my-app, begun as a copy of hello"), "{code}");
    let resolved = manifest::load(&root.join("system.toml")).unwrap();
    let programs: Vec<&str> = resolved.wiring.programs.iter().map(|program| program.name.as_str()).collect();
    assert!(programs.contains(&"app/boot/my-app"), "{programs:?}");
}

#[test]
fn a_refused_name_changes_nothing() {
    let root = tree("refused");
    let before = fs::read_to_string(root.join("system.toml")).unwrap();
    let too_long = "a".repeat(64);

    for name in ["", "Hello", "9lives", "a/b", "../up", "a b", "end-", "fn", "core", "hello", "loader", &too_long] {
        assert!(create(&root, name).is_err(), "{name:?} is accepted");
    }

    assert_eq!(fs::read_to_string(root.join("system.toml")).unwrap(), before);
    let apps = fs::read_dir(root.join("source/apps")).unwrap().count();
    assert_eq!(apps, 1, "only the sample stands there");
}
