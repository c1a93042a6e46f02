//! Answers that a server owes, and signals that it gets, while it receives something else.
//!
//! A thread that owes an answer cannot receive. When a server's partner was started anew in the middle of a request, the way to the
//! new one comes as a message: the server puts the obligation aside as a reply handle, and its loop finds it here when it answers.
//! A signal of what is bound to the thread ends that receive too; it is the loop's, which finds it here before it waits.

use alloc::vec::Vec;

use nexus_abi::syscall::Defer;
use nexus_abi::{Error, Handle};
use nexus_ipc::Signal;

use crate::kernel::invoke;
use crate::sys;

crate::sys::own! {
    /// What each thread owes, by the address of its IPC page.
    static OWED: Vec<(u64, Handle)> = Vec::new()
}

crate::sys::own! {
    /// Signals that no loop has seen yet, by the address of the IPC page of whom they came to.
    static SIGNALS: Vec<(u64, Signal)> = Vec::new()
}

/// Puts a signal aside that came while this thread received something else.
pub(crate) fn put_signal(signal: Signal) {
    let (me, mut signals) = (sys::ipc_page(), SIGNALS.lock());
    match signals.iter_mut().find(|(thread, put)| *thread == me && put.key == signal.key) {
        Some((_, put)) => put.bits |= signal.bits,
        None => signals.push((me, signal)),
    }
}

/// A signal that this thread has put aside.
pub(crate) fn take_signal() -> Option<Signal> {
    let (me, mut signals) = (sys::ipc_page(), SIGNALS.lock());
    let at = signals.iter().position(|(thread, _)| *thread == me)?;
    Some(signals.swap_remove(at).1)
}

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
