//! Starts attacks one by one, and looks at what became of the system after each.
//!
//! `tests/hostile/rows` names every attack and how it must end; the host's judge reads the same file, so that a row nobody
//! tried is missed. Attacks are made by the program `attacker`; here stand the questions asked after it: do the kernel's invariants
//! hold, is everything back that it took, is a victim's memory what it was, do the services answer.

#![no_std]

extern crate alloc;

mod attack;
mod census;
mod rows;
mod victim;

use alloc::vec::Vec;

use nexus_abi::Error;
use nexus_rt::env;

pub use rows::{End, Row, rows};

/// The rows, as the judge on the host has them.
pub const ROWS: &str = include_str!("../../../../tests/hostile/rows");

/// Tries every row, or those whose words hold the arguments; answers how many failed.
pub fn run() -> Result<i64, Error> {
    let wanted: Vec<&str> = env::arguments().skip(1).collect();
    let wanted = wanted.join(" ");
    let mut scene = attack::Scene::set()?;
    let (mut tried, mut failed) = (0, 0);
    for row in rows(ROWS).filter(|row| row.words.contains(wanted.as_str())) {
        tried += 1;
        match scene.play(&row) {
            Ok(()) => nexus_rt::log!("row {}: {} ok", row.words, row.end),
            Err(broken) => {
                failed += 1;
                nexus_rt::log!("row {}: FAIL {broken}", row.words);
            }
        }
    }
    nexus_rt::log!("end: {tried} rows, {failed} failed");
    Ok(failed)
}
