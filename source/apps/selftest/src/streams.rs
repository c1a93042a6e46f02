//! Streams and the console: what their interfaces promise, through the kernel.

use crate::Failure;
use nexus_abi::Handle;
use nexus_abi::syscall::{Close, NotificationCreate};
use nexus_proto::contract;
use nexus_rt::{Channel, kernel::invoke, pipe::Plumber};

/// A pipe that another thread serves carries bytes as a stream must.
pub(crate) fn pipe_keeps_its_contract() -> Result<(), Failure> {
    let plumber = Plumber::start().map_err(|error| Failure::Refused("a thread for pipes", error))?;
    let pipe = plumber.open().map_err(|error| Failure::Refused("a pipe", error))?;
    contract::stream(Channel::new(pipe.writer), Channel::new(pipe.reader))?;
    Ok(())
}

/// The console belongs to the shell now: a program can neither take it nor use it.
pub(crate) fn console_keeps_its_contract() -> Result<(), Failure> {
    with_console(contract::console_held)
}

/// In the shell's place: who claims the console holds it.
pub(crate) fn session_keeps_its_contract() -> Result<(), Failure> {
    with_console(contract::console_session)
}

fn with_console(check: fn(Channel, Handle) -> contract::Kept) -> Result<(), Failure> {
    let console = Channel::to("console").map_err(|error| Failure::Refused("a route to consoled", error))?;
    let made = invoke(NotificationCreate { process: None });
    let events = made.map_err(|error| Failure::Refused("a notification", error))?.notification;
    let kept = check(console, events);
    invoke(Close { handle: events }).map_err(|error| Failure::Refused("close", error))?;
    kept.map_err(Failure::from)
}
