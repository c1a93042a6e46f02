//! A head that says less than it must is refused; only a test's own assertion is a catch.

use super::kept::{Kept, Packages};
use super::outcome::{
    Expected, Finish, Verdict, is_test_code, judge, judge_attack, judge_clean, judge_clean_attack, judge_clean_fuzzer,
    judge_fuzzer,
};
use super::patch::{self, Catcher, Patch};
use super::scratch::{Scratch, Snapshot};
use super::table::{Row, is_success, print};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const HEAD: &str = "Defect: it is broken.\nCaught by: cargo test -p some --lib tests::one\n\ndiff --git a/x b/x\n";

fn parse(text: &str) -> Result<Patch, String> {
    patch::parse(Path::new("folder/broken.patch"), text)
}

fn said(text: &str) -> Finish {
    Finish::Said(text.to_string())
}

fn verdict(output: &str) -> Verdict {
    judge(&said(output), "tests::one", Expected::Assertion, Path::new("/nowhere"))
}

#[test]
fn a_head_names_target_test_and_expected_end() {
    let patch = parse(HEAD).unwrap();

    assert_eq!((patch.name.as_str(), patch.catcher.name()), ("broken", "tests::one"));
    let target = |text: &str| match parse(text).unwrap().catcher {
        Catcher::Test(target, _) => target,
        Catcher::Attack(other) | Catcher::Fuzzer(other) => panic!("{other} is no test"),
    };
    assert_eq!(target(HEAD), ["-p", "some", "--lib"]);
    assert_eq!(patch.expected, Expected::Assertion);
    assert_eq!(parse(&HEAD.replace("\n\n", "\nHangs.\n\n")).unwrap().expected, Expected::Hang);
    assert_eq!(target(&HEAD.replace("--lib", "--test hostile")), ["-p", "some", "--test", "hostile"]);
}

#[test]
fn a_head_can_name_an_attack_on_the_machine() {
    let head =
        "Defect: it is broken.\nCaught by: cargo xtask proof --hostile secret fresh-pages\n\ndiff --git a/x b/x\n";

    assert_eq!(parse(head).unwrap().catcher, Catcher::Attack("secret fresh-pages".to_string()));
    assert!(parse(&head.replace("\n\n", "\nHangs.\n\n")).unwrap_err().contains("cannot be expected to hang"));
    let both = format!("Caught by: cargo test -p some --lib one\n{head}");
    assert_eq!(parse(&both).unwrap_err(), "not one line `Caught by: cargo …`");
}

#[test]
fn a_head_can_name_the_fuzzer() {
    let head = "Defect: it is broken.\nCaught by: cargo xtask fuzz --seed 7\n\ndiff --git a/x b/x\n";

    assert_eq!(parse(head).unwrap().catcher, Catcher::Fuzzer("--seed 7".to_string()));
    assert!(parse(&head.replace("fuzz --seed 7", "run")).unwrap_err().contains("must be"));
}

#[test]
fn the_fuzzer_catches_by_what_it_found() {
    let passed = "fuzz: seed 7, 200 calls, from child 0\nfuzz: 200 calls, 3 children, nothing found\n";

    assert_eq!(judge_fuzzer(&said("fuzz: found: it hangs (seed 7, after child 0)\n")), Verdict::Caught);
    assert_eq!(judge_fuzzer(&said(passed)), Verdict::Survived);
    assert_eq!(judge_fuzzer(&said("")).text(), "failed otherwise: no verdict");
    assert_eq!(judge_fuzzer(&Finish::TimedOut).text(), "failed otherwise: does not end");
    assert_eq!(judge_clean_fuzzer(&said(passed)), Verdict::Clean);
    assert_eq!(judge_clean_fuzzer(&said("fuzz: found: x\n")).text(), "failed otherwise: fails without the defect");
}

#[test]
fn an_attack_catches_by_what_the_machine_said_of_it() {
    let table = |verdict: &str| said(&format!("{:<26} {:<30} {verdict}\n", "numbers", "ENOSYS"));
    let judged = |verdict| judge_attack(&table(verdict), "numbers").text();
    let clean = |verdict| judge_clean_attack(&table(verdict), "numbers").text();

    assert_eq!(judged("ok      all numbers"), "SURVIVED");
    assert_eq!(judged("FAILED  FAIL it ended as Exited(1)"), "caught");
    assert_eq!(judged("FAILED  missing"), "failed otherwise: the machine never judged it");
    assert_eq!(judge_attack(&said(""), "numbers").text(), "failed otherwise: no verdict");
    assert_eq!(judge_attack(&Finish::TimedOut, "numbers").text(), "failed otherwise: does not end");
    assert_eq!(judge_clean_attack(&table("ok"), "numbers"), Verdict::Clean);
    assert_eq!(clean("FAILED  FAIL x"), "failed otherwise: fails without the defect");
    assert_eq!(judge_clean_attack(&said(""), "numbers").text(), "failed otherwise: there is no such attack");
}

#[test]
fn a_head_that_says_too_little_is_refused() {
    assert_eq!(parse("Defect: \n").unwrap_err(), "no line `Defect: …`");
    assert_eq!(
        parse("Defect: one\ndiff --git \nCaught by: cargo test x\n").unwrap_err(),
        "not one line `Caught by: cargo …`"
    );
    assert!(parse(&HEAD.replace(" --lib", "")).unwrap_err().contains("must be"));
    assert!(parse(&HEAD.replace("-p some --lib tests::one", "tests::one")).unwrap_err().contains("must be"));
}

#[test]
fn a_failure_by_the_tests_own_assertion_is_a_catch() {
    let output =
        "test tests::one ... FAILED\nthread 'tests::one' (7) panicked at source/core/src/tests/calls.rs:5:9:\n";

    assert_eq!(verdict(output), Verdict::Caught);
}

#[test]
fn everything_else_is_a_miss() {
    let inside = "test tests::one ... FAILED\nthread 'tests::one' panicked at source/core/src/ipc/call.rs:5:9:\n";
    let text = |verdict: Verdict| verdict.text();

    assert_eq!(verdict("test tests::one ... ok\n"), Verdict::Survived);
    assert_eq!(text(verdict(inside)), "failed otherwise: panicked at source/core/src/ipc/call.rs:5, no test's code");
    assert_eq!(text(verdict("running 0 tests\n")), "failed otherwise: no panic of the test");
    assert_eq!(text(verdict("test tests::one ... FAILED\n")), "failed otherwise: no panic of the test");
    assert_eq!(text(verdict("signal: 11, SIGSEGV\n")), "failed otherwise: no panic of the test");
}

#[test]
fn a_hang_is_a_catch_only_if_it_was_announced() {
    let end = |finish: &Finish, expected| judge(finish, "tests::one", expected, Path::new("/nowhere")).text();

    assert_eq!(end(&Finish::TimedOut, Expected::Hang), "caught");
    assert_eq!(end(&Finish::TimedOut, Expected::Assertion), "failed otherwise: does not end");
    assert_eq!(
        end(&said("test tests::one ... FAILED\n"), Expected::Hang),
        "failed otherwise: it was to hang and ended"
    );
    assert_eq!(end(&said("test tests::one ... ok\n"), Expected::Hang), "SURVIVED");
}

#[test]
fn the_clean_tree_must_have_the_test_and_pass_it() {
    let text = |output: &str| judge_clean(&said(output), "tests::one").text();

    assert_eq!(judge_clean(&said("test tests::one ... ok\n"), "tests::one"), Verdict::Clean);
    assert_eq!(text("test tests::one ... FAILED\n"), "failed otherwise: fails without the defect");
    assert_eq!(text("running 0 tests\n"), "failed otherwise: there is no such test");
    assert_eq!(judge_clean(&Finish::TimedOut, "").text(), "failed otherwise: does not end without the defect");
}

#[test]
fn test_code_is_told_by_its_file_or_its_place_in_it() {
    let text = "fn code() {}\n#[cfg(test)]\nmod tests {\n    fn test() {}\n}\n";

    assert!(is_test_code("some/tests/hostile.rs", 1, "") && is_test_code("some/src/map_tests.rs", 1, ""));
    assert!(!is_test_code("some/src/code.rs", 1, text) && is_test_code("some/src/code.rs", 4, text));
}

#[test]
fn the_table_closes_with_the_count_and_is_green_only_if_all_are_caught() {
    let patch = parse(HEAD).unwrap();
    let row = |verdict| Row::of(&patch, verdict, Duration::from_millis(1500));
    let mixed = [row(Verdict::Caught), row(Verdict::Survived), row(Verdict::DoesNotApply)];

    let text = print(&mixed);

    assert_eq!(text.lines().nth(1), Some("broken                 caught                1.5 s  tests::one"));
    assert_eq!(text.lines().last(), Some("1 passed, 2 failed"));
    assert!(!is_success(&mixed) && !is_success(&[]) && is_success(&mixed[..1]));
}

/// A repository of one file in a folder of its own.
fn repository(name: &str) -> PathBuf {
    let root = crate::root().join("target/gate-fixtures").join(name);
    let _ = fs::remove_dir_all(&root);
    fs::create_dir_all(root.join("folder")).unwrap();
    fs::write(root.join("folder/file"), "one\n").unwrap();
    for arguments in [&["init", "-q"][..], &["add", "folder/file"]] {
        assert!(Command::new("git").args(arguments).current_dir(&root).status().unwrap().success());
    }
    root
}

#[test]
fn a_patch_changes_the_copy_alone_and_goes_without_a_trace() {
    let root = repository("defects");
    let (tree, patch) = (root.join("target/tree"), root.join("two.patch"));
    let hunks = "--- a/folder/file\n+++ b/folder/file\n@@ -1 +1 @@\n-one\n+two\n--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+new\n";
    fs::write(&patch, format!("Defect: x.\n\n{hunks}")).unwrap();
    let source = Snapshot::of(&root).unwrap();
    let scratch = Scratch::copy_of(&source, tree.clone()).unwrap();
    let state = || (fs::read_to_string(tree.join("folder/file")).unwrap(), tree.join("new").exists());

    assert!(scratch.apply(&patch).unwrap());
    assert_eq!(state(), ("two\n".to_string(), true));
    assert!(!scratch.apply(&patch).unwrap());
    scratch.restore().unwrap();
    assert_eq!(state(), ("one\n".to_string(), false));
    assert_eq!(fs::read_to_string(root.join("folder/file")).unwrap(), "one\n");
    fs::remove_dir_all(root).unwrap();
}

/// What a catch hangs on where `package` lies in `folder` of the fixture's repository, with one more file of the tree.
fn key(package: &str, file: &str, text: &str) -> u64 {
    let root = repository(&format!("defects-{}", file.replace('/', "-")));
    let path = root.join(file);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    assert!(Command::new("git").args(["add", file]).current_dir(&root).status().unwrap().success());
    let packages = Packages::of(&serde_json::json!({"workspace_root": "/r", "packages": [
        {"name": "some", "manifest_path": "/r/some/Cargo.toml", "dependencies": [{"name": "deep", "path": "/r/deep"}]},
        {"name": "deep", "manifest_path": "/r/deep/Cargo.toml", "dependencies": [{"name": "foreign"}]},
        {"name": "other", "manifest_path": "/r/other/Cargo.toml", "dependencies": []},
    ]}));
    let patch = parse(&HEAD.replace("some", package)).unwrap();
    let key = packages.key(&patch, HEAD.as_bytes(), &Snapshot::of(&root).unwrap());
    fs::remove_dir_all(root).unwrap();
    key
}

#[test]
fn a_catch_hangs_on_the_files_that_its_test_is_built_of() {
    let changes = |package, file| key(package, file, "one") != key(package, file, "two");

    assert!(changes("some", "some/src/lib.rs") && changes("some", "deep/src/lib.rs"));
    assert!(changes("some", "system.toml") && changes("some", "tests/corpus/x"));
    assert!(!changes("some", "other/src/lib.rs") && !changes("deep", "some/src/lib.rs"));
    assert!(!changes("some", "docs/x.html") && !changes("some", "README.md"));
    assert!(!changes("some", "tests/defects/y.patch"));
    assert!(changes("xtask", "other/main.rs"));
}

#[test]
fn a_catch_is_kept_for_the_files_it_was_made_with() {
    let folder = crate::root().join("target/gate-fixtures/defects-kept");
    let _ = fs::remove_dir_all(&folder);
    let patch = parse(HEAD).unwrap();

    Kept::load(&folder.join("caught")).unwrap().keep(&patch, 7, Duration::from_millis(1500)).unwrap();

    let kept = Kept::load(&folder.join("caught")).unwrap();
    assert_eq!(kept.seconds(&patch, 7), Some(Duration::from_millis(1500)));
    assert_eq!(kept.seconds(&patch, 8), None);
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn every_defect_of_this_tree_has_a_sound_head() {
    let patches = patch::load(&crate::root().join("tests/defects")).unwrap();

    assert!(patches.iter().all(|patch| !patch.catcher.name().is_empty()));
}

#[test]
fn every_defect_of_this_tree_still_fits_it() {
    let root = crate::root();
    let folder = root.join("tests/defects");
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let (mut fitting, mut stale) = (0, Vec::new());
    for path in entries.filter(|path| path.extension().is_some_and(|end| end == "patch")) {
        let checked = Command::new("git").args(["apply", "--check"]).arg(&path).current_dir(&root).status().unwrap();
        if checked.success() { fitting += 1 } else { stale.push(path) }
    }
    assert_eq!((stale, fitting > 0), (Vec::new(), true));
}
