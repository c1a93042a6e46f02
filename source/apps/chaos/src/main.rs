//! Kills each service again and again while it is called, and counts what became of the calls, of the service and of memory.
//!
//! It runs as a service with the shell's routes, which reach every service, and one to the shell. Some threads call, one
//! kills; services run below the killer there, so that it comes at any of their instructions. A kill counts if a call had begun before it and was not answered by the service that died. `run` under
//! `cargo xtask proof --scenes chaos`.

#![no_std]
#![no_main]

extern crate alloc;

mod caller;
mod census;
mod killer;
mod limit;
mod victim;

use alloc::{boxed::Box, sync::Arc};
use core::convert::Infallible;

use nexus_abi::syscall::Wait;
use nexus_abi::{Deadline, Error};
use nexus_ipc::{Answered, Call, Message, Outcome, Port, Serve};
use nexus_rt::kernel::invoke;
use nexus_rt::{Server, println, thread, time::deadline_in};

use caller::Shared;

nexus_rt::program!(main);

/// How long the loop runs until init has seen that it does.
const FIRST: core::time::Duration = core::time::Duration::from_secs(1);
const STACK_PAGES: u64 = 8;

/// Answers init's probe for a while; nobody calls.
struct Seen(Deadline);

impl Serve for Seen {
    fn call(&mut self, _: &mut Call<'_>, _: &Message) -> Outcome<Answered> {
        Err(Error::Unavailable.into())
    }

    fn deadline(&self) -> Deadline {
        self.0
    }

    fn expired(&mut self, _: &mut dyn Port) {
        self.0 = Deadline::NEVER;
    }
}

fn main() -> Result<Infallible, Error> {
    Server::of_start_page()?.serve_until(&mut Seen(deadline_in(FIRST)), |seen| seen.0 == Deadline::NEVER)?;
    let callers = [caller()?, caller()?, caller()?];
    let silent = callers[0].over;
    let wrong = killer::rounds(&callers).and_then(|wrong| {
        println!("chaos: limit");
        Ok(wrong + limit::reached(silent)?)
    });
    match wrong {
        Ok(wrong) => println!("chaos: over, {wrong} things were wrong"),
        Err(error) => println!("chaos: over with {}, and things were wrong", error.name()),
    }
    // Whoever reads the console ends the machine.
    invoke(Wait { notification: silent, deadline: Deadline::NEVER })?;
    Err(Error::State)
}

/// One that calls, and its thread.
fn caller() -> Result<Arc<Shared>, Error> {
    let shared = Arc::new(Shared::new()?);
    let theirs = shared.clone();
    thread::spawn(STACK_PAGES, Box::new(move || caller::run(&theirs)))?;
    Ok(shared)
}
