//! Staying on one CPU, for tests in which threads have to take turns.

use core::time::Duration;

use nexus_abi::syscall::{AffinitySet, Close, NotificationCreate, Wait};
use nexus_abi::{Error, Handle};
use nexus_rt::{kernel::invoke, time::deadline_in};

use crate::Failure;

/// Does something on one CPU, with a notification by which its threads can tell how far they are.
pub(crate) fn meet<T>(act: impl FnOnce(Handle) -> Result<T, Failure>) -> Result<T, Failure> {
    let made = invoke(NotificationCreate { process: None });
    let met = made.map_err(|error| Failure::Refused("a notification", error))?.notification;
    stay().map_err(|error| Failure::Refused("affinity", error))?;
    let outcome = act(met);
    leave().map_err(|error| Failure::Refused("affinity", error))?;
    invoke(Close { handle: met }).map_err(|error| Failure::Refused("close", error))?;
    outcome
}

/// Waits until each of these bits was signalled.
pub(crate) fn wait_for(met: Handle, bits: u64, patience: Duration) -> Result<(), Error> {
    let deadline = deadline_in(patience);
    let mut came = 0;
    while came & bits != bits {
        came |= invoke(Wait { notification: met, deadline })?.bits;
    }
    Ok(())
}

/// The calling thread runs on the first CPU only, and so do those that it makes.
pub(crate) fn stay() -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: 1 }).map(|_| ())
}

/// The calling thread runs on any CPU.
pub(crate) fn leave() -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: u64::MAX }).map(|_| ())
}
