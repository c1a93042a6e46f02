//! One CPU: its run queues, its clock, and what it asks of the machine layer.

use crate::{
    sched::queue::RunQueue,
    time::wheel::Wheel,
    word::{Half, Word},
};

/// Most CPUs this kernel runs on.
pub const MAX_CPUS: usize = 8;

/// What the machine layer does after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Resume this thread (index in the arena).
    Run(u32),
    /// Call [`crate::Kernel::reap`]: a dead process is being taken back. Look for interrupts between calls.
    Reap,
    /// Nothing to do: sleep until an interrupt.
    Idle,
}

/// A CPU. Only that CPU touches it, except the fields that say otherwise.
#[derive(Debug, Default)]
pub struct Cpu {
    /// Its number, dense from 0.
    pub id: Half,
    /// The machine's number for it.
    pub hart: Word,
    /// 1 once it takes part. Read by others without a lock: a kick to a CPU that is not online yet is lost, and it
    /// looks into its mailbox before it first sleeps.
    pub online: Half,
    /// The running thread, 0 if none.
    pub current: Half,
    /// Ready threads.
    pub queue: RunQueue,
    /// Processes being taken back here, by class.
    pub reaping: [Half; nexus_abi::QosClass::COUNT],
    /// Deadlines and timers. It has its own lock, since others take entries out.
    pub wheel: Wheel,
    /// Mail: threads to make ready, and processes to take back. Pushed by any CPU (release), taken whole by this one
    /// (acquire).
    pub wake_mail: Half,
    /// See `wake_mail`.
    pub reap_mail: Half,
    /// 1 while a kick is under way: more are coalesced. Set by senders, cleared by this CPU before it takes its mail.
    pub kicked: Half,
    /// When the running thread's slice ends; `u64::MAX`: nobody waits for its place.
    pub slice_end: Word,
    /// When the running thread, or idleness, began; time up to here is accounted.
    pub since: Word,
    /// Requests to the machine layer.
    pub requests: Requests,
    /// Counters for listings.
    pub counters: Counters,
}

/// What a CPU wants the machine layer to do before it resumes anything.
#[derive(Debug, Default)]
pub struct Requests {
    /// CPUs to interrupt, one bit each.
    pub kicks: Half,
    /// 1 + ASID whose translations must go from every CPU; `u64::MAX`: all of them; 0: none.
    pub fence: Word,
    /// 1 if instruction fetch must see fresh stores on every CPU.
    pub fence_instructions: Half,
    /// 1 + interrupt line to complete and unmask; 0: none.
    pub acknowledge: Half,
    /// 1 + interrupt line to mask; 0: none.
    pub mask: Half,
    /// 1: power off with `status`; 2: reset.
    pub power: Half,
    /// Exit status.
    pub status: Half,
}

impl Requests {
    /// Asks that no CPU uses an old translation of this address space when the event is over.
    pub fn fence(&self, asid: u32) {
        let wanted = 1 + u64::from(asid);
        let all = self.fence.get() != 0 && self.fence.get() != wanted;
        self.fence.set(if all { u64::MAX } else { wanted });
    }
}

/// Counters of a CPU. Written by it, read by anybody.
#[derive(Debug, Default)]
pub struct Counters {
    /// Ticks in threads.
    pub busy: Word,
    /// Ticks asleep.
    pub idle: Word,
    /// Switches to another thread.
    pub switches: Word,
    /// Timer interrupts.
    pub timer_interrupts: Word,
    /// Device interrupts.
    pub device_interrupts: Word,
    /// Kicks received.
    pub kicks: Word,
}

impl Cpu {
    /// When the machine layer must interrupt next; `u64::MAX`: never.
    pub fn alarm(&self) -> u64 {
        self.wheel.next().min(self.slice_end.get())
    }
}
