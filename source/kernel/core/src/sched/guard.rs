//! The starvation guard: lower classes get a slice now and then, whatever runs above them.
//!
//! A ready thread whose class is lower than all for whom the CPU worked for [`GUARD_SLICES`] slices starves. Its class is
//! given the next slice: it runs as if it had the lowest class that was worked for, so that a thread of that class waits for
//! one slice more, and a higher one interrupts it at once; what is left of the slice goes on as soon as that one would rest.
//! If it does not, for [`RISE_SLICES`], the guard looks anew at what is worked for. Starving classes take turns.

use super::queue::highest;
use crate::prelude::*;

/// Slices after which classes that wait for higher ones get one between them.
pub const GUARD_SLICES: u64 = 32;

/// Slices after which a class that still waits for its slice may get it in a higher one.
pub const RISE_SLICES: u64 = 8;

/// In [`Own::served`](crate::cpu::Own::served): nobody so far.
pub(crate) const NOBODY: u32 = QosClass::COUNT as u32;

impl Kernel {
    /// Somebody waits: whether a class starves is looked at after so many slices.
    #[inline(never)]
    pub(super) fn watch_starving(&self, cpu: Here, slices: u64, now: u64) {
        cpu.guard_at.set(now.saturating_add(slices * self.machine.slice));
        cpu.served.set(NOBODY);
        let payer = cpu.payer.get();
        Self::note_served(cpu, if payer == 0 { cpu.load.reap_class() } else { Some(self.threads.at(payer).class()) });
    }

    /// The CPU works for somebody of this class. What it does in the guard's slice says nothing about who starves.
    pub(super) fn note_served(cpu: Here, class: Option<QosClass>) {
        let Some(class) = class.map(|class| class as u32) else { return };
        if class < cpu.served.get() && cpu.lifted.get() == 0 {
            cpu.served.set(class);
        }
    }

    /// Gives a class that waits its slice when it is time, or looks anew at the class in which one waits for its own.
    pub(crate) fn guard(&'static self, cpu: Here, now: u64) {
        if cpu.guard_at.get() > now {
            return;
        }
        self.rotate(cpu, End::Front, now);
        let (served, waits) = (cpu.served.get(), u32::from(cpu.guard_left.get() != 0));
        let below = |class: u32| cpu.load.ready() & ((1 << (2 * class)) - 1);
        let starving = below(served);
        let after = starving & below(cpu.guarded[0].get() + waits);
        match highest(if after == 0 { starving } else { after }) {
            Some(class) if served < NOBODY => {
                cpu.guarded[0].set(class as u32);
                cpu.guarded[1].set(1 + served);
                cpu.guard_left.set(self.machine.slice);
                cpu.counters.guarded.add(1);
                self.watch_starving(cpu, RISE_SLICES, now);
            }
            _ => self.end_guard(cpu),
        }
    }

    /// The guard's slice is over, or nobody takes it.
    pub(super) fn end_guard(&self, cpu: Here) {
        cpu.guard_left.set(0);
        cpu.guard_at.set(u64::MAX);
    }

    /// True if a thread has to leave the CPU because of the guard's slice, or in it.
    #[cold]
    #[inline(never)]
    pub(super) fn must_leave_by_guard(cpu: Here, thread: &Thread) -> bool {
        let (class, level) = (thread.class() as u32, cpu.guarded[1].get());
        if cpu.lifted.get() != 0 {
            return cpu.load.from(level) != 0;
        }
        class < level || cpu.load.from(class) >> 1 != 0
    }

    /// The thread that the guard's slice is for, unless a class above it is ready or to be taken back.
    pub(super) fn lifted(&self, cpu: Here, best: Option<&'static Thread>, now: u64) -> Option<&'static Thread> {
        if cpu.guard_left.get() == 0 {
            return None;
        }
        let above = best.map(Thread::class).max(cpu.load.reap_class()).map_or(0, |class| 1 + class as u32);
        if above > cpu.guarded[1].get() {
            return None;
        }
        let lifted = self.eligible(cpu, class_of(cpu.guarded[0].get()), now);
        if lifted.is_none() {
            self.end_guard(cpu);
        }
        lifted
    }
}
