//! The table's parser, and the gaps it finds.

use super::*;

const LADDER: &str = "
kernel   | every | kernel   | 2 | smp   | KINIT: cpu<cpu> online
bring-up | every | init     | 1 | init  | init: start
bring-up | every | init     | 1 | <svc> | init: up <svc>
bring-up | 1     | selftest | 1 | exec  | SELFTEST: child exit ok
bring-up | 1     | selftest | 1 | later | SELFTEST: exec denied ok
";

fn beside() -> Vec<Beside> {
    crate::proof::beside::parse("replace a by b | a: seen ok").unwrap()
}

fn tree(built: &str) -> (Ladder, Plan) {
    let ladder = Ladder::parse(LADDER, "a |\nb |\nc |", built, "").unwrap();
    let plan = Plan::new(&ladder, &Settings { smp: 3, ..settings(&ladder) }).unwrap();
    (ladder, plan)
}

fn table(text: &str) -> Result<Vec<Counterfactual>, String> {
    let (ladder, plan) = tree("smp\ninit\na\nb\nexec");
    parse(text, &ladder, &beside(), &plan).map_err(|error| error.to_string())
}

#[test]
fn a_row_reads_as_line_change_and_failure() {
    let rows = table("SELFTEST: child exit ok | append drop=exit | SELFTEST: child exit FAIL").unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].change, Change::Append("drop=exit".to_string()));
    assert_eq!(rows[0].failure, "SELFTEST: child exit FAIL");
}

#[test]
fn a_pattern_is_filled_for_each_expected_line() {
    let rows = table("init: up <svc> | without <svc> | init: no <svc>\nKINIT: cpu<cpu> online | smp <cpu> | missing");
    let rows = rows.unwrap();
    let lines: Vec<&str> = rows.iter().map(|row| row.line.as_str()).collect();
    assert_eq!(lines, ["init: up a", "init: up b", "KINIT: cpu1 online", "KINIT: cpu2 online"]);
    assert_eq!(rows[1].change, Change::Image(Difference::Without("b".to_string())));
    assert_eq!((&rows[3].change, rows[1].failure.as_str()), (&Change::Smp(2), "init: no b"));
}

#[test]
fn a_line_beside_the_ladder_brings_its_world() {
    let rows = table("a: seen ok | without c | a: unseen").unwrap();
    assert_eq!(rows[0].world, Some(Difference::Replaced("a".to_string(), "b".to_string())));
    assert_eq!(rows[0].change, Change::Image(Difference::Without("c".to_string())));
}

#[test]
fn what_is_no_line_or_no_change_is_refused() {
    assert!(table("init: up a | without a | x").unwrap_err().contains("no line of the ladder"));
    for change in ["append", "smp x", "without", "replace a b", "manifest a", "damage", "type", "argument test=no", ""]
    {
        assert!(table(&format!("init: start | {change} | x")).is_err(), "{change}");
    }
    let replaced = Change::Image(Difference::Replaced("a".into(), "b".into()));
    assert_eq!(table("init: start | replace a by b | x").unwrap()[0].change, replaced);
    let manifest = Change::Manifest("a = 1".into(), "a = 2".into());
    assert_eq!(table("init: start | manifest a = 1 => a = 2 | x").unwrap()[0].change, manifest);
}

#[test]
fn an_expected_claim_without_a_row_is_a_gap() {
    let (_, plan) = tree("smp\ninit\na\nb\nexec");
    let rows =
        "init: up <svc> | without <svc> | x\nKINIT: cpu<cpu> online | smp 1 | missing\na: seen ok | without b | x";
    let rows = table(rows).unwrap();
    assert_eq!(gaps(&plan, &beside(), &rows), ["SELFTEST: child exit ok"]);
    assert_eq!(gaps(&plan, &beside(), &[]).len(), 6);
}

#[test]
fn the_tree_s_table_parses_and_has_no_gap() {
    let folder = crate::root().join("tests/boot");
    let ladder = Ladder::load(&folder).unwrap();
    let Ok(plan) = Plan::new(&ladder, &settings(&ladder)) else {
        return assert!(ladder.built.is_empty(), "something is built but nothing expected");
    };
    let text = std::fs::read_to_string(folder.join("counterfactuals")).unwrap();
    let beside = crate::proof::beside::load(&folder).unwrap();
    let rows = parse(&text, &ladder, &beside, &plan).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(gaps(&plan, &beside, &rows), Vec::<String>::new());
}
