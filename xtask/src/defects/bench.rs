//! Builds and runs one test in the copy, within a bounded time.
//!
//! Build and run are two commands: a test that fails and a program that is none must not be taken for each other.

use super::outcome::{self, Finish, Verdict};
use super::patch::{Catcher, Patch};
use super::scratch::Scratch;
use crate::suites::runner::{Ended, wait};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

/// Most that one build may take: the first one compiles everything.
const BUILD: Duration = Duration::from_secs(600);
/// Most that one test may take: the slowest of them checks every invariant after each of 100,000 events.
const TEST: Duration = Duration::from_secs(90);

/// Most that one attack may take, the boot around it included.
const ATTACK: Duration = Duration::from_secs(120);

/// Most that the fuzzer may take, the silence of a machine that hangs included.
const FUZZER: Duration = Duration::from_secs(300);

/// The copy of the tree and where it is built.
pub(super) struct Bench {
    scratch: Scratch,
    build: PathBuf,
    log: PathBuf,
}

impl Bench {
    /// A copy of the tree at `root`, below its `target` folder.
    pub(super) fn new(root: &Path) -> io::Result<Bench> {
        let folder = root.join("target/defects");
        let scratch = Scratch::copy_of(root, &folder.join("tree"))?;
        Ok(Bench { scratch, build: folder.join("build"), log: folder.join("output.log") })
    }

    /// The named test on the tree as it is: it must pass.
    pub(super) fn without_defect(&self, patch: &Patch) -> Verdict {
        let verdict = self.build_and_run(&patch.catcher, |finish| match &patch.catcher {
            Catcher::Test(_, name) => outcome::judge_clean(finish, name),
            Catcher::Attack(words) => outcome::judge_clean_attack(finish, words),
            Catcher::Fuzzer(_) => outcome::judge_clean_fuzzer(finish),
        });
        verdict.unwrap_or_else(unexpected)
    }

    /// The named test with the defect; the copy is restored.
    pub(super) fn with_defect(&self, patch: &Patch) -> Verdict {
        let judge = |finish: &Finish| match &patch.catcher {
            Catcher::Test(_, name) => outcome::judge(finish, name, patch.expected, &self.scratch.tree),
            Catcher::Attack(words) => outcome::judge_attack(finish, words),
            Catcher::Fuzzer(_) => outcome::judge_fuzzer(finish),
        };
        let verdict = match self.scratch.apply(&patch.path) {
            Ok(true) => self.build_and_run(&patch.catcher, judge),
            Ok(false) => Ok(Verdict::DoesNotApply),
            Err(error) => Err(error),
        };
        let restored = self.scratch.restore();
        restored.and(verdict).unwrap_or_else(unexpected)
    }

    fn build_and_run(&self, catcher: &Catcher, judge: impl Fn(&Finish) -> Verdict) -> io::Result<Verdict> {
        let (build, run, within) = commands(catcher);
        let (built, _) = self.cargo(&build, BUILD)?;
        if !matches!(built, Ended::ByItself(status) if status.success()) {
            return Ok(Verdict::DoesNotCompile);
        }
        let (ended, output) = self.cargo(&run, within)?;
        Ok(judge(&match ended {
            Ended::ByItself(_) => Finish::Said(output),
            Ended::AtTheDeadline => Finish::TimedOut,
        }))
    }

    /// `cargo` with these arguments, and what it printed.
    fn cargo(&self, arguments: &[String], within: Duration) -> io::Result<(Ended, String)> {
        let file = File::create(&self.log)?;
        let mut command = crate::packages::cargo();
        command.args(arguments).current_dir(&self.scratch.tree).env("CARGO_TARGET_DIR", &self.build).env("SMP", "1");
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let ended = wait(&mut command.spawn()?, Instant::now() + within)?;
        Ok((ended, String::from_utf8_lossy(&fs::read(&self.log)?).into_owned()))
    }
}

/// What cargo is to do for a test or an attack: to build it, to run it, within which time.
fn commands(catcher: &Catcher) -> (Vec<String>, Vec<String>, Duration) {
    let words = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
    match catcher {
        Catcher::Test(target, name) => {
            let test = [words(&["test"]), target.clone()].concat();
            let run = [&test[..], &words(&["--", "--exact", name])].concat();
            ([&test[..], &words(&["--no-run"])].concat(), run, TEST)
        }
        Catcher::Attack(attack) => {
            let attack: Vec<&str> = attack.split_whitespace().collect();
            (words(&["xtask", "image"]), words(&[&["xtask", "proof", "--hostile"], &attack[..]].concat()), ATTACK)
        }
        Catcher::Fuzzer(options) => {
            let options: Vec<&str> = options.split_whitespace().collect();
            (words(&["xtask", "fuzz", "--calls", "0"]), words(&[&["xtask", "fuzz"], &options[..]].concat()), FUZZER)
        }
    }
}

fn unexpected(error: io::Error) -> Verdict {
    Verdict::FailedOtherwise(error.to_string())
}
