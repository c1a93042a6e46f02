//! Scenes on several harts: who runs where, a hart that is held, everything at once.

use super::{ANSWER, Desk, PROMPT};
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

/// The machine has said that its second hart is missing, claims nothing of it, and works.
pub(super) fn hart_held(desk: &mut Desk) -> Result<(), SessionError> {
    let printed: Vec<String> = desk.session.transcript().iter().map(|line| line.text.clone()).collect();
    let missed = |what: &str, why| Err(SessionError::Missed(what.to_string(), why, printed.clone()));
    if !printed.iter().any(|line| line == "KINIT: cpu1 is missing: hart 1 did not come in 2000 ms") {
        return missed("KINIT: cpu1 is missing", "not said");
    }
    let claims = |line: &&String| line.starts_with("KSELFTEST: ") && line.ends_with(" ok") || line.ends_with(" online");
    if let Some(claim) = printed.iter().find(claims) {
        return missed(claim, "claimed without the hart");
    }
    if printed.iter().filter(|line| line.starts_with("KSELFTEST: ") && line.contains(" FAIL cpu1 ")).count() != 8 {
        return missed("KSELFTEST: ... FAIL cpu1", "not said by each test");
    }
    desk.ask("run hello", "hello, world")?;
    desk.ask("cpus -j", "\"cpu\":1,\"hart\":1,\"state\":\"down\"").map(drop)
}

/// The firmware started the second hart where the first one began: it came all the same, and nothing else happened.
pub(super) fn hart_astray(desk: &mut Desk) -> Result<(), SessionError> {
    let printed: Vec<String> = desk.session.transcript().iter().map(|line| line.text.clone()).collect();
    for line in ["KINIT: cpu1 online", "KSELFTEST: smp online ok", "KSELFTEST: ipi resched ok"] {
        if printed.iter().filter(|printed| *printed == line).count() != 1 {
            return Err(SessionError::Missed(line.to_string(), "not said once", printed));
        }
    }
    desk.ask("cpus -j", "\"cpu\":1,\"hart\":1,\"state\":\"up\"").map(drop)
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
