//! A failure, a missing tool and a blown budget are each red; a suite and its budget come together.

use super::budget::Budgets;
use super::report::{Outcome, Report, Verdict};
use super::row::{Absence, Suite, Tier, Tool};
use super::table::SUITES;
use super::{runner, select};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

fn suite(command: &'static [&'static str], tools: &'static [Tool]) -> Suite {
    named("probe", command, tools)
}

fn named(name: &'static str, command: &'static [&'static str], tools: &'static [Tool]) -> Suite {
    Suite { name, about: "", tier: Tier::Test, tools, environment: &[("PROBE", "1")], command }
}

fn logs() -> PathBuf {
    crate::root().join("target/gate-fixtures/suites")
}

/// Runs one suite and gives its verdict and the last line of the table.
fn closing(suite: &Suite, budget: Duration) -> (Verdict, String) {
    let outcome = runner::run(suite, budget, &logs());
    let mut report = Report::default();
    report.add(suite, outcome.clone());
    let last = report.to_string().lines().last().unwrap().to_string();
    assert_eq!(report.is_success(), outcome.verdict == Verdict::Passed);
    (outcome.verdict, last)
}

#[test]
fn a_command_that_exits_with_zero_passes() {
    let (verdict, last) = closing(&suite(&["sh", "-c", "test $PROBE = 1"], &[]), MINUTE);

    assert_eq!((verdict, last.as_str()), (Verdict::Passed, "1 passed, 0 failed"));
}

#[test]
fn a_command_that_exits_otherwise_fails() {
    let (verdict, last) = closing(&suite(&["sh", "-c", "exit 3"], &[]), MINUTE);

    assert_eq!(verdict, Verdict::Failed { why: "exit status: 3".to_string() });
    assert_eq!(last, "0 passed, 1 failed");
}

#[test]
fn a_suite_over_its_budget_fails() {
    let (verdict, last) = closing(&named("slow", &["sh", "-c", "sleep 59.25; true"], &[]), Duration::from_millis(200));

    assert_eq!(verdict, Verdict::Failed { why: "over its budget, ended".to_string() });
    assert_eq!(last, "0 passed, 1 failed");
    let ended = (0..250).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        !runs("sleep\x0059.25\0")
    });
    assert!(ended, "what the suite started is still running");
}

/// Whether a process with this command line runs.
fn runs(command_line: &str) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| line == command_line.as_bytes())
}

#[test]
fn a_failure_shows_the_end_of_the_output() {
    let noisy = named("noisy", &["sh", "-c", "seq 100; echo last words >&2; exit 1"], &[]);

    let excerpt = runner::run(&noisy, MINUTE, &logs()).excerpt().unwrap();

    assert!(!excerpt.contains("\n    41\n") && excerpt.contains("    42\n"), "{excerpt}");
    assert!(excerpt.contains("    100\n    last words\n") && excerpt.ends_with("suites/noisy.log"), "{excerpt}");
}

#[test]
fn a_command_that_is_not_there_fails() {
    let (verdict, last) = closing(&suite(&["no-such-program-anywhere"], &[]), MINUTE);

    assert!(matches!(verdict, Verdict::NotRun { absence: Absence::Fails, .. }), "{verdict:?}");
    assert_eq!(last, "0 passed, 1 failed");
}

#[test]
fn a_missing_tool_fails_unless_its_row_calls_it_optional() {
    const NEEDED: &[Tool] = &[Tool { look: || Err("gone".to_string()), absence: Absence::Fails }];
    const OPTIONAL: &[Tool] = &[Tool { look: || Err("gone".to_string()), absence: Absence::IsReported }];

    let (needed, needed_last) = closing(&suite(&["true"], NEEDED), MINUTE);
    let (optional, optional_last) = closing(&suite(&["true"], OPTIONAL), MINUTE);

    assert_eq!(needed, Verdict::NotRun { why: "gone".to_string(), absence: Absence::Fails });
    assert_eq!(needed_last, "0 passed, 1 failed");
    assert_eq!(optional, Verdict::NotRun { why: "gone".to_string(), absence: Absence::IsReported });
    assert_eq!(optional_last, "0 passed, 0 failed");
}

#[test]
fn a_line_of_the_table_names_seconds_budget_and_verdict() {
    let verdict = Verdict::NotRun { why: "gone".to_string(), absence: Absence::Fails };
    let outcome = Outcome { verdict, seconds: Duration::from_millis(1500), budget: MINUTE, log: None };

    assert_eq!(outcome.line(&suite(&["true"], &[])), "probe            1.5 s of   60 s  FAIL: not run: gone");
}

#[test]
fn a_suite_without_a_budget_and_a_budget_without_a_suite_are_refused() {
    let suites = [suite(&["true"], &[])];
    let error = |text: &str| Budgets::parse(text, &suites).unwrap_err();

    assert_eq!(error("[seconds]\n"), "the suite `probe` has no budget");
    assert_eq!(error("[seconds]\nprobe = 1\nother = 2\n"), "`other` is no suite");
    assert_eq!(error("[seconds]\nprobe = \"soon\"\n"), "`probe` is no number of seconds");
    assert_eq!(error(""), "no table `seconds`");
}

#[test]
fn the_budgets_of_this_tree_fit_its_suites() {
    Budgets::load(&crate::root().join("tests/budget.toml"), SUITES).unwrap();
}

#[test]
fn tiers_and_names_select() {
    let names = |args: &[&str]| -> Vec<&str> {
        let args: Vec<String> = args.iter().map(ToString::to_string).collect();
        select(&args).unwrap().iter().map(|suite| suite.name).collect()
    };
    let of_tier = |tier| SUITES.iter().filter(|suite| suite.tier == tier).count();

    assert_eq!(names(&["boot", "fmt"]), ["fmt", "boot"]);
    assert_eq!(names(&[]).len(), of_tier(Tier::Test));
    assert_eq!(names(&["--full"]).len(), of_tier(Tier::Test) + of_tier(Tier::Daily) + of_tier(Tier::Full));
    assert!(select(&["--weekly".to_string()]).is_err());
}
