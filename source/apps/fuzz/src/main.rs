//! Makes system calls that nobody would make, and looks at what is left of the system.
//!
//! It is the first process: it owns everything, and nothing else runs. It starts copies of itself as children that make
//! random calls until they die of them, one after the other, and after every few looks at the kernel's invariants,
//! at a victim's memory, and at the counts of every kind of object. `selftest=fuzz,SEED,CALLS,FIRST` among the boot
//! arguments says how many calls are made, and from which seed; the lines it prints are read by `cargo xtask fuzz`.

#![no_std]
#![no_main]

extern crate alloc;

mod brood;
mod child;
mod dice;
mod fuzzer;
mod generate;
mod neighbour;
mod parent;
mod pool;
mod report;
mod scenes;
mod tally;
mod victim;

use nexus_abi::Error;
use nexus_rt::env;

nexus_rt::program!(main);

fn main() -> Result<i64, Error> {
    match env::arguments().nth(1) {
        Some("child") => child::run(),
        Some("victim") => victim::run(),
        Some("neighbour") => neighbour::run(),
        _ => parent::run(),
    }
}
