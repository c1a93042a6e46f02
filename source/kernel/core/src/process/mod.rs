//! Processes: address space, capability table, quota, identity.

pub mod create;
pub mod exit;
#[cfg(test)]
mod life_tests;
pub mod owned;
pub mod quota;
pub mod reap;
pub mod threads;

use crate::prelude::*;
use crate::{list::ThreadList, sched::budget::Budget, word::Many};
use quota::Account;

/// Blocks of 64 slots that one table can have.
pub const MAX_BLOCKS: usize = nexus_abi::handle::MAX_SLOTS / 64;

/// A process. Guarded by its shard, except where a field says otherwise.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Process {
    /// Object header. The reference is the process id that others see.
    pub header: Header,
    /// Free slots in all its blocks. Guarded by all shards.
    pub free_slot_count: Half,
    /// First of the objects it is charged for ([`crate::arena::Tag`]). Guarded by all shards.
    pub owned: Half,
    /// First of the mappings in its address space. Guarded by all shards.
    pub mappings: Half,
    /// First of its threads, linked through their headers. Guarded by all shards.
    pub threads: Half,
    /// Threads that wait for it to be gone.
    pub mourners: ThreadList,
    /// How far taking it back has come (see `process::reap`).
    pub reap_stage: Half,
    /// The thread to stop next ([`crate::arena::Tag`]). No thread leaves the list meanwhile.
    pub reap_cursor: Half,
    /// Class in which it is being taken back.
    pub reap_class: Half,
    /// Class that whoever ended it lends: that of the later stages.
    pub lent_class: Half,
    /// CPU on which it is taken back.
    pub reap_cpu: Half,
    /// Neighbours in a CPU's list of processes being taken back.
    pub reap: Links,
    /// Link in a CPU's reap mailbox.
    pub mail: Half,
    /// Weight of the threads that it makes.
    pub shares: Half,
    /// The highest that they may take.
    pub most_shares: Half,
    /// CPUs that they may use.
    pub affinity: Half,
    /// What it may own and what it owns. Guarded by all shards.
    pub account: Account,
    /// See [`nexus_abi::start::ExitKind`].
    pub state: Word,
    /// Root of its page tables ([`crate::memory::tree`]); 0 once they are given back.
    pub root: Word,
    /// `satp` value.
    pub satp: Word,
    /// Service id, stamped by whoever held the spawn capability. Never changes.
    pub service: Word,
    /// Reference of the endpoint that gets its faults; 0 is none.
    pub fault_endpoint: Word,
    /// Badge that these faults carry.
    pub fault_badge: Word,
    /// Reference of the notification that its end signals, and the bits; 0 is none.
    pub watch: [Word; 2],
    /// Ticks its dead threads have run.
    pub cpu_time: Word,
    /// Times one of its dead threads was switched to.
    pub switches: Word,
    /// CPU time of all its threads.
    pub budget: Budget,
    /// Display name ([`nexus_abi::Name`] words). Never changes.
    pub name: [Word; 3],
    /// Console prefix. Guarded by all shards.
    pub prefix: [Word; 3],
    /// How it will have ended once its resources are back: exit kind, status or cause, pc, address.
    pub exit: [Word; 4],
    /// Its slot blocks: places in the block arena, 0 is none. Guarded by all shards.
    pub blocks: Many<Half, MAX_BLOCKS>,
    /// Free slots of each block, one bit each. Guarded by all shards.
    pub free_slots: Many<Word, MAX_BLOCKS>,
}

impl Process {
    /// Weight of threads of which nothing else was said.
    pub const SHARES: u32 = 100;
    /// Highest weight that a thread may have without leave, if its process was given none.
    pub const FREE_SHARES: u32 = 500;

    /// True until somebody begins to end it.
    pub fn running(&self) -> bool {
        self.state.get() == nexus_abi::start::ExitKind::Running as u64
    }

    /// True once all it had is back; only the record is left.
    pub fn gone(&self) -> bool {
        self.state.get() >= nexus_abi::start::ExitKind::Exited as u64
    }

    /// Its index in the arena, its number, and that of its address space: unique among living processes.
    pub fn index(&self) -> u32 {
        self.header.index()
    }
}

impl Object for Process {
    fn header(&self) -> &Header {
        &self.header
    }
}
