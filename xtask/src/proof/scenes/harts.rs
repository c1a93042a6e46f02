//! Scenes on several harts: who runs where, a hart that is held, everything at once.

use super::acts::{missed, number_after};
use super::{ANSWER, Desk, PROMPT};
use crate::proof::emulator::Machine;
use crate::proof::session::SessionError;
use std::time::Duration;

/// Spinners that must spread over the harts.
const SPINNERS: usize = 8;
/// Between two looks at what the harts did.
const SPELL: Duration = Duration::from_secs(1);

/// Every hart runs at least one of eight spinners, and every spinner comes on.
pub(super) fn harts(desk: &mut Desk, harts: usize) -> Result<(), SessionError> {
    for _ in 0..SPINNERS {
        desk.start_behind("run rogue spin")?;
    }
    let before = [figures(desk, "cpus -j", "busy_us")?, figures(desk, "ps -j", "cpu_us")?];
    std::thread::sleep(SPELL);
    let printed = desk.collect("cpus -j")?;
    let (busy, tasks) = (figures_of(&printed, "busy_us"), figures_of(&printed, "tasks"));
    let spun = figures(desk, "ps -j", "cpu_us")?;
    let missed = |what: &'static str| Err(SessionError::Missed(what.to_string(), "not so", printed.clone()));
    if busy.len() != harts || busy.iter().zip(&before[0]).any(|(now, before)| now <= before) {
        return missed("every hart spends time in programs");
    }
    if tasks.contains(&0) {
        return missed("every hart has run a program");
    }
    let lazy = spun.iter().zip(&before[1]).rev().take(SPINNERS).filter(|(now, before)| now <= before);
    if lazy.count() > 0 { missed("every spinner comes on") } else { Ok(()) }
}

/// The same finds it out where threads stay on the CPU that made them.
pub(super) fn harts_refuted(desk: &mut Desk) -> Result<(), SessionError> {
    match harts(desk, 2) {
        Err(SessionError::Missed(what, ..)) if what.starts_with("every hart") => Ok(()),
        Err(other) => Err(other),
        Ok(()) => Err(SessionError::Missed("a hart without work".to_string(), "not missed", Vec::new())),
    }
}

/// One number of each row of a listing.
fn figures(desk: &mut Desk, command: &str, name: &str) -> Result<Vec<u64>, SessionError> {
    Ok(figures_of(&desk.collect(command)?, name))
}

fn figures_of(printed: &[String], name: &str) -> Vec<u64> {
    let mark = format!("\"{name}\":");
    let number = |line: &String| line.split(&mark).nth(1)?.split([',', '}']).next()?.parse().ok();
    printed.iter().filter_map(number).collect()
}

/// What the judge expects of the kernel on two harts, and what comes instead where the second one is held: a line of the
/// ladder without its `ok`, and why it fails.
type Absent = (&'static str, &'static str);

const MISSING: &str = "cpu1 is missing";
const NO_TARGET: &str = "cpu1 was refused as a target";

/// It is held from the start.
const NEVER_CAME: [Absent; 8] = [
    ("smp online", MISSING),
    ("ipi counterfactual", NO_TARGET),
    ("ipi resched", NO_TARGET),
    ("test_reject_invalid_ipi_target_cpu", NO_TARGET),
    ("test_reject_offline_cpu_resched", MISSING),
    ("work stealing", NO_TARGET),
    ("test_reject_steal_above_bound", "cpu1 did not hear a request for one thread"),
    ("test_reject_steal_higher_qos", "cpu1 does not run a thread of a higher class that became ready here"),
];

/// It is held when it is online.
const HEARS_NOTHING: [Absent; 4] = [
    ("ipi counterfactual", "cpu1 does not acknowledge in 2 s what is sent at last"),
    ("ipi resched", "cpu1 did not acknowledge in 2 s"),
    ("test_reject_invalid_ipi_target_cpu", "cpu1 did not acknowledge in 2 s"),
    ("test_reject_offline_cpu_resched", "cpu1 did not acknowledge in 2 s"),
];

/// It is held when it has answered, before it may steal.
const TAKES_NOTHING: [Absent; 3] = [
    ("work stealing", "cpu1 took nothing and ran nothing in 2 s"),
    ("test_reject_steal_above_bound", "cpu1 did not hear a request for one thread"),
    ("test_reject_steal_higher_qos", "cpu1 does not run a thread of a higher class that became ready here"),
];

/// The machine has said that its second hart is missing, claims nothing of it, and works.
pub(super) fn hart_held(desk: &mut Desk) -> Result<(), SessionError> {
    said_once(desk, "KINIT: cpu1 is missing: hart 1 did not come in 2000 ms")?;
    absent(desk, "KINIT: cpu1 online")?;
    absent_with(desk, &NEVER_CAME, 0)?;
    lives_without(desk)
}

/// A hart that came and does not answer: no line about interrupts is claimed, nor any after them.
pub(super) fn hart_deaf(desk: &mut Desk) -> Result<(), SessionError> {
    said_once(desk, "KINIT: cpu1 online")?;
    absent_with(desk, &HEARS_NOTHING, 1)?;
    lives_without(desk)
}

/// One that does not take part in stealing: what came before is claimed, and nothing about stealing.
pub(super) fn hart_idle(desk: &mut Desk) -> Result<(), SessionError> {
    said_once(desk, "KSELFTEST: test_reject_offline_cpu_resched ok")?;
    absent_with(desk, &TAKES_NOTHING, 5)?;
    lives_without(desk)
}

/// None of these lines came, each said why, and of all lines of the kernel's tests only `others` did.
fn absent_with(desk: &mut Desk, lines: &[Absent], others: usize) -> Result<(), SessionError> {
    for (name, why) in lines {
        absent(desk, &format!("KSELFTEST: {name} ok"))?;
        let failure = format!("KSELFTEST: {name} FAIL {why} (");
        if !transcript(desk).iter().any(|line| line.starts_with(&failure)) {
            return Err(SessionError::Missed(failure, "not said", transcript(desk)));
        }
    }
    let claims =
        transcript(desk).iter().filter(|line| line.starts_with("KSELFTEST: ") && line.ends_with(" ok")).count();
    if claims == others {
        return Ok(());
    }
    Err(SessionError::Missed(format!("{others} lines that are ok"), "others are", transcript(desk)))
}

fn absent(desk: &mut Desk, line: &str) -> Result<(), SessionError> {
    match transcript(desk).iter().any(|printed| printed == line) {
        true => Err(SessionError::Missed(line.to_string(), "claimed without the hart", transcript(desk))),
        false => Ok(()),
    }
}

fn said_once(desk: &mut Desk, line: &str) -> Result<(), SessionError> {
    match transcript(desk).iter().filter(|printed| *printed == line).count() {
        1 => Ok(()),
        _ => Err(SessionError::Missed(line.to_string(), "not said once", transcript(desk))),
    }
}

fn transcript(desk: &Desk) -> Vec<String> {
    desk.session.transcript().iter().map(|line| line.text.clone()).collect()
}

/// The first hart runs programs, and lists the second one as down.
fn lives_without(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    second_is(desk, "down")
}

/// The second CPU is listed with this state, whichever hart it is: which one arrives first is the firmware's choice.
fn second_is(desk: &mut Desk, state: &str) -> Result<(), SessionError> {
    let (listed, state) = (desk.collect("cpus -j")?, format!("\"state\":\"{state}\""));
    let found = listed.iter().any(|line| line.contains("\"cpu\":1,") && line.contains(&state));
    if found { Ok(()) } else { Err(SessionError::Missed(format!("cpu1, {state}"), "not listed", listed)) }
}

/// The emulator's tree for four harts, in which what stands for harts 1 and 3 is no hart. A tree that cannot be written leaves the
/// emulator's own, of which the scene notices.
pub(super) fn without_odd_harts(machine: Machine) -> Machine {
    let (from, to) = (crate::root().join("source/kernel/arch/tests/virt.dtb"), crate::root().join("build/sparse.dtb"));
    let changed = std::fs::read(from).and_then(|mut tree| {
        let odd = |at: &usize| [b"cpu@1\0", b"cpu@3\0"].iter().any(|name| tree[*at..].starts_with(*name));
        let places: Vec<usize> = (0..tree.len()).filter(odd).collect();
        places.into_iter().for_each(|at| tree[at] = b'x');
        std::fs::write(&to, tree)
    });
    if changed.is_ok() { machine.with("DTB", to.display()) } else { machine }
}

/// Hart 2 arrived first, and the tree names but hart 0 beside it: that came, under its own number.
pub(super) fn sparse(desk: &mut Desk) -> Result<(), SessionError> {
    said_once(desk, "KINIT: cpu1 online")?;
    for (name, _) in NEVER_CAME {
        said_once(desk, &format!("KSELFTEST: {name} ok"))?;
    }
    let listed = desk.collect("cpus -j")?;
    let rows = ["\"cpu\":0,\"hart\":2,", "\"cpu\":1,\"hart\":0,"];
    if rows.iter().any(|hart| !listed.iter().any(|line| line.contains(hart) && line.contains("\"state\":\"up\""))) {
        return Err(SessionError::Missed("harts 2 and 0".to_string(), "not listed", listed));
    }
    harts(desk, 2)
}

/// The firmware started the second hart where the first one began: it came all the same, and nothing else happened.
pub(super) fn hart_astray(desk: &mut Desk) -> Result<(), SessionError> {
    for line in ["KINIT: cpu1 online", "KSELFTEST: smp online ok", "KSELFTEST: ipi resched ok"] {
        said_once(desk, line)?;
    }
    second_is(desk, "up")
}

/// After the seconds of a torture, until it has told what it counted.
const TOLD: Duration = Duration::from_secs(40);

/// Every job of the program ends with exact counts, and what the machine owns is what it owned before.
pub(super) fn torture(desk: &mut Desk, seconds: u64, harts: u32) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    let before = figures(desk, "mem -j", "used")?;
    desk.session.send_line(&format!("run torture {seconds} {harts}"))?;
    let told = desk.session.wait_for(" wrong", Duration::from_secs(seconds) + TOLD)?.text;
    desk.session.wait_for(PROMPT, ANSWER)?;
    let printed = desk.collect("mem -j")?;
    let after = figures_of(&printed, "used");
    if !told.ends_with(", 0 wrong") {
        let lines = desk.session.transcript().iter().map(|line| &line.text);
        let words = lines.filter(|line| line.contains("torture") || line.contains("sleepers")).cloned().collect();
        return Err(SessionError::Missed("0 wrong".to_string(), "not so", words));
    }
    desk.ask("status", "0")?;
    if after != before {
        return Err(SessionError::Missed(format!("{before:?}"), "something is lost", printed));
    }
    Ok(())
}

/// By count, not by time: how long it takes is the host's affair, and the program gives up by itself.
pub(super) fn masks(desk: &mut Desk, harts: u32) -> Result<(), SessionError> {
    const GIVES_UP: Duration = Duration::from_secs(240);
    desk.session.send_line(&format!("run torture masks {harts}"))?;
    let mut counted = |mark: &str| {
        let told = desk.session.wait_for(mark, GIVES_UP)?.text;
        println!("{told}");
        Ok::<_, SessionError>(told)
    };
    let (given, changed) = (counted("outside their masks")?, counted(" wrong")?);
    desk.session.wait_for(PROMPT, ANSWER)?;
    let numbers = [number_after(&given, "another CPU, "), number_after(&changed, "torture: ")];
    if numbers.iter().any(|number| number.is_none_or(|number| number < 10_000))
        || !given.ends_with(", 0 outside their masks")
        || !changed.ends_with(", 0 wrong")
    {
        return Err(missed("10,000 of each, 0 outside", vec![given, changed]));
    }
    desk.ask("status", "0").map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::ladder::Ladder;

    #[test]
    fn every_line_of_the_kernel_has_runs_with_a_held_hart() {
        let ladder = Ladder::load(&crate::root().join("tests/boot")).unwrap();
        let lines = ladder.rungs.iter().filter(|rung| rung.printer == "kernel").map(|rung| rung.line.as_str());

        let tests: Vec<_> = lines.filter_map(|line| line.strip_prefix("KSELFTEST: ")?.strip_suffix(" ok")).collect();

        assert_eq!(tests, NEVER_CAME.map(|(name, _)| name), "held from the start");
        let later: Vec<_> = HEARS_NOTHING.iter().chain(&TAKES_NOTHING).map(|(name, _)| *name).collect();
        assert_eq!(tests[1..], later, "held when it is online");
    }
}
