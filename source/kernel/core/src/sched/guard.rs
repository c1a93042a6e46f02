//! The starvation guard: lower classes get a slice now and then, whatever runs above them.
//!
//! If a ready thread's class is lower than what runs, for [`GUARD_SLICES`] slices, its class is given the next one: it
//! runs as if it had the class that it waited for, so that a thread of that class waits for one slice more, and a higher
//! one interrupts it at once. What is left of the slice then goes on later. Starving classes take turns.

use super::queue::End;
use crate::{Kernel, percpu::Here, thread::Thread};
use nexus_abi::QosClass;

/// Slices after which classes that wait for higher ones get one between them.
pub const GUARD_SLICES: u64 = 32;

impl Kernel {
    /// 1 + the class in which this CPU works, 0 for none.
    fn working(&self, cpu: Here) -> u32 {
        let running = self.running(cpu).map(Thread::class);
        running.max(cpu.queue().reap_class()).map_or(0, |class| 1 + class as u32)
    }

    /// Somebody waits: whether a class starves is looked at in time.
    #[inline(always)]
    pub(super) fn watch_starving(&self, cpu: Here, now: u64) {
        if cpu.guard_at.get() == u64::MAX && cpu.guard_left.get() == 0 {
            cpu.guard_at.set(now.saturating_add(GUARD_SLICES * self.machine.slice));
        }
    }

    /// Gives a class that waits its slice when it is time.
    pub(crate) fn guard(&'static self, cpu: Here, now: u64) {
        if cpu.guard_at.get() > now {
            return;
        }
        cpu.guard_at.set(u64::MAX);
        let starving = cpu.queue().occupied() & ((1 << self.working(cpu)) - 1) >> 1;
        let after = starving & ((1 << cpu.guarded[0].get()) - 1);
        if let Some(class) = (if after == 0 { starving } else { after }).checked_ilog2() {
            cpu.guarded[0].set(class);
            cpu.guarded[1].set(self.working(cpu));
            cpu.guard_left.set(self.machine.slice);
            cpu.counters.guarded.add(1);
            self.yield_cpu(cpu, self.running(cpu), End::Front, now);
        }
    }

    /// The thread that the guard's slice is for, unless a class above it is ready or to be taken back.
    pub(super) fn lifted(&self, cpu: Here, best: Option<&'static Thread>, now: u64) -> Option<&'static Thread> {
        if cpu.guard_left.get() == 0 {
            return None;
        }
        let above = best.map(Thread::class).max(cpu.queue().reap_class()).map_or(0, |class| 1 + class as u32);
        if above > cpu.guarded[1].get() {
            return None;
        }
        let lifted = self.eligible(cpu, QosClass::ALL[cpu.guarded[0].get() as usize & 3], now);
        if lifted.is_none() {
            cpu.guard_left.set(0);
        }
        lifted
    }
}
