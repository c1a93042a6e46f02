//! Capabilities: slots, tables, derivation.

pub mod derive;
pub mod revoke;
pub mod slot;
pub mod table;

use crate::arena::{Header, Object, index_of, wide};
use crate::{Kernel, word::Half};
use nexus_abi::{Kind, Rights};
use slot::Slot;

/// All capability slots, in blocks of 64 that are lent to processes. Guarded by all shards.
#[derive(Debug)]
pub struct Blocks {
    slots: &'static [Slot],
    /// Slot 0.
    none: &'static Slot,
    /// First free block, linked through the links of each block's first slot.
    free: Half,
    /// Blocks never lent so far start here. Block 0 is never used.
    fresh: Half,
    used: Half,
}

impl Blocks {
    /// All blocks free, over zeroed slots.
    pub const fn new(slots: &'static [Slot]) -> Blocks {
        Blocks { slots, none: &slots[0], free: Half::new(0), fresh: Half::new(1), used: Half::new(0) }
    }

    /// The slot at this place.
    #[inline(always)]
    pub fn at(&self, place: u32) -> &'static Slot {
        self.slots.get(wide(place)).unwrap_or(self.none)
    }

    /// True if a block can be lent.
    pub fn has_room(&self) -> bool {
        self.free.get() != 0 || (self.fresh.get() as usize) < self.slots.len() / 64
    }

    /// Lends a block.
    pub fn take(&self) -> Option<u32> {
        let (free, fresh) = (self.free.get(), self.fresh.get());
        if free != 0 {
            self.free.set(self.at(free * 64).links.next.get());
            self.at(free * 64).links.next.set(0);
        } else if (fresh as usize) < self.slots.len() / 64 {
            self.fresh.set(fresh + 1);
        } else {
            return None;
        }
        self.used.add(1);
        Some(if free != 0 { free } else { fresh })
    }

    /// Takes a block back; its slots are free.
    pub fn give_back(&self, block: u32) {
        self.at(block * 64).links.next.set(self.free.get());
        self.free.set(block);
        self.used.sub(1);
    }

    /// Blocks lent.
    pub fn used(&self) -> u32 {
        self.used.get()
    }

    /// Blocks there are.
    pub fn capacity(&self) -> u32 {
        (self.slots.len() / 64) as u32 - 1
    }
}

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

    /// The header of the living object that a capability names.
    pub fn header_of(&self, kind: Kind, object: u64) -> Option<&'static Header> {
        self.header(kind, index_of(object)).filter(|header| object != 0 && header.me() == object)
    }

    /// True if a capability names an arena object that lives no more.
    #[inline]
    pub(crate) fn gone(&self, kind: Kind, object: u64) -> bool {
        self.header(kind, index_of(object)).is_some_and(|header| object == 0 || header.me() != object)
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/blocks.rs"]
mod invariant;
