//! Loads and starts programs for those who may.

#![no_std]
#![no_main]

use core::convert::Infallible;

use execd::{Execd, Holdings};
use nexus_abi::Error;
use nexus_abi::syscall::NotificationCreate;
use nexus_rt::kernel::{Machine, invoke};
use nexus_rt::{Server, env, memory};

nexus_rt::program!(main);

fn main() -> Result<Infallible, Error> {
    let ends = invoke(NotificationCreate { process: None })?.notification;
    let holdings = Holdings {
        image: env::handle("image")?,
        spawn: env::handle("spawn")?,
        ends,
        init: env::handle(env::INIT).ok(),
        log: env::handle(env::LOG).ok(),
        info: env::handle("info").ok(),
        timebase: env::start()?.info().timebase,
    };
    let mut service = Execd::new(Machine, memory::sealed(holdings.image)?, holdings)?;
    service.recover()?;
    Server::of_start_page()?.bound_to(ends)?.run(&mut service)
}
