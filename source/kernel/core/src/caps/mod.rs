//! Capabilities: slots, tables, derivation.

pub mod derive;
pub mod revoke;
pub mod slot;
pub mod table;

use crate::prelude::*;

/// What a new capability says.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// What it names.
    pub kind: Kind,
    /// Reference of the object; of a root, its scope; of a reply, the caller's token.
    pub object: u64,
    /// Which shard guards the object.
    pub shard: usize,
    /// What it allows.
    pub rights: Rights,
    /// What a receiver is told of messages through it.
    pub badge: u64,
}

impl Capability {
    /// Every right to a new object.
    pub fn full(kind: Kind, object: &impl Object) -> Capability {
        let header = object.header();
        Capability { kind, object: header.me(), shard: header.shard(), rights: Rights::ALL, badge: 0 }
    }
}

impl Kernel {
    /// The header of the object at this index; `None` for kinds that are no arena objects (roots, replies).
    pub fn header(&self, kind: Kind, index: u32) -> Option<&'static Header> {
        Some(match kind {
            Kind::Process => &self.processes.at(index).header,
            Kind::Thread => &self.threads.at(index).header,
            Kind::Endpoint => &self.endpoints.at(index).header,
            Kind::Notification | Kind::WaitSet => &self.notifications.at(index).header,
            Kind::Memory | Kind::Window | Kind::DmaMemory => &self.memories.at(index).header,
            Kind::Irq => &self.irqs.at(index).header,
            Kind::Timer => &self.timers.at(index).header,
            Kind::Reply | Kind::DeviceRoot | Kind::Spawn | Kind::Info | Kind::Power | Kind::Log => return None,
        })
    }

    /// True if a capability names an arena object that lives no more.
    pub(crate) fn gone(&self, kind: Kind, object: u64) -> bool {
        self.header(kind, index_of(object)).is_some_and(|header| object == 0 || header.me() != object)
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/blocks.rs"]
mod invariant;
