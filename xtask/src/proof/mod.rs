//! The proof of a boot: what it must print, whether it did, and that each line can fail.
//!
//! `ladder`, `settings` and `plan` say what is expected, `judge` decides from lines alone, the rest runs machines.

pub mod beside;
mod boots;
pub mod counterfactual;
pub mod emulator;
mod first_program;
pub mod hostile;
pub mod judge;
pub mod ladder;
pub mod plan;
mod refute;
pub mod runner;
pub mod scenes;
pub mod scratch;
pub mod session;
pub mod settings;
pub mod table;
pub mod variant;
pub mod verdict;

use emulator::Machine;
use ladder::Ladder;
use plan::{Plan, Refusal};
use scenes::{SCENES, Tier};
use scratch::{RunLock, ScratchDisk};
use settings::{Harts, Settings};
use std::path::Path;
use std::process::ExitCode;
use variant::Difference;
use verdict::Verdict;

/// The boot arguments of a proof: the proof program runs, and a panic ends the machine with a status.
const APPEND: &str = "selftest panic=exit";
/// What the kernel is told where its own tests of several CPUs are required.
const KERNEL_TESTS: &str = "kselftest";

/// `cargo xtask proof`: judges one run. `--counterfactuals [text]` runs the table's rows whose line holds the text,
/// `--hostile [text]` the attacks of `tests/hostile/rows`, `--scenes [text]` the console scenes, `--boots n` boots often,
/// `--pace` compares one hart with two, `--first-program` what the front page says of a program of one's own.
pub fn main(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let result = match words[..] {
        [] => prove(),
        ["--counterfactuals"] => refute::refute(""),
        ["--counterfactuals", text] => refute::refute(text),
        ["--boots", count] => boots::boots(count),
        ["--pace"] => boots::pace(),
        ["--first-program"] => first_program::prove(&crate::root()).map_err(failed),
        ["--hostile", ..] => attack(&words[1..].join(" ")),
        ["--scenes"] => play("", Tier::Test),
        ["--scenes", "--daily"] => play("", Tier::Daily),
        ["--scenes", text] => play(text, Tier::Test),
        _ => Err((
            2,
            "usage: cargo xtask proof [--counterfactuals [text] | --hostile [text] | --scenes [text | --daily] | \
             --boots n | --pace | --first-program]"
                .to_string(),
        )),
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
    if settings.harts == Harts::Required {
        machine = machine.append(KERNEL_TESTS);
    }
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

/// Tries the attacks whose words hold `text`, on as many harts as the environment says. One hart counts instructions, so that
/// how busy the host is changes nothing; the emulator cannot do that for several.
fn attack(text: &str) -> Outcome {
    let root = crate::root();
    let lookup = |name: &str| std::env::var(name).ok();
    let settings = Settings::read(&lookup).map_err(|text| (2, text))?;
    let clock = lookup("ICOUNT").or_else(|| (settings.smp == 1).then(|| "shift=0".to_string()));
    let machine = Machine::default().with("SMP", settings.smp);
    let machine = clock.into_iter().fold(machine, |machine, clock| machine.with("ICOUNT", clock));
    let _lock = RunLock::take(&root).map_err(failed)?;
    let kernel = crate::run::build_both().map_err(failed)?;
    let machine = machine.with("KERNEL", kernel.display());
    let (tried, amiss) = hostile::run(&root, text, machine).map_err(failed)?;
    if tried.is_empty() {
        return Err((2, format!("no attack is called `{text}`")));
    }
    print!("{}", hostile::print(&tried, &amiss));
    let bad = tried.iter().filter(|tried| tried.failure.is_some()).count();
    match (bad, amiss.len()) {
        (0, 0) => Ok(format!("PASSED: {} attacks, {} harts", tried.len(), settings.smp)),
        _ => Err(failed(format!("FAILED: {bad} of {} attacks", tried.len()))),
    }
}

/// Runs the scenes whose name holds `text`, up to this tier; a scene that is called so whatever its tier.
fn play(text: &str, most: Tier) -> Outcome {
    let root = crate::root();
    let _lock = RunLock::take(&root).map_err(failed)?;
    crate::run::build_both().map_err(failed)?;
    let (mut ran, mut bad) = (0, 0);
    let chosen = SCENES.iter().filter(|scene| scene.name == text || scene.name.contains(text) && scene.tier <= most);
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

/// `machine` with the built image changed.
pub(crate) fn with_image(root: &Path, machine: Machine, differences: &[Difference]) -> Result<Machine, String> {
    let (built, changed) = (root.join("build/boot.img"), root.join("build/counterfactual.img"));
    let image = std::fs::read(&built).map_err(|error| format!("{}: {error}", built.display()))?;
    let image = differences.iter().try_fold(image, |image, difference| variant::vary(&image, difference))?;
    std::fs::write(&changed, image).map_err(|error| format!("{}: {error}", changed.display()))?;
    Ok(machine.with("IMAGE", changed.display()))
}
