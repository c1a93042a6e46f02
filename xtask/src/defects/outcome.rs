//! What the output of one test says about a defect.
//!
//! Only the test's own assertion counts: a panic inside the code that is tested, a signal or a build error would turn the
//! run red too, but for a reason that the test does not check.

use crate::proof::hostile;
use std::fs;
use std::path::Path;

/// How a test must end with the defect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// By an assertion of its own.
    Assertion,
    /// Not at all.
    Hang,
}

/// How a run of one test ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finish {
    /// By itself, with this output.
    Said(String),
    /// It had to be ended.
    TimedOut,
}

/// What came of one defect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The test passes where nothing is broken; the defect has not been tried.
    Clean,
    /// The test notices.
    Caught,
    /// The test passes all the same.
    Survived,
    /// The patched tree is no program.
    DoesNotCompile,
    /// The patch fits the tree no more.
    DoesNotApply,
    /// Anything else, and what.
    FailedOtherwise(String),
}

impl Verdict {
    /// The words of the table.
    pub(super) fn text(&self) -> String {
        match self {
            Verdict::Clean => "not tried".to_string(),
            Verdict::Caught => "caught".to_string(),
            Verdict::Survived => "SURVIVED".to_string(),
            Verdict::DoesNotCompile => "does not compile".to_string(),
            Verdict::DoesNotApply => "does not apply".to_string(),
            Verdict::FailedOtherwise(why) => format!("failed otherwise: {why}"),
        }
    }
}

/// The verdict on a run without any defect.
pub(super) fn judge_clean(finish: &Finish, test: &str) -> Verdict {
    match finish {
        Finish::Said(output) if said(output, test, "ok") => Verdict::Clean,
        Finish::Said(output) if said(output, test, "FAILED") => {
            Verdict::FailedOtherwise("fails without the defect".to_string())
        }
        Finish::Said(_) => Verdict::FailedOtherwise("there is no such test".to_string()),
        Finish::TimedOut => Verdict::FailedOtherwise("does not end without the defect".to_string()),
    }
}

/// The verdict on a run with the defect; `tree` is where the sources are.
pub(super) fn judge(finish: &Finish, test: &str, expected: Expected, tree: &Path) -> Verdict {
    let otherwise = |why: &str| Verdict::FailedOtherwise(why.to_string());
    match (finish, expected) {
        (Finish::TimedOut, Expected::Hang) => Verdict::Caught,
        (Finish::TimedOut, Expected::Assertion) => otherwise("does not end"),
        (Finish::Said(output), _) if said(output, test, "ok") => Verdict::Survived,
        (Finish::Said(_), Expected::Hang) => otherwise("it was to hang and ended"),
        (Finish::Said(output), Expected::Assertion) => match panicked_at(output) {
            Some((file, line)) if said(output, test, "FAILED") => {
                let text = fs::read_to_string(tree.join(file)).unwrap_or_default();
                match is_test_code(file, line, &text) {
                    true => Verdict::Caught,
                    false => otherwise(&format!("panicked at {file}:{line}, no test's code")),
                }
            }
            _ => otherwise("no panic of the test"),
        },
    }
}

/// As [`judge_clean`], of an attack on the machine.
pub(super) fn judge_clean_attack(finish: &Finish, attack: &str) -> Verdict {
    let otherwise = |why: &str| Verdict::FailedOtherwise(why.to_string());
    match finish {
        Finish::Said(output) => match hostile::verdict(output, attack) {
            Some(Ok(())) => Verdict::Clean,
            Some(Err(_)) => otherwise("fails without the defect"),
            None => otherwise("there is no such attack"),
        },
        Finish::TimedOut => otherwise("does not end without the defect"),
    }
}

/// As [`judge`], of an attack on the machine: what counts is what the program there found. A machine that never came so far
/// failed for a reason that the attack does not check.
pub(super) fn judge_attack(finish: &Finish, attack: &str) -> Verdict {
    let otherwise = |why: &str| Verdict::FailedOtherwise(why.to_string());
    match finish {
        Finish::Said(output) => match hostile::verdict(output, attack) {
            Some(Ok(())) => Verdict::Survived,
            Some(Err(hostile::MISSING)) => otherwise("the machine never judged it"),
            Some(Err(_)) => Verdict::Caught,
            None => otherwise("no verdict"),
        },
        Finish::TimedOut => otherwise("does not end"),
    }
}

/// As [`judge_clean`], of the fuzzer.
pub(super) fn judge_clean_fuzzer(finish: &Finish) -> Verdict {
    match judge_fuzzer(finish) {
        Verdict::Survived => Verdict::Clean,
        Verdict::Caught => Verdict::FailedOtherwise("fails without the defect".to_string()),
        other => other,
    }
}

/// As [`judge`], of the fuzzer: what it found on the machine, a machine that hangs or breaks down included.
pub(super) fn judge_fuzzer(finish: &Finish) -> Verdict {
    let otherwise = |why: &str| Verdict::FailedOtherwise(why.to_string());
    let Finish::Said(output) = finish else { return otherwise("does not end") };
    let (mut found, mut passed) = (false, false);
    for line in output.lines() {
        found |= line.starts_with("fuzz: found: ");
        passed |= line.starts_with("fuzz: ") && line.ends_with(", nothing found");
    }
    match (found, passed) {
        (true, _) => Verdict::Caught,
        (false, true) => Verdict::Survived,
        (false, false) => otherwise("no verdict"),
    }
}

fn said(output: &str, test: &str, word: &str) -> bool {
    output.lines().any(|line| line == format!("test {test} ... {word}"))
}

/// File and line of the first panic.
fn panicked_at(output: &str) -> Option<(&str, usize)> {
    let place = output.lines().find_map(|line| line.split_once("panicked at "))?.1;
    let mut parts = place.split(':');
    Some((parts.next()?, parts.next()?.parse().ok()?))
}

/// Whether a line of a file belongs to a test: by the file's name, or behind the opening of the file's own tests.
pub(super) fn is_test_code(file: &str, line: usize, text: &str) -> bool {
    let named = file.split('/').any(|part| part == "tests" || part.ends_with("tests.rs") || part == "testing.rs");
    named || text.lines().take(line).any(|earlier| earlier.starts_with("mod tests {"))
}
