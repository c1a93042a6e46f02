//! Each rule of the judge, with a transcript that it passes and one that it fails.

use super::super::ladder::Ladder;
use super::super::plan::Refusal;
use super::super::settings::{Harts, Settings};
use super::*;
use std::time::Duration;

const LADDER: &str = "
kernel   | every | kernel   | 2 | smp   | KINIT: cpu<cpu> online
kernel   | every | kernel   | 2 | smp   | KSELFTEST: smp online ok
bring-up | every | init     | 1 | init  | init: start
bring-up | every | init     | 1 | <svc> | init: start <svc>
bring-up | every | <svc>    | 1 | <svc> | <svc>: ready
bring-up | every | init     | 1 | <svc> | init: up <svc>
bring-up | every | init     | 1 | init  | init: ready
bring-up | 1     | selftest | 1 | exec  | SELFTEST: e2e exec-elf ok
bring-up | 1     | selftest | 1 | exec  | SELFTEST: child exit ok
mmio     | 1     | selftest | 1 | mmio  | SELFTEST: mmio map ok
persist  | 2     | selftest | 1 | state | SELFTEST: statefs persist ok
end      | last  | selftest | 1 | init  | SELFTEST: end
";
const SERVICES: &str = "base |\ntop | base";
const ALL: &str = "smp\ninit\nbase\ntop\nexec";
const GOOD: [&str; 12] = [
    "OpenSBI v1.1",
    "init: start",
    "init: start base",
    "base: ready",
    "init: up base",
    "init: start top",
    "top: ready",
    "init: up top",
    "init: ready",
    "SELFTEST: e2e exec-elf ok",
    "SELFTEST: child exit ok",
    "SELFTEST: end",
];

fn ladder(built: &str) -> Ladder {
    Ladder::parse(LADDER, SERVICES, built, "app/boot/crash").unwrap()
}

fn plan(built: &str, settings: Settings) -> Result<Plan, Refusal> {
    Plan::new(&ladder(built), &settings)
}

fn run(plan: &Plan, lines: &[&str], ending: Ending) -> Verdict {
    let stamp =
        |(index, text): (usize, &&str)| Stamped { at: Duration::from_millis(index as u64), text: text.to_string() };
    let transcript: Vec<Stamped> = lines.iter().enumerate().map(stamp).collect();
    judge(plan, &transcript, ending)
}

fn default_run(lines: &[&str]) -> Verdict {
    run(&plan(ALL, Settings::default()).unwrap(), lines, Ending::Stopped)
}

fn reason(verdict: Verdict) -> (String, String, Reason) {
    match verdict {
        Verdict::Failed(failure) => (failure.phase, failure.line, failure.reason),
        Verdict::Passed(count) => panic!("passed with {count} lines"),
    }
}

/// The good transcript with `lines` put in before line `at`.
fn with(at: usize, lines: &[&'static str]) -> Vec<&'static str> {
    let mut all = GOOD.to_vec();
    all.splice(at..at, lines.iter().copied());
    all
}

fn without(at: usize) -> Vec<&'static str> {
    let mut all = GOOD.to_vec();
    all.remove(at);
    all
}

#[test]
fn the_expected_lines_in_order_pass() {
    assert_eq!(default_run(&GOOD), Verdict::Passed(11));
}

#[test]
fn the_expected_lines_pass_amid_other_lines_and_with_carriage_returns() {
    let noisy: Vec<String> = GOOD.iter().flat_map(|line| [format!("{line}\r"), "base: a note".to_string()]).collect();
    let noisy: Vec<&str> = noisy.iter().map(String::as_str).collect();
    assert_eq!(default_run(&noisy), Verdict::Passed(11));
}

#[test]
fn the_first_start_of_the_machine_is_none_too_many_whatever_stands_before_it() {
    assert_eq!(default_run(&with(0, &["", "some firmware"])), Verdict::Passed(11));
    assert_eq!(default_run(&GOOD[1..]), Verdict::Passed(11));
}

#[test]
fn each_single_missing_line_fails_and_is_named() {
    for at in 1..GOOD.len() {
        let (_, line, why) = reason(default_run(&without(at)));
        // Without its start, or with a callee that never came up, a service's next line is the first that fails.
        let named = line == GOOD[at] && why == Reason::Missing { boot: 1 };
        let later = matches!(why, Reason::OutOfOrder(_)) && GOOD[at + 1..].contains(&line.as_str());
        assert!(named || later, "without `{}`: `{line}` {why}", GOOD[at]);
    }
}

#[test]
fn a_missing_line_names_its_phase() {
    let expected = ("end".to_string(), "SELFTEST: end".to_string(), Reason::Missing { boot: 1 });
    assert_eq!(reason(default_run(&without(11))), expected);
}

#[test]
fn a_line_with_anything_more_or_less_is_another_line() {
    for wrong in
        ["SELFTEST: child exit ok!", "SELFTEST: child exit o", " SELFTEST: child exit ok", "selftest: child exit ok"]
    {
        let mut lines = GOOD.to_vec();
        lines[10] = wrong;
        assert_eq!(reason(default_run(&lines)).2, Reason::Missing { boot: 1 }, "{wrong}");
    }
}

#[test]
fn user_text_neither_fills_nor_fails_a_line() {
    let mut lines = GOOD.to_vec();
    lines[10] = "| SELFTEST: child exit ok";
    assert_eq!(reason(default_run(&lines)).1, "SELFTEST: child exit ok");
    assert_eq!(default_run(&with(5, &["| PANIC FAIL", "| init: up base"])), Verdict::Passed(11));
}

#[test]
fn one_printer_s_lines_out_of_order_fail() {
    let mut lines = GOOD.to_vec();
    lines.swap(9, 10);
    let expected = Reason::OutOfOrder("after `SELFTEST: child exit ok`".to_string());
    assert_eq!(reason(default_run(&lines)), ("bring-up".into(), "SELFTEST: e2e exec-elf ok".into(), expected));
}

#[test]
fn two_printers_lines_have_no_order_between_them() {
    let mut lines = GOOD.to_vec();
    lines.swap(8, 9);
    lines.swap(3, 4);
    assert_eq!(default_run(&lines), Verdict::Passed(11));
}

#[test]
fn init_s_own_frame_is_ordered_around_the_services() {
    let mut lines = without(8);
    lines.insert(7, "init: ready");
    let expected = Reason::OutOfOrder("after `init: ready`".to_string());
    assert_eq!(reason(default_run(&lines)), ("bring-up".into(), "init: up top".into(), expected));
}

#[test]
fn a_service_that_speaks_before_its_start_fails() {
    let mut lines = GOOD.to_vec();
    lines.swap(2, 3);
    let expected = Reason::OutOfOrder("before `init: start base`".to_string());
    assert_eq!(reason(default_run(&lines)).2, expected);
}

#[test]
fn up_before_start_fails() {
    let mut lines = without(7);
    lines.insert(5, "init: up top");
    assert_eq!(reason(default_run(&lines)).2, Reason::OutOfOrder("before `init: start top`".to_string()));
}

#[test]
fn a_caller_that_starts_before_its_callee_is_up_fails() {
    let mut lines = GOOD.to_vec();
    lines.swap(4, 5);
    let expected = Reason::OutOfOrder("`base`, which it calls, is not up".to_string());
    assert_eq!(reason(default_run(&lines)), ("bring-up".into(), "init: start top".into(), expected));
}

#[test]
fn a_callee_that_is_not_built_holds_nobody_up() {
    let plan = plan("init\ntop", Settings::default()).unwrap();
    let lines = ["init: start", "init: start top", "top: ready", "init: up top", "init: ready", "SELFTEST: end"];
    assert_eq!(run(&plan, &lines, Ending::Stopped), Verdict::Passed(6));
}

#[test]
fn each_repeated_line_fails_unless_it_opens_a_generation() {
    for (at, repeated) in GOOD.iter().enumerate().skip(1) {
        match default_run(&with(at, &[repeated])) {
            Verdict::Failed(failure) => {
                assert_eq!((failure.line.as_str(), failure.reason), (*repeated, Reason::Duplicate))
            }
            Verdict::Passed(_) => assert!(repeated.starts_with(START), "`{repeated}` passed twice"),
        }
    }
}

#[test]
fn a_restarted_service_says_its_lines_again() {
    let again = ["init: start base", "base: ready", "init: up base"];
    assert_eq!(default_run(&with(10, &again)), Verdict::Passed(14));
}

#[test]
fn a_restarted_service_that_does_not_come_up_is_missing() {
    let (_, line, why) = reason(default_run(&with(10, &["init: start base", "base: ready"])));
    assert_eq!((line.as_str(), why), ("init: up base", Reason::Missing { boot: 1 }));
}

#[test]
fn a_restarted_service_repeats_no_line_within_its_generation() {
    let again = ["init: start base", "base: ready", "base: ready", "init: up base"];
    assert_eq!(reason(default_run(&with(10, &again))).2, Reason::Duplicate);
}

#[test]
fn each_forbidden_word_fails_even_when_all_lines_came() {
    for (word, what) in FORBIDDEN {
        let line = format!("base: {word}: something");
        let mut lines = GOOD.to_vec();
        lines.insert(6, &line);
        let expected = ("bring-up".to_string(), line.clone(), Reason::Forbidden(what));
        assert_eq!(reason(default_run(&lines)), expected);
    }
}

#[test]
fn only_a_listed_program_may_fault() {
    for fine in
        ["execd: app/boot/crash fault 13 at 0x0", "base: x fault 1 at 0x0", "init: base fault", "execd: x faults 3"]
    {
        assert_eq!(default_run(&with(9, &[fine])), Verdict::Passed(11), "{fine}");
    }
    for line in
        ["execd: app/boot/hello fault 13 at 0x0", "execd: app/boot/crasher fault 2 at 0x0", "init: base fault 5 at 0x0"]
    {
        assert!(matches!(reason(default_run(&with(9, &[line]))).2, Reason::Forbidden(_)), "{line}");
    }
}

#[test]
fn a_second_start_of_the_machine_fails() {
    assert_eq!(reason(default_run(&with(9, &["OpenSBI v1.1"]))).2, Reason::UnexpectedReset);
}

fn two_boots() -> Plan {
    plan(&format!("{ALL}\nstate"), Settings::default()).unwrap()
}

#[test]
fn a_proof_of_two_boots_shows_the_bring_up_lines_in_each() {
    let (first, frame) = (&GOOD[..11], &GOOD[..9]);
    let last = ["SELFTEST: statefs persist ok", "SELFTEST: end"];
    let lines = [first, frame, &last].concat();
    assert_eq!(run(&two_boots(), &lines, Ending::Stopped), Verdict::Passed(10 + 8 + 2));
    let lines = [first, &frame[..8], &last].concat();
    let (_, line, why) = reason(run(&two_boots(), &lines, Ending::Stopped));
    assert_eq!((line.as_str(), why), ("init: ready", Reason::Missing { boot: 2 }));
}

#[test]
fn a_line_in_another_boot_than_its_own_fails() {
    let (first, frame) = (&GOOD[..11], &GOOD[..9]);
    let early = [first, &["SELFTEST: statefs persist ok"]].concat();
    assert_eq!(reason(run(&two_boots(), &early, Ending::Stopped)).2, Reason::WrongBoot(1));
    let late = [first, frame, &["SELFTEST: child exit ok"]].concat();
    assert_eq!(reason(run(&two_boots(), &late, Ending::Stopped)).2, Reason::WrongBoot(2));
    let end = [first, &["SELFTEST: end"]].concat();
    assert_eq!(reason(run(&two_boots(), &end, Ending::Stopped)).2, Reason::WrongBoot(1));
}

#[test]
fn a_boot_that_never_came_is_missing() {
    let (_, line, why) = reason(run(&two_boots(), &GOOD[..11], Ending::TimedOut));
    assert_eq!((line.as_str(), why), ("init: start", Reason::Missing { boot: 2 }));
}

#[test]
fn a_failure_status_fails_although_all_lines_came() {
    let plan = plan(ALL, Settings::default()).unwrap();
    assert_eq!(reason(run(&plan, &GOOD, Ending::Exited(3))).2, Reason::ExitStatus(3));
    assert_eq!(run(&plan, &GOOD, Ending::Exited(0)), Verdict::Passed(11));
}

#[test]
fn until_shutdown_wants_the_end_of_the_machine() {
    let plan = plan(ALL, Settings { until: Until::Shutdown, ..Settings::default() }).unwrap();
    assert_eq!(run(&plan, &GOOD, Ending::Exited(0)), Verdict::Passed(11));
    assert_eq!(reason(run(&plan, &GOOD, Ending::TimedOut)).2, Reason::NoShutdown);
    assert_eq!(reason(run(&plan, &GOOD, Ending::Stopped)).2, Reason::NoShutdown);
    assert_eq!(reason(run(&plan, &GOOD[..5], Ending::Exited(0))).2, Reason::Missing { boot: 1 });
}

#[test]
fn the_stop_rule_is_met_at_the_last_expected_line_and_not_before() {
    let mut judge = Judge::new(plan(ALL, Settings::default()).unwrap());
    for line in &GOOD[..11] {
        assert_eq!(judge.feed(line), Progress::Running, "{line}");
    }
    assert_eq!(judge.feed(GOOD[11]), Progress::Done);
}

#[test]
fn a_failed_line_stops_the_run() {
    let mut judge = Judge::new(plan(ALL, Settings::default()).unwrap());
    assert_eq!(judge.feed("PANIC: x"), Progress::Failed);
    assert_eq!(judge.feed("init: start"), Progress::Failed);
}

fn until(text: &str) -> Plan {
    plan(ALL, Settings { until: Until::Line(text.to_string()), ..Settings::default() }).unwrap()
}

#[test]
fn a_stop_line_of_the_ladder_expects_the_rows_up_to_it() {
    let plan = until("init: ready");
    assert_eq!(run(&plan, &GOOD[..9], Ending::Stopped), Verdict::Passed(8));
    assert_eq!(reason(run(&plan, &GOOD[..8], Ending::TimedOut)).1, "init: ready");
    let (_, line, why) = reason(run(&plan, &["init: start", "init: ready"], Ending::Stopped));
    assert_eq!((line.as_str(), why), ("init: start base", Reason::Missing { boot: 1 }));
}

#[test]
fn a_stop_line_outside_the_ladder_must_come_itself() {
    let plan = until("nexus>");
    assert_eq!(run(&plan, &["init: start", "nexus> "], Ending::Stopped), Verdict::Passed(1));
    let (_, line, why) = reason(run(&plan, &GOOD, Ending::TimedOut));
    assert_eq!((line.as_str(), why), ("nexus>", Reason::Missing { boot: 1 }));
}

#[test]
fn a_line_of_the_ladder_stops_the_run_when_it_is_whole() {
    let mut judge = Judge::new(until("init: start"));
    assert_eq!(judge.feed_partial("init: start"), Progress::Running);
    assert_eq!(judge.feed("init: start"), Progress::Done);
    assert_eq!(judge.finish(Ending::Stopped), Verdict::Passed(1));
}

#[test]
fn a_prompt_without_a_line_end_stops_the_run() {
    let mut judge = Judge::new(until("nexus> "));
    assert_eq!(judge.feed_partial("nexus"), Progress::Running);
    assert_eq!(judge.feed_partial("nexus> "), Progress::Done);
    assert_eq!(judge.finish(Ending::Stopped), Verdict::Passed(0));
}

fn phase(name: &str, built: &str) -> Result<Plan, Refusal> {
    plan(built, Settings { phase: Some(name.to_string()), ..Settings::default() })
}

#[test]
fn a_phase_is_judged_up_to_its_end_only() {
    let plan = phase("bring-up", &format!("{ALL}\nmmio\nstate")).unwrap();
    assert_eq!(plan.boots, 1);
    assert_eq!(run(&plan, &GOOD[..11], Ending::Stopped), Verdict::Passed(10));
    assert_eq!(reason(run(&plan, &GOOD[..10], Ending::Stopped)).0, "bring-up");
}

#[test]
fn an_unknown_phase_is_a_usage_error() {
    let Err(Refusal::Usage(text)) = phase("mmi", ALL) else { panic!("accepted") };
    assert_eq!(text, "RUN_PHASE=mmi: one of kernel bring-up mmio persist end");
}

#[test]
fn a_phase_that_nothing_fills_is_not_built() {
    assert_eq!(phase("mmio", ALL).unwrap_err(), Refusal::NotBuilt("phase mmio".to_string()));
    assert_eq!(plan("", Settings::default()).unwrap_err(), Refusal::NotBuilt("no line of the ladder".to_string()));
}

#[test]
fn the_kernel_phase_without_the_harts_that_it_proves_is_a_usage_error() {
    assert!(matches!(phase("kernel", ALL), Err(Refusal::Usage(_))));
    assert_eq!(phase("kernel", "init").unwrap_err(), Refusal::NotBuilt("phase kernel".to_string()));
}

fn three_harts(harts: Harts) -> Plan {
    plan(ALL, Settings { smp: 3, harts, ..Settings::default() }).unwrap()
}

#[test]
fn required_harts_expect_one_line_a_further_cpu_in_any_order() {
    let lines = with(1, &["KINIT: cpu2 online", "KINIT: cpu1 online", "KSELFTEST: smp online ok"]);
    assert_eq!(run(&three_harts(Harts::Required), &lines, Ending::Stopped), Verdict::Passed(14));
    let lines = with(1, &["KINIT: cpu2 online", "KSELFTEST: smp online ok"]);
    let (phase, line, _) = reason(run(&three_harts(Harts::Required), &lines, Ending::Stopped));
    assert_eq!((phase.as_str(), line.as_str()), ("kernel", "KINIT: cpu1 online"));
}

#[test]
fn kernel_lines_that_nobody_requires_are_still_in_order_and_once() {
    assert_eq!(run(&three_harts(Harts::Any), &GOOD, Ending::Stopped), Verdict::Passed(11));
    let lines = with(1, &["KINIT: cpu1 online", "KINIT: cpu1 online"]);
    assert_eq!(reason(run(&three_harts(Harts::Any), &lines, Ending::Stopped)).2, Reason::Duplicate);
    let lines = with(1, &["KSELFTEST: smp online ok", "KINIT: cpu1 online"]);
    assert!(matches!(reason(run(&three_harts(Harts::Any), &lines, Ending::Stopped)).2, Reason::OutOfOrder(_)));
}

#[test]
fn required_harts_without_a_line_that_proves_them_are_not_built() {
    let settings = Settings { smp: 2, harts: Harts::Required, ..Settings::default() };
    assert_eq!(plan("init", settings).unwrap_err(), Refusal::NotBuilt("phase kernel".to_string()));
}
