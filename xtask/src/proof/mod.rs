//! The proof of a boot: what it must print, whether it did, and that each line can fail.
//!
//! `ladder`, `settings` and `plan` say what is expected, `judge` decides from lines alone, the rest runs machines.

pub mod counterfactual;
pub mod emulator;
pub mod judge;
pub mod ladder;
pub mod plan;
pub mod runner;
pub mod scenes;
pub mod scratch;
pub mod session;
pub mod settings;
pub mod table;
pub mod variant;
pub mod verdict;

use counterfactual::{Change, Counterfactual};
use emulator::Machine;
use ladder::Ladder;
use plan::{Plan, Refusal};
use scenes::{SCENES, Tier};
use scratch::{RunLock, ScratchDisk};
use settings::Settings;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;
use variant::Difference;
use verdict::Verdict;

/// The boot arguments of a proof: the proof program runs, and a panic ends the machine with a status.
const APPEND: &str = "selftest panic=exit";
/// How long one counterfactual may take.
const COUNTERFACTUAL: Duration = Duration::from_secs(10);

/// `cargo xtask proof`: judges one run. `--counterfactuals [text]` runs the table's rows whose line holds the text,
/// `--scenes [text]` the console scenes.
pub fn main(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => prove(),
        ["--counterfactuals"] => refute(""),
        ["--counterfactuals", text] => refute(text),
        ["--scenes"] => play("", Tier::Test),
        ["--scenes", "--daily"] => play("", Tier::Daily),
        ["--scenes", text] => play(text, Tier::Daily),
        _ => Err((2, "usage: cargo xtask proof [--counterfactuals [text] | --scenes [text | --daily]]".to_string())),
    };
    match result {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err((status, text)) => {
            eprintln!("{text}");
            ExitCode::from(status)
        }
    }
}

type Outcome = Result<String, (u8, String)>;

/// A failure of the run, not of its usage.
fn failed(text: impl ToString) -> (u8, String) {
    (1, text.to_string())
}

fn refused(refusal: Refusal) -> (u8, String) {
    match refusal {
        Refusal::Usage(text) => (2, text),
        Refusal::NotBuilt(what) => (1, format!("{what}: not built")),
    }
}

fn prove() -> Outcome {
    let root = crate::root();
    let lookup = |name: &str| std::env::var(name).ok();
    let settings = Settings::read(&lookup).map_err(|text| (2, text))?;
    let ladder = Ladder::load(&root.join("tests/boot")).map_err(failed)?;
    let plan = Plan::new(&ladder, &settings).map_err(refused)?;
    let _lock = RunLock::take(&root).map_err(failed)?;
    if lookup("KERNEL").is_none() || lookup("IMAGE").is_none() {
        crate::run::build().map_err(failed)?;
    }
    let mut machine = Machine::default().with("SMP", settings.smp).append(APPEND);
    for name in ["MEM", "ICOUNT"] {
        machine = lookup(name).into_iter().fold(machine, |machine, value| machine.with(name, value));
    }
    machine = machine.append(&lookup("APPEND").unwrap_or_default());
    let disk = lookup("DISK").map(|base| ScratchDisk::copy_of(&root, Path::new(&base))).transpose().map_err(failed)?;
    if let Some(disk) = &disk {
        machine = machine.with("DISK", disk.path().display());
    }
    let run = runner::run(&root, &machine, &plan, settings.timeout).map_err(failed)?;
    match run.verdict {
        Verdict::Passed(count) => {
            let seconds = run.transcript.last().map_or(0.0, |line| line.at.as_secs_f64());
            Ok(format!("PASSED: {count} lines in {seconds:.1} s, {} harts, {} boots", settings.smp, plan.boots))
        }
        Verdict::Failed(failure) => Err(failed(failure.report(&run.transcript))),
    }
}

/// Runs the scenes whose name holds `text`, up to this tier.
fn play(text: &str, most: Tier) -> Outcome {
    let root = crate::root();
    let _lock = RunLock::take(&root).map_err(failed)?;
    crate::run::build().map_err(failed)?;
    let (mut ran, mut bad) = (0, 0);
    let chosen =
        SCENES.iter().filter(|scene| scene.name.contains(text) && (scene.tier == Tier::Test || most == Tier::Daily));
    for scene in chosen {
        ran += 1;
        match scenes::run(&root, scene) {
            Ok(()) => println!("ok      {:<10} {}", scene.name, scene.about),
            Err(why) => {
                bad += 1;
                println!("FAILED  {:<10} {}: {why}", scene.name, scene.about);
            }
        }
    }
    match (ran, bad) {
        (0, _) => Err((2, format!("no scene is called `{text}`"))),
        (_, 0) => Ok(format!("PASSED: {ran} scenes")),
        _ => Err(failed(format!("FAILED: {bad} of {ran} scenes"))),
    }
}

/// Runs the counterfactuals whose line holds `text`.
fn refute(text: &str) -> Outcome {
    let root = crate::root();
    let folder = root.join("tests/boot");
    let ladder = Ladder::load(&folder).map_err(failed)?;
    let plan = Plan::new(&ladder, &counterfactual::settings(&ladder)).map_err(refused)?;
    let table = std::fs::read_to_string(folder.join("counterfactuals")).map_err(failed)?;
    let table = counterfactual::parse(&table, &ladder, &plan).map_err(failed)?;
    let gaps = counterfactual::gaps(&plan, &table);
    if !gaps.is_empty() {
        return Err(failed(format!("without a counterfactual: {}", gaps.join(", "))));
    }
    let _lock = RunLock::take(&root).map_err(failed)?;
    crate::run::build().map_err(failed)?;
    let rows: Vec<&Counterfactual> = table.iter().filter(|row| row.line.contains(text)).collect();
    let mut bad = 0;
    for row in &rows {
        let result =
            changed_machine(&root, row).and_then(|machine| counterfactual::run(&root, &machine, row, COUNTERFACTUAL));
        match result {
            Ok(()) => println!("ok      {} | {:?}", row.line, row.change),
            Err(why) => {
                bad += 1;
                println!("FAILED  {} | {:?} | {why}", row.line, row.change);
            }
        }
    }
    match (rows.len(), bad) {
        (0, _) => Err((2, format!("no counterfactual holds `{text}`"))),
        (count, 0) => Ok(format!("PASSED: {count} counterfactuals")),
        (count, bad) => Err(failed(format!("FAILED: {bad} of {count} counterfactuals"))),
    }
}

/// The machine of one counterfactual, its boot image made.
fn changed_machine(root: &Path, row: &Counterfactual) -> Result<Machine, String> {
    let harts = if row.line.starts_with('K') { 2 } else { 1 };
    let bare = Machine::default().with("SMP", harts);
    let machine = bare.clone().append(APPEND);
    match &row.change {
        Change::Append(words) => Ok(machine.append(words)),
        Change::Smp(harts) => Ok(machine.with("SMP", harts)),
        Change::Typed(_) => Ok(bare),
        Change::Image(difference) => with_image(root, machine, difference),
        Change::Manifest(line, other) => {
            let text = std::fs::read_to_string(root.join("system.toml")).map_err(|error| error.to_string())?;
            if text.matches(line.as_str()).count() != 1 {
                return Err(format!("`{line}` does not stand in system.toml exactly once"));
            }
            let resolved = crate::manifest::parse("system.toml", &text.replace(line.as_str(), other));
            let wiring = resolved.map_err(|refusal| refusal.to_string())?.wiring.write();
            let wiring = wiring.map_err(|error| format!("the changed manifest: {error:?}"))?;
            with_image(root, machine, &Difference::Manifest(wiring))
        }
    }
}

/// `machine` with the built image changed in one thing.
fn with_image(root: &Path, machine: Machine, difference: &Difference) -> Result<Machine, String> {
    let (built, changed) = (root.join("build/boot.img"), root.join("build/counterfactual.img"));
    let image = std::fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
    let image = variant::vary(&image, difference)?;
    std::fs::write(&changed, image).map_err(|error| format!("{}: {error}", changed.display()))?;
    Ok(machine.with("IMAGE", changed.display()))
}
