//! The command line of the system.

#![no_std]
#![no_main]

use core::convert::Infallible;
use nexus_abi::Error;

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    shell::machine_main()
}
