//! Loads and starts programs for those who may.

#![no_std]
#![no_main]

use core::convert::Infallible;

use nexus_abi::Error;

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let (mut service, server) = execd::open()?;
    server.run(&mut service)
}
