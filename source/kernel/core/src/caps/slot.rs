//! Capability slots.

use crate::prelude::*;
use nexus_abi::Part;

/// One capability, or a free place for one. 64 bytes.
///
/// Guarded by the shard of the object it names; insert and remove hold all shards.
#[derive(Debug, Default)]
#[repr(C, align(64))]
pub struct Slot {
    /// The handle, while a capability stands here; else 0.
    pub key: Word,
    /// The handle, if this is an endpoint of its process's shard that may be called; else [`Slot::no_call`], or 0 while the
    /// slot is free. One compare proves generation, kind, right and shard.
    pub call_key: Word,
    /// Reference of the object; of a root, its scope; of a reply, the caller's token.
    pub object: Word,
    /// What a receiver is told of messages through this capability. While the slot is free: its last generation.
    pub badge: Word,
    /// Kind (bits 0..8), rights (8..16).
    meta: Half,
    /// Process whose table this is.
    pub process: Half,
    /// Derivation: what this was derived from; 0 is none. Numbers are places in the slot arena.
    pub parent: Half,
    /// First of what was derived from this.
    pub child: Half,
    /// Neighbours among what was derived from the same parent.
    pub links: Links,
    /// Where it is in the arena, while a capability stands here.
    pub place: Half,
    /// 1 while everything derived from it is being removed: nothing may be derived meanwhile.
    pub revoking: Half,
}

impl Slot {
    /// What no program can find in this slot: it names another slot of a block. (0 names the first one.)
    pub const fn no_call(handle: Handle) -> u64 {
        !handle.raw()
    }

    /// The kind of what it names; `None` if the slot is free.
    pub fn kind(&self) -> Option<Kind> {
        Kind::from_number(self.meta.get() as u8)
    }

    /// True if it names an object of this kind and has these rights.
    pub fn allows(&self, kind: Kind, rights: Rights) -> bool {
        let wanted = kind as u32 | u32::from(rights.bits()) << 8;
        self.meta.get() & (0xff | u32::from(rights.bits()) << 8) == wanted
    }

    /// What it allows.
    pub fn rights(&self) -> Rights {
        Rights::from_bits(u64::from(self.meta.get() >> 8 & 15)).unwrap_or(Rights::NONE)
    }

    /// Sets kind and rights.
    pub fn set_meta(&self, kind: Option<Kind>, rights: Rights) {
        self.meta.set(kind.map_or(0, |kind| kind as u32) | u32::from(rights.bits()) << 8);
    }

    /// Of a capability to memory: the pages that it reaches of an object with `whole` pages.
    pub(crate) fn part(&self, whole: impl FnOnce() -> u32) -> Part {
        match self.badge.get() {
            0 => Part { offset: 0, pages: whole() },
            badge => Part::from_badge(badge),
        }
    }
}

const _: () = assert!(core::mem::size_of::<Slot>() == 64);
