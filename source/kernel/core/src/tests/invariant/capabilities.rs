//! Capabilities: tables, derivation, and how many name each object.

use super::{Check, Tally};
use crate::arena::{Header, index_of};
use crate::{
    Kernel,
    caps::slot::Slot,
    process::{MAX_BLOCKS, Process},
};
use nexus_abi::{Handle, Kind, Part, Rights, handle::GENERATION_END};

impl Kernel {
    /// The header of the living object that a capability names.
    pub(crate) fn header_of(&self, kind: Kind, object: u64) -> Option<&'static Header> {
        self.header(kind, index_of(object)).filter(|header| object != 0 && header.me() == object)
    }

    pub(super) fn check_capabilities(&self, check: &mut Check) {
        let (mut blocks, mut named) = (0, Tally::default());
        for (_, process) in self.processes.iter().filter(|(_, process)| process.header.reference() != 0) {
            for block in 0..MAX_BLOCKS {
                blocks += u32::from(process.blocks[block].get() != 0);
                self.check_block(check, process, block, &mut named);
            }
        }
        check.at = 0;
        check.same("every lent slot block is in one table", blocks, self.blocks.pool.used());
        check.same("objects count the capabilities that name them", self.counted(), named);
    }

    fn check_block(&self, check: &mut Check, process: &Process, block: usize, named: &mut Tally) {
        let free = process.free_slots[block].get();
        let first = process.blocks[block].get() * 64;
        if first == 0 {
            check.same("a table has no free slots where it has no block", free, 0);
            return;
        }
        for bit in 0..64 {
            let place = first + bit;
            let slot = self.blocks.at(place);
            check.at = place;
            let retired = slot.badge.get() + 1 >= GENERATION_END;
            if slot.key.get() == 0 {
                check.that("an empty slot is free", free & 1 << bit != 0 || retired);
                check.same("an empty slot allows nothing", (slot.call_key.get(), slot.object.get()), (0, 0));
                let links = [&slot.parent, &slot.child, &slot.links.next, &slot.links.previous].map(|link| link.get());
                check.same("an empty slot hangs on nothing", links, [0; 4]);
                continue;
            }
            check.same("a used slot is not free", free & 1 << bit, 0);
            check.same("a slot knows its table", slot.process.get(), process.index());
            self.check_slot_content(check, slot, block * 64 + bit as usize);
            self.check_derivation(check, place, slot);
            if let Some((kind, header)) = slot.kind().zip(self.named(slot)) {
                named.add_times(header.reference() | (group(kind) as u64) << 24, 1);
            }
        }
    }

    fn check_slot_content(&self, check: &mut Check, slot: &Slot, index: usize) {
        let key = slot.key.get();
        let handle = Handle::from_raw(key);
        check.same("a handle names its slot", handle.map(Handle::index), Some(index));
        let kind = slot.kind();
        check.that("a used slot has a kind", kind.is_some());
        let home = self.processes.at(slot.process.get()).header.shard();
        let near = kind == Some(Kind::Endpoint) && handle.map(Handle::shard) == Some(home);
        let callable = near && slot.rights().contains(Rights::USE);
        let expected = handle.filter(|_| !callable).map_or(key, Slot::no_call);
        check.same("a slot's key to call says what its rights say", slot.call_key.get(), expected);
        let object = kind.and_then(|kind| self.header_of(kind, slot.object.get()));
        if let Some(object) = object {
            check.same("a handle names the shard of its object", handle.map(Handle::shard), Some(object.shard()));
        }
    }

    fn check_derivation(&self, check: &mut Check, place: u32, slot: &Slot) {
        let (parent, next, previous) = (slot.parent.get(), slot.links.next.get(), slot.links.previous.get());
        if slot.child.get() != 0 {
            let child = self.blocks.at(slot.child.get());
            check.same("a first child knows its parent", (child.parent.get(), child.links.previous.get()), (place, 0));
        }
        if next != 0 {
            let next = self.blocks.at(next);
            check.same("children link both ways", (next.links.previous.get(), next.parent.get()), (place, parent));
        }
        if parent == 0 {
            check.same("what was derived from nothing has no neighbours", (next, previous), (0, 0));
            return;
        }
        let above = self.blocks.at(parent);
        check.that("a parent is a capability", above.key.get() != 0);
        if previous == 0 {
            check.same("a parent knows its first child", above.child.get(), place);
        } else {
            check.same("children link both ways", self.blocks.at(previous).links.next.get(), place);
        }
        if slot.kind() == above.kind() {
            check.that("rights only shrink", above.rights().contains(slot.rights()));
            let badge = above.badge.get();
            let minted = slot.kind() == Some(Kind::Spawn) && above.object.get() == 0;
            let stays = if slot.kind().is_some_and(Kind::is_memory) {
                let (outer, inner) = (Part::from_badge(badge), self.reached(slot));
                outer.offset <= inner.offset && inner.offset + inner.pages <= outer.offset + outer.pages
            } else {
                badge == slot.badge.get()
            };
            check.that("a badge stays, and a part only shrinks", minted || badge == 0 || stays);
            check.that("what is derived names the same", minted || above.object.get() == slot.object.get());
        }
        let ancestors = core::iter::successors(Some(parent), |&place| {
            let parent = self.blocks.at(place).parent.get();
            (parent != 0).then_some(parent)
        });
        let limit = self.blocks.pool.capacity as usize * 64 + 1;
        check.that("derivation has no cycle", ancestors.take(limit).count() < limit);
    }

    /// What the objects say of how many capabilities name them.
    fn counted(&self) -> Tally {
        let mut counted = Tally::default();
        for &kind in Kind::ALL.iter().filter(|&&kind| group(kind) == kind) {
            let places = match kind {
                Kind::Process => self.processes.touched(),
                Kind::Thread => self.threads.touched(),
                Kind::Endpoint => self.endpoints.touched(),
                Kind::Notification => self.notifications.touched(),
                Kind::Memory => self.memories.touched(),
                Kind::Irq => self.irqs.touched(),
                Kind::Timer => self.timers.touched(),
                _ => 0,
            };
            for header in (1..=places).filter_map(|index| self.header(kind, index)) {
                if header.reference() != 0 && header.capabilities.get() != 0 {
                    counted.add_times(header.reference() | (kind as u64) << 24, header.capabilities.get().into());
                }
            }
        }
        counted
    }
}

/// The kind whose arena a kind's objects live in.
pub(super) fn group(kind: Kind) -> Kind {
    match kind {
        Kind::WaitSet => Kind::Notification,
        Kind::Window | Kind::DmaMemory => Kind::Memory,
        other => other,
    }
}
