//! Fires timers inside their windows, and tells the time.

#![no_std]
#![no_main]

use core::convert::Infallible;
use nexus_abi::Error;

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let (mut timed, server) = timed::open()?;
    server.run(&mut timed)
}
