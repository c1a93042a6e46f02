//! What the service needs of the machine, as a trait: the kernel and the clock chip on the target, a fake under test.

use nexus_abi::{Error, Handle};
use nexus_proto::audit::Audit;

/// The machine's side of the service.
pub trait Board {
    /// Signals an owner. An error: it is gone, or has taken the handle back.
    fn signal(&mut self, notification: Handle, bits: u64) -> Result<(), Error>;
    /// Whether this handle can be signalled: `EKIND`, `EPERM` or `EPEERCLOSED` if not.
    fn check(&mut self, notification: Handle) -> Result<(), Error>;
    /// Nanoseconds since 1970, as the clock chip has them now.
    fn wall_ns(&mut self) -> u64;
    /// Says how a registration went.
    fn audit(&mut self, audit: &Audit<'_>);
}
