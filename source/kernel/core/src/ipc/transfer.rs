//! Moving a message: words, bytes, handles.
//!
//! [`Kernel::check_transfer`] finds every reason to refuse; [`Kernel::transfer`] then cannot fail. IPC pages belong to
//! user memory that another thread may change meanwhile: handles are read from them once, into the CPU's record,
//! and the slots they name cannot change while all shards are held.

use super::Attempt;
use crate::cpu::Cargo;
use crate::prelude::*;
use nexus_abi::message::{HEADER_BYTES, Passing};

/// A message about to move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter {
    /// Who sends.
    pub from: &'static Thread,
    /// Who receives.
    pub to: &'static Thread,
    /// What the IPC page carries: a checked [`Extent`] word.
    pub extent: u64,
    /// Badge for the receiver.
    pub badge: u64,
    /// Flags of [`Status`] beside [`Status::EXTENDED`].
    pub flags: u64,
    /// Where its handles are kept between check and transfer.
    pub cargo: &'static Cargo,
}

impl Letter {
    /// What the IPC page carries.
    fn extent(&self) -> Extent {
        Extent::from_word(self.extent).unwrap_or_default()
    }

    fn moves(&self) -> bool {
        self.extent().passing == Passing::Move
    }
}

impl Kernel {
    /// Looks at a message's handles: each must be the sender's to pass on, and fit the receiver's table.
    #[inline(always)]
    pub(crate) fn check_transfer(&self, held: &Held<'_>, letter: &Letter) -> Attempt<()> {
        if letter.extent & Extent::HANDLES == 0 {
            return Ok(());
        }
        held.require_all(ShardSet::ALL)?;
        self.check_cargo(letter)?;
        Ok(self.check_places(letter)?)
    }

    /// Says if the receiver's table has room for a message's handles.
    pub(crate) fn check_places(&self, letter: &Letter) -> Result<(), Error> {
        self.check_slots(self.processes.at(letter.to.process.get() as u32), letter.extent().handles as u32, 0)
    }

    /// Reads a message's handles into the CPU's record; each must be the sender's to pass on. Holds all shards.
    #[cold]
    pub(crate) fn check_cargo(&self, letter: &Letter) -> Result<(), Error> {
        let page = &self.frames.at(letter.from.ipc_frame.get()).0;
        for (at, word) in letter.cargo.iter().enumerate() {
            word.set(if at < letter.extent().handles { page[1 + at].get() } else { 0 });
        }
        for (at, word) in letter.cargo.iter().enumerate().take(letter.extent().handles) {
            let (found, _) = self.parcel(letter, word.get())?;
            let earlier = letter.cargo.iter().take(at);
            if letter.moves() && (found.child.get() != 0 || earlier.into_iter().any(|other| other.get() == word.get()))
            {
                return Err(Error::State);
            }
        }
        Ok(())
    }

    /// One handle of a message: the sender's slot, and what the receiver gets.
    fn parcel(&self, letter: &Letter, handle: u64) -> Result<(&'static Slot, Capability), Error> {
        let sender = self.processes.at(letter.from.process.get() as u32);
        let receiver = self.processes.at(letter.to.process.get() as u32);
        let found = self.slot(sender, Handle::from_raw(handle).ok_or(Error::BadHandle)?)?;
        Ok((found, self.transferable(found, receiver)?))
    }

    /// Moves a checked message.
    #[inline(always)]
    pub(crate) fn transfer(&self, letter: &Letter) {
        debug_assert!(self.shards.held(letter.to.header.shard()) && self.shards.held(letter.from.header.shard()));
        letter.to.frame.copy_message(&letter.from.frame);
        let extended = letter.extent & (Extent::LENGTH | Extent::HANDLES) != 0;
        if extended {
            self.copy_page(letter);
        }
        let status = letter.flags | if extended { Status::EXTENDED } else { 0 };
        letter.to.frame.set_status(status, letter.badge, letter.from.stamp());
    }

    #[inline(never)]
    fn copy_page(&self, letter: &Letter) {
        self.copy_bytes(letter.from, letter.to, letter.extent);
        let to = &self.frames.at(letter.to.ipc_frame.get()).0;
        for (word, handle) in to[1..].iter().zip(letter.cargo).take(letter.extent().handles) {
            word.set(self.pass(letter, handle.get()));
        }
    }

    /// Writes what the IPC page of a receiver has to say of a message: its extent, no handles so far, its bytes.
    #[inline(never)]
    pub(super) fn copy_bytes(&self, from: &Thread, to: &Thread, extent: u64) {
        let [from, to] = [from, to].map(|thread| &self.frames.at(thread.ipc_frame.get()).0);
        to[0].set(extent & (Extent::LENGTH | Extent::HANDLES));
        to[1..HEADER_BYTES / 8].iter().for_each(|word| word.set(0));
        let length = (extent & Extent::LENGTH) as usize;
        let [sources, targets] = [from, to].map(|page| page[HEADER_BYTES / 8..].as_chunks::<8>().0);
        let mut chunks = sources.iter().zip(targets);
        for (source, target) in chunks.by_ref().take(length / 64) {
            source.iter().zip(target).for_each(|(source, target)| target.set(source.get()));
        }
        let Some((source, target)) = chunks.next() else { return };
        let whole = length % 64 / 8;
        source.iter().zip(target).take(whole).for_each(|(source, target)| target.set(source.get()));
        if !length.is_multiple_of(8) {
            target[whole].set(source[whole].get() & ((1 << (8 * (length % 8))) - 1));
        }
    }

    fn pass(&self, letter: &Letter, handle: u64) -> u64 {
        let Ok((found, capability)) = self.parcel(letter, handle) else { return 0 };
        let receiver = self.processes.at(letter.to.process.get() as u32);
        let parent = if letter.moves() { found.parent.get() } else { found.place.get() };
        let passed = self.insert(receiver, &capability, parent).map_or(0, Handle::raw);
        if letter.moves() && passed != 0 {
            self.move_away(found);
        }
        passed
    }
}

/// Writes a message that comes from no thread's frame.
pub(crate) fn write_message(to: &Thread, words: [u64; 8], status: u64, badge: u64, stamp: Stamp) {
    to.frame.set_message(words);
    to.frame.set_status(status, badge, stamp);
}
