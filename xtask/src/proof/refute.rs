//! `--counterfactuals`: each line that claims something is absent where its cause is.

use super::beside::{self, Beside};
use super::counterfactual::{self, Change, Counterfactual};
use super::emulator::Machine;
use super::ladder::Ladder;
use super::plan::Plan;
use super::scratch::RunLock;
use super::session::Session;
use super::variant::Difference;
use super::{APPEND, KERNEL_TESTS, Outcome, failed, refused, with_image};
use std::path::Path;
use std::time::Duration;

/// How long one run may take.
const WITHIN: Duration = Duration::from_secs(30);

/// Runs the counterfactuals whose line holds `text`; of the lines beside the ladder it first shows that they come.
pub(super) fn refute(text: &str) -> Outcome {
    let root = crate::root();
    let folder = root.join("tests/boot");
    let ladder = Ladder::load(&folder).map_err(failed)?;
    let plan = Plan::new(&ladder, &counterfactual::settings(&ladder)).map_err(refused)?;
    let beside = beside::load(&folder).map_err(failed)?;
    let table = std::fs::read_to_string(folder.join("counterfactuals")).map_err(failed)?;
    let table = counterfactual::parse(&table, &ladder, &beside, &plan).map_err(failed)?;
    let gaps = counterfactual::gaps(&plan, &beside, &table);
    if !gaps.is_empty() {
        return Err(failed(format!("without a counterfactual: {}", gaps.join(", "))));
    }
    let _lock = RunLock::take(&root).map_err(failed)?;
    crate::run::build_both().map_err(failed)?;
    let chosen: Vec<&Beside> = beside.iter().filter(|line| line.line.contains(text)).collect();
    let rows: Vec<&Counterfactual> = table.iter().filter(|row| row.line.contains(text)).collect();
    let mut bad = witness(&root, &chosen);
    for row in &rows {
        let result = changed_machine(&root, row)
            .and_then(|machine| counterfactual::run(&root, &machine, row, WITHIN))
            .map(|()| format!("{} | {:?}", row.line, row.change));
        bad.extend(tell(result.map_err(|why| format!("{} | {:?} | {why}", row.line, row.change))));
    }
    match (rows.len(), bad.len()) {
        (0, _) => Err((2, format!("no counterfactual holds `{text}`"))),
        (count, 0) => Ok(format!("PASSED: {count} counterfactuals")),
        (count, amiss) => Err(failed(format!("{}\nFAILED: {amiss} of {count} counterfactuals", bad.join("\n")))),
    }
}

/// Boots each world of these lines once; answers what was amiss with those that do not come.
fn witness(root: &Path, lines: &[&Beside]) -> Vec<String> {
    let mut worlds: Vec<&Option<Difference>> = Vec::new();
    for line in lines {
        if !worlds.contains(&&line.world) {
            worlds.push(&line.world);
        }
    }
    let mut bad = Vec::new();
    for world in worlds {
        let machine = machine_of(1).append(APPEND);
        let session = with_image(root, machine, world.as_slice())
            .and_then(|machine| Session::boot(root, &machine).map_err(|error| error.to_string()));
        match session {
            Ok(mut session) => {
                for line in lines.iter().filter(|line| line.world == *world) {
                    let came = session.wait_for(&line.line, WITHIN).map(|_| format!("{} | comes", line.line));
                    bad.extend(tell(came.map_err(|error| format!("{} | does not come | {error}", line.line))));
                }
            }
            Err(why) => bad.extend(tell(Err(why))),
        }
    }
    bad
}

/// Prints a result; answers what was amiss.
fn tell(result: Result<String, String>) -> Option<String> {
    match &result {
        Ok(text) => println!("ok      {text}"),
        Err(text) => println!("FAILED  {text}"),
    }
    result.err()
}

/// One hart counts instructions, and time leaps to the next timer when nothing runs: how busy the host is changes nothing.
fn machine_of(harts: u32) -> Machine {
    let machine = Machine::default().with("SMP", harts);
    if harts == 1 { machine.with("ICOUNT", "shift=0,sleep=off") } else { machine }
}

/// The machine of one counterfactual, its boot image made.
fn changed_machine(root: &Path, row: &Counterfactual) -> Result<Machine, String> {
    let harts = if row.line.starts_with('K') { 2 } else { 1 };
    let bare = machine_of(harts);
    let machine = bare.clone().append(APPEND).append(if harts > 1 { KERNEL_TESTS } else { "" });
    let mut differences: Vec<Difference> = row.world.iter().cloned().collect();
    let machine = match &row.change {
        Change::Append(words) => machine.append(words),
        Change::Smp(harts) => machine.with("SMP", harts),
        // Keys come from the host, whose time a machine that waits for them must keep.
        Change::Typed(_) => bare.with("ICOUNT", "shift=0"),
        Change::Image(difference) => {
            differences.push(difference.clone());
            machine
        }
        Change::Manifest(line, other) => {
            differences.push(Difference::Manifest(changed_wiring(root, line, other)?));
            machine
        }
    };
    if differences.is_empty() { Ok(machine) } else { with_image(root, machine, &differences) }
}

/// The manifest with `other` in the place of `line`, resolved.
fn changed_wiring(root: &Path, line: &str, other: &str) -> Result<Vec<u8>, String> {
    let text = std::fs::read_to_string(root.join("system.toml")).map_err(|error| error.to_string())?;
    if text.matches(line).count() != 1 {
        return Err(format!("`{line}` does not stand in system.toml exactly once"));
    }
    let resolved = crate::manifest::parse("system.toml", &text.replace(line, other));
    let wiring = resolved.map_err(|refusal| refusal.to_string())?.wiring.write();
    wiring.map_err(|error| format!("the changed manifest: {error:?}"))
}
