//! What the console needs of the kernel, as a trait: the machine on the target, a fake under test.

use alloc::vec::Vec;
use nexus_abi::{Error, Handle};

/// A piece of the kernel's console ring.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogChunk {
    /// Bytes, in order; none: there are no more.
    pub bytes: Vec<u8>,
    /// Bytes that were overwritten before anybody read them.
    pub lost: u64,
}

/// The kernel's side of the console.
pub trait Board {
    /// The next bytes of the ring.
    fn log(&mut self) -> Result<LogChunk, Error>;
    /// The device's interrupt was looked after.
    fn interrupt_done(&mut self);
    /// Signals a session.
    fn notify(&mut self, events: Handle, bits: u64);
    /// Whether a session's notification still has an owner.
    fn lives(&mut self, events: Handle) -> bool;
    /// A handle to this service under a badge, to give away.
    fn lend(&mut self, badge: u64) -> Result<Handle, Error>;
}
