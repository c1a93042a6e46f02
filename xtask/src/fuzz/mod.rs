//! `cargo xtask fuzz`: random system calls on the target, and what must be true after them.
//!
//! The fuzzer (`source/apps/fuzz`) takes init's place in an image of its own, with the kernel that ships. It makes the calls,
//! looks at invariants, counts and a victim's memory, and reports every pair of call and outcome; here those pairs are
//! judged against what the ABI declares. A seed gives the same children; counted instructions give the same run.

mod judge;
mod order;
mod progress;
mod run;
mod unreachable;

#[cfg(test)]
mod fuzz_tests;

use crate::image::Built;
use judge::Report;
use order::{Order, Pace};
use progress::Progress;
use std::process::ExitCode;
use std::time::Instant;

/// Makes calls and judges what they came to.
pub fn main(args: &[String]) -> ExitCode {
    let order = match Order::read(args) {
        Ok(order) => order,
        Err(text) => {
            eprintln!("fuzz: {text}\n{}", order::USAGE);
            return ExitCode::from(2);
        }
    };
    let built = match run::build() {
        Ok(built) => built,
        Err(text) => {
            eprintln!("fuzz: {text}");
            return ExitCode::from(2);
        }
    };
    match fuzz(&built, &order) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            println!("fuzz: found: {text}");
            ExitCode::FAILURE
        }
    }
}

fn fuzz(built: &Built, order: &Order) -> Result<(), String> {
    if order.calls == 0 {
        println!("fuzz: built");
        return Ok(());
    }
    match order.pace {
        Pace::AtOnce => one(built, order).map(drop),
        Pace::Twice => {
            let (first, second) = (one(built, order)?, one(built, order)?);
            if first.digest != second.digest || first.digest.is_empty() {
                return Err(format!("seed {} gave digest {} and then {}", order.seed, first.digest, second.digest));
            }
            println!("fuzz: the same seed gave the same run twice: digest {}", first.digest);
            Ok(())
        }
        Pace::Slices(within) => slices(built, order, Instant::now() + within),
    }
}

/// One boot, printed and judged.
fn one(built: &Built, order: &Order) -> Result<Report, String> {
    println!("fuzz: seed {}, {} calls, from child {}, {} harts", order.seed, order.calls, order.first, order.harts);
    let report = run::run(built, order)?;
    print!("{}", judge::table(&report));
    judge::verdict(&report, order.harts)?;
    println!("fuzz: {} calls, {} children, nothing found", report.calls, report.next - order.first);
    Ok(report)
}

/// As many boots as the time allows, from where the last run of this seed stopped.
fn slices(built: &Built, order: &Order, until: Instant) -> Result<(), String> {
    let mut progress = Progress::load(order.seed)?;
    while progress.calls < order.calls && Instant::now() < until {
        let calls = order::SLICE.min(order.calls - progress.calls);
        let report = one(built, &Order { calls, first: progress.next, ..order.clone() })?;
        progress.calls += report.calls;
        progress.next = report.next;
        progress.save()?;
    }
    println!("fuzz: {} of {} calls made, seed {}", progress.calls, order.calls, order.seed);
    match progress.calls >= order.calls {
        true => progress.forget(),
        false => Err("nothing, but it is not through: the same command goes on".to_string()),
    }
}
