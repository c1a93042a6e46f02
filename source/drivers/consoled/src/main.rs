//! The 16550 driver: the console's lines and keys.

#![no_std]
#![no_main]

use core::convert::Infallible;
use nexus_abi::Error;

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let (mut console, server) = consoled::open()?;
    server.run(&mut console)
}
