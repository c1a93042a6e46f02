//! Moving a message: words, bytes, handles.
//!
//! [`Kernel::check_transfer`] finds every reason to refuse; [`Kernel::transfer`] then cannot fail. Handles and IPC pages
//! belong to user memory that another thread may change meanwhile: each word is read once.

use super::Attempt;
use crate::{
    Kernel,
    caps::{Capability, table::Found},
    lock::{Held, ShardSet},
    thread::{Stamp, Thread},
};
use nexus_abi::{
    Error, Handle,
    message::{Extent, HEADER_BYTES, MAX_HANDLES, Passing, Status},
};

/// The handles of a message: the sender's slots and what the receiver will get.
#[derive(Debug, Default)]
pub(crate) struct Cargo {
    handles: [Option<(Found, Capability)>; MAX_HANDLES],
}

/// A message about to move.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Letter {
    /// Who sends.
    pub from: &'static Thread,
    /// Who receives.
    pub to: &'static Thread,
    /// What the IPC page carries.
    pub extent: Extent,
    /// Badge for the receiver.
    pub badge: u64,
    /// Flags of [`Status`] beside [`Status::EXTENDED`].
    pub flags: u64,
}

impl Kernel {
    /// Looks at a message's handles: each must be the sender's to pass on, and fit the receiver's table.
    pub(crate) fn check_transfer(&self, held: &Held<'_>, letter: &Letter) -> Attempt<Cargo> {
        let mut cargo = Cargo::default();
        if letter.extent.handles == 0 {
            return Ok(cargo);
        }
        held.require_all(ShardSet::ALL)?;
        let sender = self.processes.at(letter.from.process.get() as u32);
        let receiver = self.processes.at(letter.to.process.get() as u32);
        for (at, place) in cargo.handles.iter_mut().enumerate().take(letter.extent.handles) {
            let raw = self.frames.at(letter.from.ipc_frame.get()).0[1 + at].get();
            let found = self.slot(sender, Handle::from_raw(raw).ok_or(Error::BadHandle)?)?;
            let capability = self.transferable(&found, receiver)?;
            if letter.extent.passing == Passing::Move && found.slot.child.get() != 0 {
                return Err(Error::State.into());
            }
            *place = Some((found, capability));
        }
        if letter.extent.passing == Passing::Move && cargo.repeats() {
            return Err(Error::Invalid.into());
        }
        self.check_slots(receiver, letter.extent.handles as u32)?;
        Ok(cargo)
    }

    /// Moves a checked message.
    pub(crate) fn transfer(&self, letter: &Letter, cargo: &Cargo) {
        letter.to.frame.copy_message(&letter.from.frame);
        let extended = letter.extent.length > 0 || letter.extent.handles > 0;
        if extended {
            self.copy_page(letter, cargo);
        }
        let status = letter.flags | if extended { Status::EXTENDED } else { 0 };
        letter.to.frame.set_status(status, letter.badge, letter.from.stamp());
    }

    fn copy_page(&self, letter: &Letter, cargo: &Cargo) {
        let from = &self.frames.at(letter.from.ipc_frame.get()).0;
        let to = &self.frames.at(letter.to.ipc_frame.get()).0;
        to[0].set(letter.extent.to_word() & 0xff_ffff);
        for (at, place) in cargo.handles.iter().enumerate() {
            to[1 + at].set(place.as_ref().map_or(0, |(found, capability)| self.pass(letter, found, capability)));
        }
        let (first, whole) = (HEADER_BYTES / 8, letter.extent.length / 8);
        for (source, target) in from[first..].iter().zip(&to[first..]).take(whole) {
            target.set(source.get());
        }
        let rest = letter.extent.length % 8;
        if let (Some(source), Some(target)) = (from.get(first + whole), to.get(first + whole)) {
            if rest > 0 {
                target.set(source.get() & ((1 << (8 * rest)) - 1));
            }
        }
    }

    fn pass(&self, letter: &Letter, found: &Found, capability: &Capability) -> u64 {
        let receiver = self.processes.at(letter.to.process.get() as u32);
        let moved = letter.extent.passing == Passing::Move;
        let parent = if moved { found.slot.parent.get() } else { found.place };
        let handle = self.insert(receiver, capability, parent).map_or(0, Handle::raw);
        if moved {
            self.move_away(found.place);
        }
        handle
    }
}

impl Cargo {
    fn repeats(&self) -> bool {
        let places = || self.handles.iter().flatten().map(|(found, _)| found.place);
        places().enumerate().any(|(at, place)| places().skip(at + 1).any(|other| other == place))
    }
}

/// Writes a message that comes from no thread's frame.
pub(crate) fn write_message(to: &Thread, words: [u64; 8], status: u64, badge: u64, stamp: Stamp) {
    to.frame.set_message(words);
    to.frame.set_status(status, badge, stamp);
}
