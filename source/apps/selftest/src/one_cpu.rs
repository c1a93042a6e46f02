//! Staying on one CPU, for tests in which threads have to take turns.

use nexus_abi::{Error, syscall::AffinitySet};
use nexus_rt::kernel::invoke;

/// The calling thread runs on the first CPU only, and so do those that it makes.
pub(crate) fn stay() -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: 1 }).map(|_| ())
}

/// The calling thread runs on any CPU.
pub(crate) fn leave() -> Result<(), Error> {
    invoke(AffinitySet { thread: None, mask: u64::MAX }).map(|_| ())
}
