//! The hostile program's boot: every attack of `tests/hostile/rows` tried on the machine, one line each.
//!
//! The program reads the same table, so that a row that was not tried is missed here. Who printed a line is never a matter
//! of its text: the console stamps the prefix, and attacks print lines that look like verdicts.

use super::emulator::Machine;
use super::session::Session;
use super::table::{Row, TableError, rows};
use super::verdict::{Ending, Stamped, escape};
use nexus_abi::identity::MAX_NAME;
use std::path::Path;
use std::time::Duration;

/// What the console stamps before the judge's own lines on the target.
const PRINTER: &str = "HOSTILE: ";
/// Under this name attacks print, whatever they print.
const ATTACKER: &str = "app/boot/attacker: ";
/// No line of the system may hold these.
const FORBIDDEN: [&str; 4] = ["PANIC", "KFAULT", "KPGF", "ALLOC-FAIL"];
/// What every line holds that an attack forges.
const FORGED: &str = "FORGED";
/// What the console prints before a raw line that looks like another's.
const MARK: &str = "| ";
const OK: &str = "ok";
const FAILED: &str = "FAILED";
/// Why a row failed that the machine never came to.
pub const MISSING: &str = "missing";
/// For the whole boot.
const BOUND: Duration = Duration::from_secs(600);

/// One attack and how it must end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attack {
    /// The words with which it is started.
    pub words: String,
    /// How it must end, as the table spells it.
    pub end: String,
    /// What is tried.
    pub about: String,
}

/// What came of one attack; none: nothing was amiss.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tried {
    /// The attack.
    pub attack: Attack,
    /// What was not as it must be.
    pub failure: Option<String>,
}

/// Reads the table.
pub fn parse(text: &str) -> Result<Vec<Attack>, TableError> {
    let attack = |row: Row<'_>| {
        let [words, end, about] = [0, 1, 2].map(|at| row.columns[at].to_string());
        Attack { words, end, about }
    };
    Ok(rows("rows", text, 3)?.into_iter().map(attack).collect())
}

/// The attacks whose words hold `text`, tried on this machine; what else was amiss.
pub fn run(root: &Path, text: &str, machine: Machine) -> Result<(Vec<Tried>, Vec<String>), String> {
    let path = root.join("tests/hostile/rows");
    let table = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let attacks = parse(&table).map_err(|error| error.to_string())?;
    let attacks: Vec<Attack> = attacks.into_iter().filter(|attack| attack.words.contains(text)).collect();
    // In a boot argument commas stand for the spaces between a program's words.
    let program = format!("selftest=hostile {text}").trim().replace(' ', ",");
    let machine = machine.append(&program).append("panic=exit");
    let session = Session::boot(root, &machine).map_err(|error| error.to_string())?;
    let (transcript, ending) = session.finish(BOUND);
    Ok(judge(attacks, &transcript, ending))
}

/// Judges the lines of one boot: each attack, and the boot as a whole.
pub fn judge(attacks: Vec<Attack>, transcript: &[Stamped], ending: Ending) -> (Vec<Tried>, Vec<String>) {
    let lines: Vec<&str> = transcript.iter().map(|line| line.text.as_str()).collect();
    let said: Vec<&str> = lines.iter().filter_map(|line| line.strip_prefix(PRINTER)).collect();
    let mut amiss = Vec::new();
    let system = lines.iter().filter(|line| !line.starts_with(ATTACKER) && !line.contains(FORGED));
    amiss.extend(system.filter(|line| FORBIDDEN.iter().any(|word| line.contains(word))).map(|line| escape(line)));
    amiss.extend(lines.iter().filter(|line| is_forged(line)).map(|line| format!("forged: {}", escape(line))));
    let end = format!("end: {} rows, 0 failed", attacks.len());
    if said.last() != Some(&end.as_str()) {
        amiss.push(format!("the last line is not `{end}`"));
    }
    // The verdicts, the end, and nothing else comes from this printer.
    if said.len() != attacks.len() + 1 {
        amiss.push(format!("{} lines for {} rows", said.len(), attacks.len()));
    }
    if ending != Ending::Exited(0) {
        amiss.push(format!("the machine ended with {ending:?}"));
    }
    let tried = attacks.into_iter().enumerate().map(|(at, attack)| {
        let failure = reason(&attack, said.get(at).copied(), &said).map(|why| with_own_words(why, &attack, &lines));
        Tried { attack, failure }
    });
    (tried.collect(), amiss)
}

/// Whether a line, or what stands behind a carriage return in it, looks like one that it is not.
fn is_forged(line: &str) -> bool {
    line.split('\r').any(|part| {
        let name = part.split([':', '>', ' ']).next().unwrap_or("");
        let named = (1..=MAX_NAME).contains(&name.len())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        part.contains(FORGED) && named && !part.starts_with(ATTACKER) && !part.starts_with(MARK)
    })
}

/// Why an attack failed. `line`: what came in its place.
fn reason(attack: &Attack, line: Option<&str>, said: &[&str]) -> Option<String> {
    let mark = format!("row {}: ", attack.words);
    let verdict = |line: &str| line.strip_prefix(&mark).map(str::to_string);
    let own: Vec<String> = said.iter().filter_map(|line| verdict(line)).collect();
    match (line.and_then(verdict), own.as_slice()) {
        (_, []) => Some(MISSING.to_string()),
        (Some(verdict), [_]) if verdict == format!("{} ok", attack.end) => None,
        (Some(verdict), [_]) => Some(escape(&verdict)),
        (None, [_]) => Some("out of order".to_string()),
        (_, _) => Some("more than once".to_string()),
    }
}

/// A reason, and what the attack said last before it was judged.
fn with_own_words(why: String, attack: &Attack, lines: &[&str]) -> String {
    let verdict = format!("{PRINTER}row {}: ", attack.words);
    let until = lines.iter().position(|line| line.starts_with(&verdict)).unwrap_or(0);
    let since = lines[..until].iter().rposition(|line| line.starts_with(PRINTER)).unwrap_or(0);
    let own = lines[since..until].iter().rev().find_map(|line| line.strip_prefix(ATTACKER));
    own.map_or_else(|| why.clone(), |own| format!("{why} (it said: {})", escape(own)))
}

/// The table of a run, failures with their reasons, and once more at the end: a long output is often read from there.
pub fn print(tried: &[Tried], amiss: &[String]) -> String {
    let mut text = format!("{:<26} {:<30} {:<7} what\n", "attack", "must end", "verdict");
    for Tried { attack, failure } in tried {
        let (verdict, what) = match failure {
            None => (OK, attack.about.as_str()),
            Some(why) => (FAILED, why.as_str()),
        };
        text += &format!("{:<26} {:<30} {verdict:<7} {what}\n", attack.words, attack.end);
    }
    amiss.iter().for_each(|what| text += &format!("FAILED: {what}\n"));
    for Tried { attack, failure } in tried {
        failure.iter().for_each(|why| text += &format!("FAILED: attack `{}`: {why}\n", attack.words));
    }
    text
}

/// What a printed table says of one attack; none: it does not stand there.
pub fn verdict<'a>(table: &'a str, words: &str) -> Option<Result<(), &'a str>> {
    let row = table.lines().find_map(|line| line.strip_prefix(&format!("{words:<26} ")))?;
    let rest = row.get(31..)?;
    match rest.split_once(' ').unwrap_or((rest, "")) {
        (OK, _) => Some(Ok(())),
        (FAILED, why) => Some(Err(why.trim_start())),
        _ => None,
    }
}

#[cfg(test)]
#[path = "hostile_tests.rs"]
mod tests;
