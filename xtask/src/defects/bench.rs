//! Builds and runs one test in the copy, within a bounded time.
//!
//! Build and run are two commands: a test that fails and a program that is none must not be taken for each other.

use super::outcome::{self, Finish, Verdict};
use super::patch::{Catcher, Patch};
use super::scratch::{Scratch, Snapshot};
use crate::suites::runner::{Ended, wait};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Most that one build may take: the first one compiles everything, on a host that may have more to do.
const BUILD: Duration = Duration::from_secs(1200);
/// Most that the tests of one program may take: the slowest of them checks every invariant after each of 100,000 events.
const TEST: Duration = Duration::from_secs(300);

/// Most that one attack may take, the boot around it included.
const ATTACK: Duration = Duration::from_secs(300);

/// Most that the fuzzer may take, the silence of a machine that hangs included.
const FUZZER: Duration = Duration::from_secs(600);

/// One copy of the tree and where it is built.
pub(super) struct Bench<'a> {
    scratch: Scratch<'a>,
    build: PathBuf,
    log: PathBuf,
    /// What its test says where nothing is broken, by defect.
    clean: BTreeMap<&'a str, Verdict>,
}

impl<'a> Bench<'a> {
    /// A copy of the tree in `folder`.
    pub(super) fn new(source: &'a Snapshot, folder: &Path) -> io::Result<Bench<'a>> {
        let scratch = Scratch::copy_of(source, folder.join("tree"))?;
        let (build, log) = (folder.join("build"), folder.join("output.log"));
        Ok(Bench { scratch, build, log, clean: BTreeMap::new() })
    }

    /// Tries one defect; `all` says which others are tried, so that the tests of one program run without any at once.
    pub(super) fn attempt(&mut self, patch: &'a Patch, all: &[&'a Patch]) -> Verdict {
        if !self.clean.contains_key(patch.name.as_str()) {
            let beside: Vec<&Patch> = match &patch.catcher {
                Catcher::Test(..) => all.iter().filter(|other| other.group() == patch.group()).copied().collect(),
                Catcher::Attack(_) | Catcher::Fuzzer(_) => vec![patch],
            };
            let verdicts = self.without_defect(&beside);
            self.clean.extend(beside.iter().map(|patch| patch.name.as_str()).zip(verdicts));
        }
        match &self.clean[patch.name.as_str()] {
            Verdict::Clean => self.with_defect(patch),
            other => other.clone(),
        }
    }

    /// What the tests of these defects say of the tree as it is: they must pass. All of them are in one program.
    fn without_defect(&self, patches: &[&Patch]) -> Vec<Verdict> {
        let names: BTreeSet<&str> = patches.iter().map(|patch| patch.catcher.name()).collect();
        let finish = self.build_and_run(&patches[0].catcher, names);
        let verdict = |patch: &&Patch| match (&finish, &patch.catcher) {
            (Ok(Some(finish)), Catcher::Test(_, name)) => outcome::judge_clean(finish, name),
            (Ok(Some(finish)), Catcher::Attack(words)) => outcome::judge_clean_attack(finish, words),
            (Ok(Some(finish)), Catcher::Fuzzer(_)) => outcome::judge_clean_fuzzer(finish),
            (Ok(None), _) => Verdict::FailedOtherwise("does not compile without the defect".to_string()),
            (Err(error), _) => Verdict::FailedOtherwise(error.to_string()),
        };
        patches.iter().map(verdict).collect()
    }

    /// What the named test says with the defect; the copy is restored.
    fn with_defect(&self, patch: &Patch) -> Verdict {
        let judge = |finish: &Finish| match &patch.catcher {
            Catcher::Test(_, name) => outcome::judge(finish, name, patch.expected, &self.scratch.tree),
            Catcher::Attack(words) => outcome::judge_attack(finish, words),
            Catcher::Fuzzer(_) => outcome::judge_fuzzer(finish),
        };
        let finish = match self.scratch.apply(&patch.path) {
            Ok(true) => self.build_and_run(&patch.catcher, BTreeSet::from([patch.catcher.name()])),
            Ok(false) => return Verdict::DoesNotApply,
            Err(error) => Err(error),
        };
        // Judged first: where a test failed is read in the copy.
        let verdict = finish.map(|finish| finish.as_ref().map_or(Verdict::DoesNotCompile, judge));
        let restored = self.scratch.restore();
        restored.and(verdict).unwrap_or_else(|error| Verdict::FailedOtherwise(error.to_string()))
    }

    /// None: it does not compile.
    fn build_and_run(&self, catcher: &Catcher, tests: BTreeSet<&str>) -> io::Result<Option<Finish>> {
        let (build, run, within) = commands(catcher, tests);
        let (built, _) = self.cargo(&build, BUILD)?;
        if !matches!(built, Ended::ByItself(status) if status.success()) {
            return Ok(None);
        }
        let (ended, output) = self.cargo(&run, within)?;
        Ok(Some(match ended {
            Ended::ByItself(_) => Finish::Said(output),
            Ended::AtTheDeadline => Finish::TimedOut,
        }))
    }

    /// `cargo` with these arguments, and what it printed.
    fn cargo(&self, arguments: &[String], within: Duration) -> io::Result<(Ended, String)> {
        let file = File::create(&self.log)?;
        let mut command = crate::packages::cargo();
        command.args(arguments).current_dir(&self.scratch.tree).env("CARGO_TARGET_DIR", &self.build).env("SMP", "1");
        command.env("CARGO_PROFILE_DEV_DEBUG", "0");
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let ended = wait(&mut command.spawn()?, Instant::now() + within)?;
        Ok((ended, String::from_utf8_lossy(&fs::read(&self.log)?).into_owned()))
    }
}

/// What cargo is to do for a test or an attack: to build it, to run it, within which time.
fn commands(catcher: &Catcher, tests: BTreeSet<&str>) -> (Vec<String>, Vec<String>, Duration) {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    match catcher {
        Catcher::Test(target, _) => {
            let test = [words(&["test"]), target.clone()].concat();
            let tests: Vec<&str> = tests.into_iter().collect();
            let run = [test.clone(), words(&["--", "--exact"]), words(&tests)].concat();
            ([test, words(&["--no-run"])].concat(), run, TEST)
        }
        Catcher::Attack(attack) => {
            let attack: Vec<&str> = attack.split_whitespace().collect();
            (
                words(&["xtask", "image", "--checked"]),
                words(&[&["xtask", "proof", "--hostile"], &attack[..]].concat()),
                ATTACK,
            )
        }
        Catcher::Fuzzer(options) => {
            let options: Vec<&str> = options.split_whitespace().collect();
            (words(&["xtask", "fuzz", "--calls", "0"]), words(&[&["xtask", "fuzz"], &options[..]].concat()), FUZZER)
        }
    }
}
