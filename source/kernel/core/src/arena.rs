//! Arenas of kernel objects, and references that notice when their object is gone.
//!
//! An arena is a slice that the machine layer carves once at boot, all zero. Item 0 is never used, so a zero link means
//! none and zeroed memory is a valid empty arena. Allocation and release happen under all shard locks.

use crate::links::Links;
use crate::word::{Half, Word};
use nexus_abi::{Error, Kind};

/// What every kernel object begins with.
///
/// Guarded by all shards together (written only by structural changes), except `me`, which traffic may read under the
/// object's own shard.
#[derive(Debug, Default)]
pub struct Header {
    /// The object's own reference while it lives, 0 while it does not: one load and compare proves both.
    me: Word,
    /// The reference it had, from its death until its place is released.
    corpse: Word,
    /// How often this place has been used.
    generation: Half,
    /// The shard whose lock guards the object's fields.
    shard: Half,
    /// Index of the process that is charged for it.
    pub owner: Half,
    /// Capabilities that name it.
    pub capabilities: Half,
    /// Neighbours in the owner's list of objects (see [`crate::process::owned`]); `next` also links the free list.
    pub links: Links,
}

impl Header {
    /// The object's reference; 0 if it does not live.
    pub fn me(&self) -> u64 {
        self.me.get()
    }

    /// True while the object lives.
    pub fn alive(&self) -> bool {
        self.me() != 0
    }

    /// The shard whose lock guards the object.
    pub fn shard(&self) -> usize {
        self.shard.get() as usize
    }

    /// Makes every reference stale, at once. The place is not free yet: its content is still to be taken back.
    pub fn die(&self) {
        if self.alive() {
            self.corpse.set(self.me());
            self.me.set(0);
        }
    }

    /// The object's own reference, living or dead; 0 once its place is free.
    pub(crate) fn reference(&self) -> u64 {
        if self.alive() { self.me() } else { self.corpse.get() }
    }

    /// True if this reference is, or until its place is released was, that of the object.
    pub fn names(&self, reference: u64) -> bool {
        reference != 0 && (self.me() == reference || self.corpse.get() == reference)
    }
}

/// Index of the place that a reference names.
pub const fn index_of(reference: u64) -> u32 {
    reference as u32
}

/// An index as wide as an address. The machine extends the sign of 32 bits for nothing; what is negative is outside of
/// every arena.
pub(crate) const fn wide(index: u32) -> usize {
    index as i32 as usize
}

/// Something that lives in an arena.
pub trait Object: 'static {
    /// Its header.
    fn header(&self) -> &Header;
}

/// A living object, or why there is none.
pub type Living<T> = Result<&'static T, Error>;

/// A fixed number of places for one type of object.
#[derive(Debug)]
pub struct Arena<T: 'static> {
    items: &'static [T],
    /// Item 0.
    none: &'static T,
    free: Half,
    /// Places never used so far start here: carving an arena writes nothing.
    fresh: Half,
    used: Half,
}

impl<T: Object> Arena<T> {
    /// An arena over zeroed items.
    pub const fn new(items: &'static [T]) -> Arena<T> {
        Arena { items, none: &items[0], free: Half::new(0), fresh: Half::new(1), used: Half::new(0) }
    }

    /// The item at this index; an index outside the arena is item 0, which never lives.
    pub fn at(&self, index: u32) -> &'static T {
        self.items.get(wide(index)).unwrap_or(self.none)
    }

    /// The item at this index; `None` outside the arena.
    pub(crate) fn place(&self, index: u32) -> Option<&'static T> {
        self.items.get(wide(index))
    }

    /// The living object that this reference names.
    pub fn get(&self, reference: u64) -> Option<&'static T> {
        let item = self.place(index_of(reference))?;
        (reference != 0 && item.header().me() == reference).then_some(item)
    }

    /// [`Arena::get`] of a reference that is not 0, as in a used slot.
    pub(crate) fn named(&self, reference: u64) -> Option<&'static T> {
        self.items.get(wide(index_of(reference))).filter(|item| item.header().me() == reference)
    }

    /// Takes a free place and brings an object to life in it. Its other fields are as the last object left them:
    /// whoever allocates sets every one.
    pub fn allocate(&self, shard: usize) -> Option<&'static T> {
        let free = self.free.get();
        let index = if free == 0 { self.fresh.get() } else { free };
        let item = self.place(index)?;
        let header = item.header();
        match free {
            0 => self.fresh.set(index + 1),
            _ => self.free.set(header.links.next.get()),
        }
        let generation = header.generation.get() + 1;
        header.generation.set(generation);
        header.shard.set(shard as u32);
        header.capabilities.set(0);
        header.links.next.set(0);
        header.links.previous.set(0);
        header.me.set(u64::from(generation) << 32 | u64::from(index));
        self.used.add(1);
        Some(item)
    }

    /// Gives a place back. The object must be dead and off every list. A place whose 32-bit generation is used up is
    /// retired for good.
    pub fn release(&self, index: u32) {
        let header = self.at(index).header();
        header.me.set(0);
        header.corpse.set(0);
        self.used.sub(1);
        if header.generation.get() != u32::MAX {
            header.links.next.set(self.free.get());
            self.free.set(index);
        }
    }

    /// Objects that live or are being taken back.
    pub fn used(&self) -> u32 {
        self.used.get()
    }

    /// Places that objects can have.
    pub fn capacity(&self) -> u32 {
        self.items.len() as u32 - 1
    }

    /// Every place that was ever used with its index, for searches, invariant checks and listings.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &'static T)> + use<T> {
        self.items.iter().enumerate().take(self.fresh.get() as usize).skip(1).map(|(index, item)| (index as u32, item))
    }

    /// True if an allocation would find a place.
    pub fn has_room(&self) -> bool {
        self.free.get() != 0 || (self.fresh.get() as usize) < self.items.len()
    }
}

/// A kind and an index in 32 bits: how lists of mixed objects link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag(pub u32);

impl Tag {
    /// Packs; the index must be below 2^24.
    pub const fn new(kind: Kind, index: u32) -> Tag {
        Tag((kind as u32) << 24 | index)
    }

    /// The kind; `None` for the empty link.
    pub const fn kind(self) -> Option<Kind> {
        Kind::from_number((self.0 >> 24) as u8)
    }

    /// The index.
    pub const fn index(self) -> u32 {
        self.0 & 0xff_ffff
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/invariant/arena.rs"]
mod invariant;
