//! What the program was started with: handles by interface name, arguments, environment.
//!
//! Three names are known to every program: [`INIT`] for routes and probes, [`LOG`] for lines of the console ring,
//! [`SERVE`] for the endpoint that a service serves. All others are interfaces, by the manifest's routes.

use alloc::{vec, vec::Vec};

use nexus_abi::message::{HEADER_BYTES, MAX_INLINE};
use nexus_abi::start::StartPage;
use nexus_abi::syscall::BootArguments;
use nexus_abi::{Error, Handle};

use crate::{kernel::invoke, sys};

/// The way to init, for one-way messages: routes asked, probes answered.
pub const INIT: &str = "init";
/// The right to write lines to the console ring.
pub const LOG: &str = "log";
/// The endpoint that a service serves, with the right to receive.
pub const SERVE: &str = "serve";

/// The start page. `ESTATE`: there is none, which happens on the host only.
pub fn start() -> Result<StartPage<'static>, Error> {
    sys::start_page().ok_or(Error::State)
}

/// The handle given under this interface name. `EUNAVAILABLE`: none was.
pub fn handle(interface: &str) -> Result<Handle, Error> {
    start()?.handle(interface).ok_or(Error::Unavailable)
}

/// The arguments; the first is the program's own name.
pub fn arguments() -> impl Iterator<Item = &'static str> {
    sys::start_page().into_iter().flat_map(|page| page.arguments())
}

/// The value of an environment variable.
pub fn variable(name: &str) -> Option<&'static str> {
    let page = sys::start_page()?;
    page.environment().find_map(|entry| entry.strip_prefix(name)?.strip_prefix('='))
}

/// The arguments that the machine was booted with; what does not fit a message is cut off. `info` is the right to read
/// the system's tables.
pub fn boot_arguments(info: Handle) -> Result<Vec<u8>, Error> {
    let length = invoke(BootArguments { info, offset: 0 })?.length as usize;
    let mut bytes = vec![0; length.min(MAX_INLINE)];
    sys::read_page(HEADER_BYTES, &mut bytes);
    Ok(bytes)
}
