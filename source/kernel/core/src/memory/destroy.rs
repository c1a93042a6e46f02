//! The end of memory: sealing, revoking, destroying, and what a dead process leaves, in bounded steps.
//!
//! A frame is freed only when no CPU can still reach it: a step that unmaps asks for a fence and ends with
//! [`Progress::More`]; the machine layer fences between two steps; only a later step frees.
//!
//! An object lives while a capability or a mapping names it, and not longer than its owner.

use super::{
    mapping::Mapping,
    object::{Memory, Stage},
};
use crate::{
    Kernel,
    caps::{
        revoke::{Mappings, Progress},
        slot::{Revoking, Slot},
    },
    event::{Context, Stop, Verdict, serve::Serve},
    lock::ShardSet,
    percpu::Here,
    process::Process,
};
use core::sync::atomic::Ordering::Acquire;
use nexus_abi::{
    Error,
    syscall::{MemorySeal, MemorySealed, access},
};

/// Records of a dead process that one step drops at most.
const DROP_BATCH: usize = 64;

impl Kernel {
    /// True if every fence that was asked for has been done on every CPU. What was unmapped before under all shards is
    /// then out of reach, whichever CPU unmapped it: the machine layer takes a request back (release) behind its fence.
    pub(super) fn fences_done(&self) -> bool {
        self.cpus.iter().all(|cpu| cpu.fence.atomic().load(Acquire) == 0)
    }

    /// One step of destroying a memory object or window, wherever it is mapped. From the first step on nothing can be
    /// done with it; its place is free when this answers `Done`. Holds all shards.
    pub(crate) fn destroy_memory(&'static self, cpu: Here, index: u32) -> Progress {
        let memory = self.memories.at(index);
        memory.set_stage(Stage::Gone);
        if let Some(mapping) = self.mappings_to(memory).next() {
            self.unmap_step(cpu, mapping);
            return Progress::More;
        }
        if self.free_pages_step(memory) == Progress::More {
            return Progress::More;
        }
        self.end_memory(memory);
        Progress::Done
    }

    /// One step of releasing the mappings that were made through the capability at `place`. Holds all shards.
    pub(crate) fn release_mappings(&'static self, cpu: Here, place: u32, mappings: Mappings) -> Progress {
        let slot = self.blocks.at(place);
        let Some(memory) = self.memory_of(slot) else { return Progress::Done };
        if mappings == Mappings::Stay {
            self.lift_mappings(place);
            return Progress::Done;
        }
        let holder = (mappings == Mappings::Recalled).then(|| slot.process.get());
        let mut through = self.mappings_to(memory).filter(|mapping| mapping.slot.get() == place);
        match through.find(|mapping| Some(mapping.header.owner.get()) != holder) {
            Some(mapping) => {
                // Nothing new through it, or whoever maps as fast as this unmaps would stop a revocation.
                slot.set_revoking(Revoking::Yes);
                self.unmap_step(cpu, mapping);
                Progress::More
            }
            None if self.fences_done() => Progress::Done,
            None => Progress::More,
        }
    }

    /// The object that a capability to memory names, while it is there.
    fn memory_of(&self, slot: &Slot) -> Option<&'static Memory> {
        slot.kind().filter(|kind| kind.is_memory()).and_then(|_| self.memories.get(slot.object.get()))
    }

    /// Hangs the mappings that were made through the capability at `place` on its parent. Holds all shards.
    pub(crate) fn lift_mappings(&self, place: u32) {
        let slot = self.blocks.at(place);
        let Some(memory) = self.memory_of(slot) else { return };
        let through = self.mappings_to(memory).filter(|mapping| mapping.slot.get() == place);
        through.for_each(|mapping| mapping.slot.set(slot.parent.get()));
    }

    /// One step of dropping the mappings of a dead process, whose threads run no more. Its tables are not touched: they
    /// are freed as a whole, after this ([`Kernel::free_tables_step`]). The first step asks for the fence that lets
    /// tables and frames be freed; a CPU that still has the address space active is on its way out. Holds all shards.
    pub(crate) fn unmap_process_step(&'static self, cpu: Here, process: &Process) -> Progress {
        if process.satp.get() != 0 {
            let satp = process.satp.get();
            let mut users = self.cpus.iter().filter(|user| user.space.atomic().load(Acquire) == satp).peekable();
            if users.peek().is_some() {
                users.for_each(|user| self.kick_cpu(cpu, user));
                return Progress::More;
            }
            process.satp.set(0);
            cpu.ask_fence(process.asid.get());
            return Progress::More;
        }
        for _ in 0..DROP_BATCH {
            let Some(mapping) = self.mappings_of(process).next() else { return Progress::Done };
            if mapping.access.get() != 0 && !self.last_use(mapping) {
                self.remove_mapping(mapping);
                continue;
            }
            self.hollow(mapping);
            let _ = self.retire(mapping);
            return Progress::More;
        }
        Progress::More
    }

    /// Marks a record whose pages are unmapped, the last use of its object: it stays until [`Kernel::retire`] has
    /// freed that object.
    pub(super) fn hollow(&self, mapping: &Mapping) {
        self.memories.at(mapping.memory.get()).set_stage(Stage::Gone);
        self.unlink_from(mapping);
        self.processes.at(mapping.header.owner.get()).hollow.add((mapping.access.get() != 0).into());
        mapping.access.set(0);
        self.link_to(mapping);
    }

    /// One step of freeing the object of a hollow record; the record goes with it.
    pub(super) fn retire(&self, mapping: &Mapping) -> Progress {
        let memory = self.memories.at(mapping.memory.get());
        if self.free_pages_step(memory) == Progress::More {
            return Progress::More;
        }
        self.remove_mapping(mapping);
        if memory.orphaned() {
            self.end_memory(memory);
        }
        Progress::Done
    }
}

/// Needs `MANAGE`. `ESTATE`: sealed already. Between its steps the object can no longer be mapped writable or grow.
impl Serve for MemorySeal {
    fn serve(self, context: &Context) -> Verdict<MemorySealed> {
        let kernel = context.kernel;
        let _held = kernel.shards.hold(ShardSet::ALL);
        let memory = context.own_memory(self.memory)?;
        if memory.stage() == Stage::Sealed {
            return Err(Error::State.into());
        }
        let first = kernel.mappings_to(memory).next();
        if let Some(mapping) = first.filter(|mapping| mapping.access.get() as u8 & access::WRITE != 0) {
            memory.set_stage(Stage::Sealing);
            kernel.unmap_step(context.cpu, mapping);
            return Err(Stop::Restart);
        }
        if !kernel.fences_done() {
            return Err(Stop::Restart);
        }
        memory.set_stage(Stage::Sealed);
        context.cpu.requests.fence_instructions();
        Ok(MemorySealed {})
    }
}
