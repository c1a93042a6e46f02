//! The first process.

#![no_std]
#![no_main]

use core::convert::Infallible;

use init::{Init, Roots};
use nexus_rt::abi::Error;
use nexus_rt::{Machine, Server, env, memory, records};

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let start = env::start()?;
    let roots = Roots::take(&mut Machine, &start)?;
    let files = (memory::sealed(roots.image)?, memory::sealed(roots.device_tree)?);
    let mut init = Init::new(Machine, roots, files, start.info().timebase)?;
    if let Some(rings) = init.rings() {
        records::attach(rings.own, rings.bell)?;
    }
    init.begin();
    Server::over(roots.endpoint).bound_to(roots.gone)?.serve(&mut init)
}
