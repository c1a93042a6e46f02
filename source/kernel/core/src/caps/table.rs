//! Capability tables: from a handle to a slot and back.

use crate::prelude::*;
use crate::process::MAX_BLOCKS;
use nexus_abi::handle::GENERATION_END;

impl Kernel {
    /// The slot that a handle names in a process's table. The caller holds the handle's shard.
    #[inline(always)]
    pub fn slot(&self, process: &Process, handle: Handle) -> Result<&'static Slot, Error> {
        let index = handle.index();
        let block = process.blocks[index / 64 % MAX_BLOCKS].get();
        let slot = self.blocks.at(block * 64 + (index % 64) as u32);
        if slot.key.get() == handle.raw() { Ok(slot) } else { Err(Error::BadHandle) }
    }

    /// `EOVERLIMIT` unless a table has, or may borrow, room for `count` more capabilities (at most 64), in a call that takes
    /// `blocks` slot blocks from the process's quota besides.
    pub(crate) fn check_slots(&self, process: &Process, count: u32, blocks: u32) -> Result<(), Error> {
        if process.free_slot_count.get() >= count {
            return Ok(());
        }
        process.account.check(Resource::SlotBlocks, blocks + 1)?;
        if process.blocks.iter().all(|block| block.get() != 0) {
            return Err(Error::OverLimit);
        }
        if self.blocks.pool.left.get() > 0 { Ok(()) } else { Err(Error::Exhausted) }
    }

    /// Puts a capability into a table, as derived from the one at `parent` (0: from none). Holds all shards.
    pub fn insert(&self, process: &Process, capability: &Capability, parent: u32) -> Result<Handle, Error> {
        self.check_slots(process, 1, 0)?;
        if process.free_slot_count.get() == 0 {
            let at = process.blocks.iter().position(|block| block.get() == 0).ok_or(Error::OverLimit)?;
            let block = self.blocks.pool.take(|block| self.blocks.at(block * 64).links.next.take());
            process.blocks[at].set(block);
            process.free_slots[at].set(u64::MAX);
            process.free_slot_count.set(64);
            process.account.charge(Resource::SlotBlocks, 1);
        }
        let block = process.free_slots.iter().position(|bits| bits.get() != 0).ok_or(Error::OverLimit)?;
        let bits = process.free_slots[block].get();
        let index = block * 64 + bits.trailing_zeros() as usize;
        let place = process.blocks[block].get() * 64 + bits.trailing_zeros();
        let slot = self.blocks.at(place);
        let handle = Handle::pack(index, capability.shard, slot.badge.get() + 1).ok_or(Error::Exhausted)?;
        process.free_slots[block].set(bits & (bits - 1));
        process.free_slot_count.sub(1);
        let near = capability.kind == Kind::Endpoint && capability.shard == process.header.shard();
        let callable = near && capability.rights.contains(Rights::USE);
        slot.object.set(capability.object);
        slot.badge.set(capability.badge);
        slot.set_meta(Some(capability.kind), capability.rights);
        slot.call_key.set(if callable { handle.raw() } else { Slot::no_call(handle) });
        slot.key.set(handle.raw());
        slot.process.set(process.index());
        slot.place.set(place);
        if let Some(header) = self.header(capability.kind, index_of(capability.object)) {
            header.capabilities.add(1);
        }
        self.hang_under(slot, parent);
        Ok(handle)
    }

    /// Hangs a capability, with what was derived from it, under another one.
    fn hang_under(&self, slot: &Slot, parent: u32) {
        slot.parent.set(parent);
        if parent != 0 {
            slot.links.join(&self.blocks.at(parent).child, slot.place.get(), |place| &self.blocks.at(place).links);
        }
    }

    fn take_off(&self, slot: &Slot) {
        let parent = slot.parent.take();
        if parent != 0 {
            slot.links.leave(&self.blocks.at(parent).child, |place| &self.blocks.at(place).links);
        }
    }

    /// Frees a slot; what was derived from it comes to stand under its parent. The object whose header this is, if it is still
    /// there, has one name less. One step: at most 64 children are moved.
    pub(super) fn vacate(&self, slot: &Slot, header: Option<&Header>) -> Progress {
        let Some(handle) = Handle::from_raw(slot.key.get()) else { return Ok(()) };
        let parent = slot.parent.get();
        let first = || (slot.child.get() != 0).then(|| self.blocks.at(slot.child.get()));
        for child in core::iter::from_fn(first).take(64) {
            self.take_off(child);
            self.hang_under(child, parent);
        }
        if slot.child.get() != 0 {
            return Err(More);
        }
        self.take_off(slot);
        if let Some(header) = header.filter(|header| header.names(slot.object.get())) {
            header.capabilities.sub(1);
        }
        let process = self.processes.at(slot.process.get());
        if slot.allows(Kind::Endpoint, Rights::TAKE) {
            let receivers = self.threads_of(process).filter(|thread| thread.source.get() == handle.raw());
            receivers.for_each(Thread::forget_source);
        }
        [&slot.key, &slot.call_key, &slot.object].into_iter().for_each(|word| word.set(0));
        slot.set_meta(None, Rights::NONE);
        slot.revoking.set(0);
        slot.badge.set(handle.generation());
        if handle.generation() + 1 < GENERATION_END {
            let bits = &process.free_slots[handle.index() / 64];
            bits.set(bits.get() | 1 << (handle.index() % 64));
            process.free_slot_count.add(1);
        }
        Ok(())
    }
}

impl Context {
    /// The capability in the caller's table. Holds all shards, or the handle's.
    #[inline(never)]
    pub fn capability(&self, handle: Handle, kind: Kind, rights: Rights) -> Result<&'static Slot, Error> {
        let found = self.kernel.slot(self.process(), handle)?;
        if found.kind() != Some(kind) {
            return Err(Error::WrongKind);
        }
        if !found.rights().contains(rights) {
            return Err(Error::Permission);
        }
        Ok(found)
    }

    /// The living object behind a capability of the caller; `EPEERCLOSED` if it is gone.
    pub fn object<T: Object>(&self, arena: &Arena<T>, handle: Handle, kind: Kind, rights: Rights) -> Living<T> {
        let found = self.capability(handle, kind, rights)?;
        arena.named(found.object.get()).ok_or(Error::PeerClosed)
    }

    /// The process that a call is about: the caller's own, or one whose capability has these rights. It must not be
    /// dying.
    pub fn subject(&self, process: Option<Handle>, rights: Rights) -> Result<&'static Process, Error> {
        let subject = match process {
            None => self.process(),
            Some(handle) => self.object(&self.kernel.processes, handle, Kind::Process, rights)?,
        };
        if subject.running() { Ok(subject) } else { Err(Error::PeerClosed) }
    }

    /// Makes an object that is charged to `owner`, and gives the caller every right to it.
    pub(crate) fn create<T: Object>(
        &self,
        arena: &Arena<T>,
        kind: Kind,
        owner: &Process,
    ) -> Result<(&'static T, Handle), Error> {
        self.kernel.check_slots(self.process(), 1, 0)?;
        let object = self.kernel.create(arena, kind, owner)?;
        Ok((object, self.kernel.insert(self.process(), &Capability::full(kind, object), 0)?))
    }
}
