//! `cargo xtask bench`: the table of what operations cost, ours beside the figures published for others.
//!
//! Boots the system, one hart under instruction counting, with the `bench` program in the proof program's place: once as it
//! ships, once without the direct path of messages. Nobody types, so every figure is the same on every run: `--write`
//! puts the table into `docs/benchmarks.md`, `--check` measures twice and fails where the runs or the page differ.

mod page;
mod reading;
mod rows;
mod table;

use crate::proof::emulator::Machine;
use crate::proof::session::{Session, SessionError};
use crate::proof::variant::Difference;
use crate::proof::with_image;
use reading::Readings;
use std::process::ExitCode;
use std::time::Duration;

const RUN: Duration = Duration::from_secs(120);

/// Measures and prints, writes or checks the table.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => tables().map(|text| print!("{text}")),
        ["--write"] => tables().and_then(|text| page::write(&text)),
        ["--check"] => check(),
        _ => {
            eprintln!("usage: cargo xtask bench [--write | --check]");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("bench: {text}");
            ExitCode::FAILURE
        }
    }
}

fn tables() -> Result<String, String> {
    crate::run::build()?;
    table::text(&measure()?)
}

/// Two runs must give the same bytes, and the page must hold them.
fn check() -> Result<(), String> {
    let (first, second) = (tables()?, table::text(&measure()?)?);
    if let Some((was, is)) = first.lines().zip(second.lines()).find(|(was, is)| was != is) {
        return Err(format!("two runs differ: `{was}` and `{is}`"));
    }
    page::compare(&first)?;
    println!("bench: two runs gave the same table, and {} holds it", page::PAGE);
    Ok(())
}

fn measure() -> Result<Readings, String> {
    let mut normal = boot("selftest bootstat")?;
    let cost = reading::boot_cost(&normal).ok_or("the kernel did not say what its boot cost")?;
    normal.push(cost);
    let (undirected, still) = (boot("selftest undirected")?, reading::still(&crate::root())?);
    Ok(Readings { normal, undirected, still })
}

/// Runs the program in the proof program's place: nobody types, so that time can leap over every wait.
fn boot(arguments: &str) -> Result<Vec<String>, String> {
    let machine = Machine::default().with("SMP", 1).with("ICOUNT", "shift=0,sleep=off").append(arguments);
    let instead = Difference::Replaced("selftest".to_string(), "bench".to_string());
    let machine = with_image(&crate::root(), machine, &[instead])?;
    let text = |error: SessionError| error.to_string();
    let mut session = Session::boot(&crate::root(), &machine).map_err(text)?;
    session.wait_for("bench: end", RUN).map_err(text)?;
    let (transcript, _) = session.finish(RUN);
    Ok(transcript.into_iter().map(|line| line.text).collect())
}
