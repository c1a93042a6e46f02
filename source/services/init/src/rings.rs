//! The rings for records: one a service and one for init itself, read by the service that the manifest says.
//!
//! They are init's own memory: an object dies with its owner, and neither a writer nor the reader may lose it to the
//! other's death. A service that is started again gets the ring of the one before it.

use alloc::vec::Vec;

use nexus_abi::syscall::{MemoryCreate, MemoryGrow, NotificationCreate};
use nexus_abi::{Error, Handle};
use nexus_ipc::ring::PAGES;
use nexus_rt::Kernel;
use wiring::{Grant, Wiring};

/// What records go through.
#[derive(Clone, Debug)]
pub struct Rings {
    /// Signalled after each record.
    pub bell: Handle,
    /// init's own ring.
    pub own: Handle,
    /// By service index.
    pub services: Vec<Handle>,
}

impl Rings {
    /// Makes them, if somebody reads them.
    pub(crate) fn make(kernel: &mut impl Kernel, wiring: &Wiring) -> Result<Option<Rings>, Error> {
        if !wiring.services.iter().any(|service| service.grants.has(Grant::Records)) {
            return Ok(None);
        }
        let bell = kernel.invoke(NotificationCreate { process: None })?.notification;
        let own = ring(kernel)?;
        let services = wiring.services.iter().map(|_| ring(kernel)).collect::<Result<_, _>>()?;
        Ok(Some(Rings { bell, own, services }))
    }
}

fn ring(kernel: &mut impl Kernel) -> Result<Handle, Error> {
    let memory = kernel.invoke(MemoryCreate { process: None, pages: PAGES })?.memory;
    kernel.invoke(MemoryGrow { memory, pages: PAGES })?;
    Ok(memory)
}
