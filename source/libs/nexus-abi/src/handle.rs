//! Handles: how a program names what it holds.
//!
//! ```text
//! 63  58 57   52 51   48 47                                 0
//! | slot | block | shard |            generation             |
//! ```
//!
//! The index, slot in a block of 64 and block, says which slot of the holder's table, the shard which lock guards the slot's content, the generation
//! which of all capabilities that ever stood in that slot. A slot's generation only grows, so a handle that was once
//! closed or revoked never becomes valid again.

/// A program's name for one capability of its table. Never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Handle(core::num::NonZeroU64);

/// Slots a table can have: what 12 index bits can name.
pub const MAX_SLOTS: usize = 1 << 12;

/// Shards a handle can name.
pub const MAX_SHARDS: usize = 1 << 4;

/// Shards that kernel objects live in, at every CPU count.
pub const SHARDS: usize = 4;

/// One of the [`SHARDS`]: the home of a process and of what it makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Shard(u8);

impl Shard {
    /// The shard with this number; `None` if there is none.
    pub const fn new(number: u8) -> Option<Shard> {
        if (number as usize) < SHARDS { Some(Shard(number)) } else { None }
    }

    /// Its number, below [`SHARDS`].
    pub const fn number(self) -> usize {
        self.0 as usize
    }
}

/// First value that a generation cannot take.
pub const GENERATION_END: u64 = 1 << 48;

/// Swaps the two halves of an index: in a handle, the number inside a block of 64 slots comes before that of the block.
const fn turn(index: u64) -> u64 {
    (index & 63) << 6 | index >> 6 & 63
}

impl Handle {
    /// Packs a handle. The generation must be in `1..GENERATION_END`, index and shard inside their bits.
    pub const fn pack(index: usize, shard: usize, generation: u64) -> Option<Handle> {
        if index >= MAX_SLOTS || shard >= MAX_SHARDS || generation == 0 || generation >= GENERATION_END {
            return None;
        }
        Handle::from_raw(turn(index as u64) << 52 | (shard as u64) << 48 | generation)
    }

    /// The handle with this representation; `None` for 0.
    pub const fn from_raw(raw: u64) -> Option<Handle> {
        match core::num::NonZeroU64::new(raw) {
            Some(raw) => Some(Handle(raw)),
            None => None,
        }
    }

    /// The representation that travels in registers and messages.
    pub const fn raw(self) -> u64 {
        self.0.get()
    }

    /// Which slot of the holder's table, below [`MAX_SLOTS`].
    pub const fn index(self) -> usize {
        turn(self.raw() >> 52) as usize
    }

    /// Which shard's lock guards the slot, below [`MAX_SHARDS`].
    pub const fn shard(self) -> usize {
        (self.raw() >> 48) as usize & (MAX_SHARDS - 1)
    }

    /// Which capability of all that ever stood in the slot.
    pub const fn generation(self) -> u64 {
        self.raw() & (GENERATION_END - 1)
    }
}
