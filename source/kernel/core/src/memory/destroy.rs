//! The end of memory: sealing, revoking, destroying, and what a dead process leaves, in bounded steps.
//!
//! A frame is freed only when no CPU can still reach it: a step that unmaps asks for a fence and ends with
//! [`More`]; the machine layer fences between two steps; only a later step frees.
//!
//! An object lives while a capability or a mapping names it, and not longer than its owner.

use super::object::{Memory, SEALED};
use super::{mapping::Mapping, tree::batch};
use crate::prelude::*;
use core::sync::atomic::Ordering::Acquire;

/// Records of a dead process that one step drops at most.
const DROP_BATCH: usize = 64;

impl Kernel {
    /// `More` until every fence that was asked for has been done on every CPU. What was unmapped before under all shards is
    /// then out of reach, whichever CPU unmapped it: the machine layer takes a request back (release) behind its fence.
    pub(super) fn fences_done(&self) -> Progress {
        let done = self.cpus.iter().all(|cpu| cpu.fence.atomic().load(Acquire) == 0);
        if done { Ok(()) } else { Err(More) }
    }

    /// One step of unmapping pages of an object, wherever those mappings stand that `which` chooses: a batch of one. Done once none is left and no CPU reaches what was unmapped.
    fn unmap_step(&self, cpu: Here, memory: &Memory, which: impl Fn(&Mapping) -> bool) -> Progress {
        let Some(mapping) = self.mappings_to(memory).find(|mapping| which(mapping)) else { return self.fences_done() };
        let (process, page) = (self.processes.at(mapping.header.owner.get()), mapping.page.get());
        let pages = batch(page, mapping.pages.get().into());
        self.clear_pages(cpu, process, page, pages);
        self.cut(process, mapping, page, pages);
        Err(More)
    }

    /// One step of destroying a memory object or window, wherever it is mapped. From the first step on nothing can be
    /// done with it; its place is free when this is done. Holds all shards.
    pub(crate) fn destroy_memory(&'static self, cpu: Here, index: u32) -> Progress {
        let memory = self.memories.at(index);
        memory.header.die();
        self.unmap_step(cpu, memory, |_| true)?;
        self.free_pages_step(memory)?;
        self.end_memory(memory);
        Ok(())
    }

    /// One step of taking away the mappings that were made through a capability, but for those in the address
    /// space of `keeper`. Nothing new is made through it meanwhile: who maps as fast as this unmaps would stop a revocation.
    /// Holds all shards.
    pub(crate) fn recall(&self, cpu: Here, slot: &Slot, keeper: Option<u32>) -> Progress {
        let Some(memory) = self.memory_of(slot) else { return Ok(()) };
        slot.revoking.set(1);
        self.unmap_step(cpu, memory, |mapping| {
            mapping.slot.get() == slot.place.get() && Some(mapping.header.owner.get()) != keeper
        })
    }

    /// The object that a capability to memory names, while its place is not free.
    fn memory_of(&self, slot: &Slot) -> Option<&'static Memory> {
        slot.kind().filter(|kind| kind.is_memory())?;
        let memory = self.memories.at(index_of(slot.object.get()));
        memory.header.names(slot.object.get()).then_some(memory)
    }

    /// Hangs the mappings that were made through a capability on its parent. Holds all shards.
    pub(crate) fn lift_mappings(&self, slot: &Slot) {
        let Some(memory) = self.memory_of(slot) else { return };
        let through = self.mappings_to(memory).filter(|mapping| mapping.slot.get() == slot.place.get());
        through.for_each(|mapping| mapping.slot.set(slot.parent.get()));
    }

    /// One step of dropping the mappings of a dead process, whose threads run no more. Its tables are not touched: they
    /// are freed as a whole, after this ([`Kernel::fell`]). The first step asks for the fence that lets
    /// tables and frames be freed; a CPU that still has the address space active is on its way out. Holds all shards.
    pub(crate) fn unmap_process_step(&'static self, cpu: Here, process: &'static Process) -> Progress {
        let satp = process.satp.get();
        if satp != 0 {
            let users = self.cpus.iter().filter(|user| user.space.atomic().load(Acquire) == satp);
            if users.map(|user| self.kick_cpu(cpu, user)).count() == 0 {
                process.satp.set(0);
                cpu.ask_fence(process.index());
            }
            return Err(More);
        }
        for _ in 0..DROP_BATCH {
            let Some(mapping) = self.mappings_of(process).next() else { return Ok(()) };
            if mapping.access.get() == 0 || self.last_use(mapping) {
                let _ = self.retire(process, mapping);
                break;
            }
            self.remove_mapping(process, mapping);
        }
        Err(More)
    }

    /// One step of freeing the object whose last use is this record, which names unmapped pages from here on: it goes with
    /// the object.
    pub(super) fn retire(&self, process: &Process, mapping: &Mapping) -> Progress {
        let memory = self.memories.at(mapping.memory.get());
        memory.header.die();
        mapping.access.set(0);
        self.free_pages_step(memory)?;
        self.remove_mapping(process, mapping);
        if memory.header.capabilities.get() == 0 && memory.mappings.get() == 0 {
            self.end_memory(memory);
        }
        Ok(())
    }
}

/// Needs `MANAGE`. `ESTATE`: sealed already. Between its steps the object can no longer be mapped writable or grow.
pub(crate) fn memory_seal(context: &Context, call: MemorySeal) -> Verdict<MemorySealed> {
    let (kernel, _held) = context.hold_all();
    let memory = context.own_memory(call.memory)?;
    if memory.allowed.get() == SEALED {
        return Err(Error::State.into());
    }
    memory.allowed.set(access::READ.into());
    kernel.unmap_step(context.cpu, memory, |mapping| mapping.access.get() as u8 & access::WRITE != 0)?;
    memory.allowed.set(SEALED);
    context.cpu.requests.ask(&context.cpu.requests.fence_instructions, 1);
    Ok(MemorySealed {})
}
