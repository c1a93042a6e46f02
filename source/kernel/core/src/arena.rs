//! Arenas of kernel objects, and references that notice when their object is gone.
//!
//! An arena is a slice that the machine layer carves once at boot, all zero. Item 0 is never used, so a zero link means
//! none and zeroed memory is a valid empty arena. Allocation and release happen under all shard locks.

use crate::prelude::*;

/// What every kernel object begins with.
///
/// Guarded by all shards together (written only by structural changes), except `me`, which traffic may read under the
/// object's own shard.
#[derive(Debug, Default)]
pub struct Header {
    /// The object's own reference while it lives, 0 while it does not: one load and compare proves both.
    me: Word,
    /// Its index, from its first day until its place is released; 0 while that is free.
    place: Half,
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

    /// Its index in the arena, living or dead.
    pub fn index(&self) -> u32 {
        self.place.get()
    }

    /// Makes every reference stale, at once. The place is not free yet: its content is still to be taken back.
    pub fn die(&self) {
        self.me.set(0);
    }

    /// The object's own reference, living or dead; 0 once its place is free.
    pub(crate) fn reference(&self) -> u64 {
        if self.index() == 0 { 0 } else { u64::from(self.generation.get()) << 32 | u64::from(self.index()) }
    }

    /// True if this reference is, or until its place is released was, that of the object.
    pub fn names(&self, reference: u64) -> bool {
        reference != 0 && self.reference() == reference
    }

    /// Brings an object to life at this place. Its other fields are as the last object left them: whoever makes it sets
    /// every one.
    pub(crate) fn begin(&self, place: u32, shard: usize) {
        let generation = self.generation.get() + 1;
        self.place.set(place);
        self.generation.set(generation);
        self.shard.set(shard as u32);
        self.capabilities.set(0);
        self.me.set(u64::from(generation) << 32 | u64::from(place));
    }

    /// Gives its place back to a pool. The object must be off every list. A place whose 32-bit generation is used up is
    /// retired for good.
    pub(crate) fn end(&self, pool: &Pool) {
        self.me.set(0);
        let place = self.place.take();
        if self.generation.get() != u32::MAX {
            self.links.next.set(pool.give(place));
        }
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

/// Numbers from 1 on, each given away once until it comes back.
pub struct Pool {
    /// The last that came back; whoever owns what it numbers keeps the one before it.
    pub(crate) free: Half,
    /// Those never given away so far start here: carving writes nothing.
    pub(crate) fresh: Half,
    /// How many can be taken.
    pub left: Half,
    /// How many there are.
    pub capacity: u32,
}

impl Pool {
    /// A pool of so many.
    pub const fn new(capacity: u32) -> Pool {
        Pool { free: Half::new(0), fresh: Half::new(1), left: Half::new(capacity), capacity }
    }

    /// Takes a number, of those that are left; `behind` says which came back before it.
    pub(crate) fn take(&self, behind: impl FnOnce(u32) -> u32) -> u32 {
        debug_assert!(self.left.get() > 0, "whoever takes has looked");
        self.left.sub(1);
        let (free, fresh) = (self.free.get(), self.fresh.get());
        if free == 0 {
            self.fresh.set(fresh + 1);
            return fresh;
        }
        self.free.set(behind(free));
        free
    }

    /// Takes a number back, and says which came back before it.
    pub(crate) fn give(&self, number: u32) -> u32 {
        self.left.add(1);
        let behind = self.free.get();
        self.free.set(number);
        behind
    }

    /// How many are given away.
    pub fn used(&self) -> u32 {
        self.capacity - self.left.get()
    }
}

/// A fixed number of places for one type of object.
pub struct Arena<T: 'static> {
    items: &'static [T],
    /// Item 0.
    none: &'static T,
    /// Which places are free.
    pub pool: Pool,
}

impl<T> Arena<T> {
    /// An arena over zeroed items, given away in blocks of so many.
    pub const fn new(items: &'static [T], block: usize) -> Arena<T> {
        Arena { items, none: &items[0], pool: Pool::new((items.len() / block) as u32 - 1) }
    }

    /// The item at this index; an index outside the arena is item 0, which never lives.
    pub fn at(&self, index: u32) -> &'static T {
        self.items.get(wide(index)).unwrap_or(self.none)
    }

    /// The item at this index; `None` outside the arena.
    pub(crate) fn place(&self, index: u32) -> Option<&'static T> {
        self.items.get(wide(index))
    }

    /// Every place that was ever used with its index, for searches, invariant checks and listings.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &'static T)> + use<T> {
        (0..).zip(self.items).take(self.pool.fresh.get() as usize).skip(1)
    }
}

impl<T: Object> Arena<T> {
    /// The living object that this reference names.
    pub fn get(&self, reference: u64) -> Option<&'static T> {
        let item = self.place(index_of(reference))?;
        (reference != 0 && item.header().me() == reference).then_some(item)
    }

    /// [`Arena::get`] of a reference that is not 0, as in a used slot.
    pub(crate) fn named(&self, reference: u64) -> Option<&'static T> {
        self.items.get(wide(index_of(reference))).filter(|item| item.header().me() == reference)
    }

    /// Brings an object to life in a free place: the caller has checked that there is one.
    pub fn allocate(&self, shard: usize) -> &'static T {
        let index = self.pool.take(|index| self.at(index).header().links.next.get());
        let item = self.at(index);
        item.header().begin(index, shard);
        item
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
