//! Keeps the records of every program, and answers who asks for them.

#![no_std]
#![no_main]

use core::convert::Infallible;
use nexus_abi::Error;

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let (mut log, server) = logd::open()?;
    server.run(&mut log)
}
