//! The whole kernel state, and how it is put together at boot.

use crate::ipc::{
    endpoint::{Endpoint, Message},
    notification::Notification,
};
use crate::memory::{frames::Frames, irq::Irq, mapping::Mapping, object::Memory};
use crate::prelude::*;
use crate::time::{timer::Timer, wheel::Node};
use crate::{audit::QosAudit, cpu::Own, invariant::Inspection, lock::Shards, log::Ring, percpu::PerCpu, trace};
use core::ops::{Deref, Range};

/// The kernel. What the machine layer carved for it is reached through it.
#[repr(C)]
pub struct Kernel {
    /// Locks of the shards.
    pub shards: Shards,
    storage: Storage,
    /// How many notifications are wait sets. Guarded by all shards.
    pub wait_sets: Half,
    /// How many memory objects are windows. Guarded by all shards.
    pub windows: Half,
    /// How often decisions about classes may still be said.
    pub qos_audit: QosAudit,
    /// A CPU that looks at everything, if this kernel is built for it.
    pub inspection: Inspection,
    /// Facts of the machine.
    pub machine: Machine,
}

/// What the machine layer carves at boot, all of it zero.
#[repr(C)]
pub struct Storage {
    /// Threads.
    pub threads: Arena<Thread>,
    /// The CPUs that may come online.
    pub cpus: &'static [PerCpu<Own>],
    /// Processes.
    pub processes: Arena<Process>,
    /// Capability slots, lent to processes in blocks.
    pub blocks: Arena<Slot>,
    /// Endpoints.
    pub endpoints: Arena<Endpoint>,
    /// Notifications and wait sets.
    pub notifications: Arena<Notification>,
    /// All memory that programs can own: consecutive frames. Frame 0 is never used.
    pub frames: Frames,
    /// Memory objects, device windows, parts of the boot image.
    pub memories: Arena<Memory>,
    /// Mappings.
    pub mappings: Arena<Mapping>,
    /// Queued one-way messages: each belongs to an endpoint for life.
    pub messages: Arena<Message>,
    /// Timers.
    pub timers: Arena<Timer>,
    /// Interrupt lines.
    pub irqs: Arena<Irq>,
    /// Wheel nodes: a thread's deadline at its index, a timer at `threads + index`, a process's
    /// next period behind all those.
    pub nodes: Arena<Node>,
    /// The console ring.
    pub log: Ring,
    /// The rings of events, [`crate::trace::RING_WORDS`] a CPU; none while nothing is recorded.
    pub rings: &'static [Word],
}

impl Deref for Kernel {
    type Target = Storage;

    #[inline(always)]
    fn deref(&self) -> &Storage {
        &self.storage
    }
}

/// Facts of the machine that the core cannot find out.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// Physical memory; windows must stay outside.
    pub ram: Range<u64>,
    /// Device ranges that the kernel drives itself and never hands out.
    pub reserved: [Range<u64>; 4],
    /// Interrupt lines of the controller.
    pub irq_lines: u32,
    /// Kernel half of every root page table: entries 256..512 of the kernel's own.
    pub kernel_root: Option<&'static [crate::word::Word; 512]>,
    /// `satp` mode bits.
    pub satp_mode: u64,
    /// Identities that may raise QoS classes.
    pub raisers: [u64; nexus_abi::image::MAX_RAISERS],
    /// Ready threads stay on their CPU: there is no other, or a proof asks for it.
    pub stays: bool,
    /// Who is waited for runs in its own class, not in that of who waits: only where a proof asks for it.
    pub selfish: bool,
    /// Ticks of a time slice.
    pub slice: u64,
    /// Ticks per second.
    pub timebase: u64,
    /// Boot arguments.
    pub arguments: &'static [u8],
}

impl Kernel {
    /// Puts the kernel together over zeroed storage.
    #[inline(never)]
    pub fn new(storage: Storage, mut machine: Machine) -> Kernel {
        machine.stays |= storage.cpus.len() == 1;
        for (id, cpu) in storage.cpus.iter().enumerate() {
            let cpu = cpu.at_rest();
            cpu.id.set(id as u32);
            [&cpu.slice_end, &cpu.guard_at, &cpu.budget_end, &cpu.wheel.next]
                .into_iter()
                .for_each(|when| when.set(u64::MAX));
            cpu.traced.set(if storage.rings.is_empty() { 0 } else { trace::ON });
        }
        Kernel {
            shards: Shards::default(),
            storage,
            wait_sets: Half::default(),
            windows: Half::default(),
            qos_audit: QosAudit::default(),
            inspection: Default::default(),
            machine,
        }
    }
}
