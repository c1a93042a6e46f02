//! `cargo xtask bench`: the table of what operations cost, ours beside the figures published for others.
//!
//! Boots the system, one hart under instruction counting, with the `bench` program in the proof program's place: once as it
//! ships, once without the direct path of messages, once in a service's place for what programs may not. Nobody types, so
//! every figure is the same on every run: `--write` puts the tables into `docs/benchmarks.md`, `--check` measures twice and
//! fails where the runs or the pages differ. What the kernel executed in between is read from the emulator's log ([`trace`]).

mod accounts;
mod boots;
mod page;
mod reading;
mod rows;
mod start;
mod table;
mod trace;
mod wall;

pub(crate) use trace::met;

use reading::Readings;
use std::process::ExitCode;

/// Measures and prints, writes or checks the tables; `--executed`: only those of what the kernel executed; `--accounts`: only
/// those of where the instructions of rows go; `--wall`: those that only the host's clock gives, with `--linux` beside Linux's.
pub fn run(args: &[String]) -> ExitCode {
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let done = match words[..] {
        [] => print(),
        ["--write"] => write(),
        ["--check"] => check(),
        ["--executed"] => crate::run::build().and_then(|()| executed()).map(|text| print!("{text}")),
        ["--accounts"] => crate::run::build().and_then(|()| accounts::tables(&read()?)).map(|text| print!("{text}")),
        ["--wall"] => wall::ours(),
        ["--wall", "--linux"] => wall::beside_linux(),
        _ => {
            eprintln!("usage: cargo xtask bench [--write | --check | --executed | --accounts | --wall [--linux]]");
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

/// Each table as soon as it is there.
fn print() -> Result<(), String> {
    crate::run::build()?;
    let readings = measure()?;
    println!("{}", table::text(&readings)?);
    println!("{}", executed()?);
    print!("{}", accounts::tables(&readings)?);
    Ok(())
}

/// Both pages.
fn write() -> Result<(), String> {
    crate::run::build()?;
    let readings = measure()?;
    page::BENCHMARKS.write(&format!("{}\n{}", table::text(&readings)?, executed()?))?;
    page::ACCOUNTS.write(&accounts::tables(&readings)?)
}

/// Two runs must give the same bytes, and the pages must hold them. What the kernel executed is itself made of two runs
/// each, which must be the same instruction by instruction.
fn check() -> Result<(), String> {
    crate::run::build()?;
    let readings = measure()?;
    let (first, second) = (table::text(&readings)?, table::text(&measure()?)?);
    if let Some((was, is)) = first.lines().zip(second.lines()).find(|(was, is)| was != is) {
        return Err(format!("two runs differ: `{was}` and `{is}`"));
    }
    page::BENCHMARKS.compare(&first)?;
    page::BENCHMARKS.compare(&executed()?)?;
    page::ACCOUNTS.compare(&accounts::tables(&readings)?)?;
    println!("bench: two runs gave the same table, and {} and {} hold it", page::BENCHMARKS.path, page::ACCOUNTS.path);
    Ok(())
}

fn measure() -> Result<Readings, String> {
    let mut readings = read()?;
    let cost = reading::boot_cost(&readings.normal).ok_or("the kernel did not say what its boot cost")?;
    readings.normal.push(cost);
    let undirected = boots::program()?.append("undirected");
    readings.undirected = boots::to_the_end(&undirected)?;
    readings.still = reading::still(&crate::root())?;
    readings.still.extend(start::rows()?);
    Ok(readings)
}

/// What programs print as the system ships.
fn read() -> Result<Readings, String> {
    let normal = boots::to_the_end(&boots::program()?.append("bootstat"))?;
    Ok(Readings { normal, held: boots::to_the_end(&boots::holder()?)?, ..Readings::default() })
}

/// The boot and a pair's messages, in the programs' home and in another; the boot and everything that the proof does.
fn executed() -> Result<String, String> {
    let run = |machine, until| trace::Run { machine, until };
    let pair = boots::counting("selftest=bench,pair");
    let moved = run(boots::moved(&pair)?, boots::END);
    let proof = run(boots::counting("selftest"), "SELFTEST: end");
    trace::tables([&run(pair, boots::END), &moved], &[proof])
}
