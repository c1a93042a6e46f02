//! Answers that a server owes while it receives something else.
//!
//! A thread that owes an answer cannot receive. When a server's partner was started anew in the middle of a request, the way to the
//! new one comes as a message: the server puts the obligation aside as a reply handle, and its loop finds it here when it answers.

use alloc::vec::Vec;

use nexus_abi::syscall::Defer;
use nexus_abi::{Error, Handle};

use crate::kernel::invoke;
use crate::sys::{self, Mutex};

/// What each thread owes, by the address of its IPC page.
static OWED: Mutex<Vec<(u64, Handle)>> = Mutex::new(Vec::new());

/// Puts aside what this thread owes. `ESTATE`: nothing.
pub(crate) fn put() -> Result<(), Error> {
    let reply = invoke(Defer {})?.reply;
    OWED.lock().push((sys::ipc_page(), reply));
    Ok(())
}

/// What this thread has put aside.
pub(crate) fn take() -> Option<Handle> {
    let (me, mut owed) = (sys::ipc_page(), OWED.lock());
    let at = owed.iter().position(|(thread, _)| *thread == me)?;
    Some(owed.swap_remove(at).1)
}
