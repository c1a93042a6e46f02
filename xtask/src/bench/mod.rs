//! `cargo xtask bench`: the table of what operations cost, ours beside the figures published for others.
//!
//! Boots the system as proofs do, one hart under instruction counting, and runs the `bench` program. A row whose samples
//! differ is printed with both ends. Peers' figures: measured on the same emulator with the same unit, all privilege
//! levels, seL4 from `ecall` to `sret`.

mod table;

use crate::proof::emulator::Machine;
use crate::proof::session::{Session, SessionError};
use crate::proof::variant::Difference;
use crate::proof::with_image;
use std::process::ExitCode;
use std::time::Duration;

const RUN: Duration = Duration::from_secs(120);

/// Runs the benchmark and prints the table.
pub fn run(args: &[String]) -> ExitCode {
    if !args.is_empty() {
        eprintln!("usage: cargo xtask bench");
        return ExitCode::from(2);
    }
    if let Err(text) = crate::run::build() {
        eprintln!("bench: {text}");
        return ExitCode::FAILURE;
    }
    let transcript = match measure() {
        Ok(transcript) => transcript,
        Err(error) => {
            eprintln!("bench: {error}");
            return ExitCode::FAILURE;
        }
    };
    match table::print(&transcript) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the program in the proof program's place: nobody types, so that time can leap over every wait.
fn measure() -> Result<Vec<String>, String> {
    let machine = Machine::default().with("SMP", 1).with("ICOUNT", "shift=0,sleep=off").append("selftest");
    let instead = Difference::Replaced("selftest".to_string(), "bench".to_string());
    let machine = with_image(&crate::root(), machine, &[instead])?;
    let text = |error: SessionError| error.to_string();
    let mut session = Session::boot(&crate::root(), &machine).map_err(text)?;
    session.wait_for("bench: end", RUN).map_err(text)?;
    let (transcript, _) = session.finish(RUN);
    Ok(transcript.into_iter().map(|line| line.text).collect())
}
