//! Counts the instructions of system calls and messages: one line a row, smallest and largest of its samples.
//!
//! Without arguments it is the server: it starts a copy of itself, in another address space, as its client. On one hart
//! both read the same counter, so a one-way cost is one side's reading less the other's. With `timers` it only runs the
//! experiment with timers. Runs under `cargo xtask bench`.

#![no_std]
#![no_main]

mod leaves;
mod pair;
mod row;
mod timers;

use nexus_abi::Error;
use nexus_rt::env;

nexus_rt::program!(main);

fn main() -> Result<(), Error> {
    match env::arguments().nth(1) {
        Some("client") => pair::client(),
        Some("timers") => timers::run(),
        _ => {
            timers::run()?;
            leaves::run()?;
            pair::server()
        }
    }
}
