//! Standing still: one CPU looks at everything while the others do nothing.
//!
//! Who wants to look puts a number that was never used before into [`Kernel::stop`] and interrupts the others. Each
//! enters the kernel by a kick, says that it stands still for this number, and waits there, with no lock held, until the
//! word is 0 again.
//!
//! Happens-before: what a CPU wrote before it stood still is released by its `still`, which the one who looks acquires;
//! what that one reads afterwards is not written until the others acquire the 0 that it releases.

use crate::{Kernel, cpu::Cpu};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

impl Kernel {
    /// Makes every other online CPU stand still; `interrupt` interrupts one. If another CPU wants to look too, this one
    /// stands still for it before. The caller holds no lock.
    pub fn stop_others(&self, cpu: &Cpu, interrupt: impl Fn(&Cpu)) {
        let number = 1 + self.stops.atomic().fetch_add(1, Relaxed);
        while self.stop.atomic().compare_exchange(0, number, AcqRel, Acquire).is_err() {
            self.stand_still(cpu);
        }
        let others = self.cpus.iter().filter(|other| other.id.get() != cpu.id.get() && other.is_online());
        others.clone().for_each(interrupt);
        for other in others {
            while other.still.atomic().load(Acquire) != number {
                core::hint::spin_loop();
            }
        }
    }

    /// Lets the other CPUs go on.
    pub fn let_go(&self) {
        self.stop.atomic().store(0, Release);
    }

    /// Stands still for as long as somebody looks.
    pub(crate) fn stand_still(&self, cpu: &Cpu) {
        loop {
            let number = self.stop.atomic().load(Acquire);
            if number == 0 {
                return;
            }
            cpu.still.atomic().store(number, Release);
            core::hint::spin_loop();
        }
    }
}
