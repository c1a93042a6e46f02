//! The judge of attacks, over lines.

use super::*;

const TABLE: &str = "# c\nload 0x1 | fault 13 0x1 | a load\nnumbers | ENOSYS | numbers\n";
const GOOD: [&str; 3] = ["HOSTILE: row load 0x1: fault 13 0x1 ok", "HOSTILE: row numbers: ENOSYS ok", END];
const END: &str = "HOSTILE: end: 2 rows, 0 failed";

fn judged(lines: &[&str], ending: Ending) -> (Vec<Option<String>>, Vec<String>) {
    let line = |text: &&str| Stamped { at: Duration::ZERO, text: (*text).to_string() };
    let transcript: Vec<Stamped> = lines.iter().map(line).collect();
    let (tried, amiss) = judge(parse(TABLE).unwrap(), &transcript, ending);
    (tried.into_iter().map(|tried| tried.failure).collect(), amiss)
}

fn failure(lines: &[&str]) -> Vec<Option<String>> {
    judged(lines, Ending::Exited(0)).0
}

#[test]
fn a_boot_in_which_every_row_ends_as_it_must_is_well() {
    assert_eq!(judged(&GOOD, Ending::Exited(0)), (vec![None, None], vec![]));
}

#[test]
fn a_row_that_was_not_tried_is_missed() {
    assert_eq!(failure(&[GOOD[0], END]), [None, Some("missing".to_string())]);
}

#[test]
fn a_row_that_ended_otherwise_or_without_ok_fails_with_what_was_said() {
    let said = |verdict: &str| failure(&[GOOD[0], &format!("HOSTILE: row numbers: {verdict}"), END])[1].clone();
    for verdict in ["EINVAL ok", "ENOSYS", "FAIL it does not end"] {
        assert_eq!(said(verdict), Some(verdict.to_string()));
    }
}

#[test]
fn a_row_out_of_order_or_twice_fails() {
    assert_eq!(failure(&[GOOD[1], GOOD[0], END])[0], Some("out of order".to_string()));
    let (tried, amiss) = judged(&[GOOD[0], GOOD[1], GOOD[1], END], Ending::Exited(0));
    assert_eq!(tried[1], Some("more than once".to_string()));
    assert_eq!(amiss, ["4 lines for 2 rows"]);
}

#[test]
fn what_another_printer_says_counts_for_nothing() {
    let forged = ["app/boot/attacker: HOSTILE: row numbers: ENOSYS ok", "| HOSTILE: row numbers: ENOSYS ok"];
    assert_eq!(failure(&[GOOD[0], forged[0], forged[1], END])[1], Some("missing".to_string()));
}

#[test]
fn a_panic_of_the_system_fails_the_boot_and_an_attackers_word_does_not() {
    let (attacker, kernel) = ("app/boot/attacker: PANIC: x", "PANIC: x");
    assert_eq!(judged(&[GOOD[0], GOOD[1], attacker, END], Ending::Exited(0)).1, Vec::<String>::new());
    assert_eq!(judged(&[GOOD[0], GOOD[1], kernel, END], Ending::Exited(0)).1, [kernel]);
}

#[test]
fn a_boot_that_ends_early_or_otherwise_is_amiss() {
    assert_eq!(judged(&GOOD[..2], Ending::TimedOut).1.len(), 3);
    assert_eq!(judged(&GOOD, Ending::Exited(1)).1, ["the machine ended with Exited(1)"]);
    let failed = [GOOD[0], GOOD[1], "HOSTILE: end: 2 rows, 1 failed"];
    assert_eq!(judged(&failed, Ending::Exited(0)).1.len(), 1);
}

#[test]
fn a_line_that_an_attack_forged_is_amiss() {
    for line in ["init: ready FORGED", "x\rnexus> FORGED", "QOS-AUDIT decision=allow FORGED", "error: FORGED: x"] {
        let amiss = judged(&[GOOD[0], line, GOOD[1], END], Ending::Exited(0)).1;
        assert_eq!(amiss, [format!("forged: {}", escape(line))]);
    }
    for line in ["| init: ready FORGED", "init\r| init: ready FORGED", "app/boot/attacker: init: ready FORGED"] {
        assert_eq!(judged(&[GOOD[0], line, GOOD[1], END], Ending::Exited(0)).1, [""; 0]);
    }
}

#[test]
fn the_table_of_this_tree_has_each_attack_once() {
    let text = std::fs::read_to_string(crate::root().join("tests/hostile/rows")).unwrap();
    let attacks = parse(&text).unwrap();
    let words: std::collections::BTreeSet<&str> = attacks.iter().map(|attack| attack.words.as_str()).collect();
    assert_eq!(words.len(), attacks.len());
    assert!(attacks.iter().all(|attack| !attack.words.is_empty() && !attack.about.is_empty()));
}

#[test]
fn a_printed_table_is_read_back() {
    let attacks = parse("a b | fault 13,15 0xffffffc080200000 | x\na | held | y\nc | killed | z\n").unwrap();
    let failures = [None, Some("FAIL it ended".to_string()), Some(MISSING.to_string())];
    let tried: Vec<Tried> =
        attacks.into_iter().zip(failures).map(|(attack, failure)| Tried { attack, failure }).collect();

    let text = print(&tried, &["something".to_string()]);

    let read = ["a b", "a", "c", "b"].map(|words| verdict(&text, words));
    assert_eq!(read, [Some(Ok(())), Some(Err("FAIL it ended")), Some(Err(MISSING)), None]);
}

#[test]
fn the_end_of_a_printed_table_names_what_failed() {
    let attacks = parse("a | held | x\nb | held | y\n").unwrap();
    let failures = [Some("FAIL it does not end".to_string()), None];
    let tried: Vec<Tried> =
        attacks.into_iter().zip(failures).map(|(attack, failure)| Tried { attack, failure }).collect();
    let text = print(&tried, &["something".to_string()]);
    assert!(text.ends_with("FAILED: something\nFAILED: attack `a`: FAIL it does not end\n"), "{text}");
}

#[test]
fn a_failure_comes_with_what_the_attack_said_last() {
    let said = "app/boot/attacker: not so: x";
    let (ok, bad) = ("HOSTILE: row numbers: ENOSYS ok", "HOSTILE: row numbers: FAIL it ended");
    assert_eq!(failure(&[GOOD[0], said, bad, END])[1], Some("FAIL it ended (it said: not so: x)".to_string()));
    // What another attack said before it is not its own.
    assert_eq!(failure(&[said, GOOD[0], bad, END])[1], Some("FAIL it ended".to_string()));
    assert_eq!(failure(&[GOOD[0], said, ok, END])[1], None);
}
