//! Decides who may use what, denies by default, and says why.

#![no_std]
#![no_main]

use core::convert::Infallible;
use nexus_abi::Error;

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let (mut policy, server) = policyd::open()?;
    server.run(&mut policy)
}
