//! Standing still: one CPU looks at everything while the others do nothing.
//!
//! Who wants to look puts a number that was never used before into [`Kernel::stop`] and interrupts the others. Each
//! enters the kernel by a kick, says that it stands still for this number, and waits there, with no lock held, until the
//! word is 0 again.
//!
//! Happens-before: what a CPU wrote before it stood still is released by its `still`, which the one who looks acquires;
//! what that one reads afterwards is not written until the others acquire the 0 that it releases.

use crate::percpu::{Here, PerCpu};
use crate::{Kernel, cpu::Cpu};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

impl Kernel {
    /// Makes every other online CPU stand still; `interrupt` interrupts one. If another CPU wants to look too, this one
    /// stands still for it before. The caller holds no lock.
    pub fn stop_others(&self, cpu: Here, interrupt: impl Fn(&Cpu)) {
        let number = 1 + self.stops.atomic().fetch_add(1, Relaxed);
        while self.stop.atomic().compare_exchange(0, number, AcqRel, Acquire).is_err() {
            self.stand_still(cpu);
        }
        let others =
            self.cpus.iter().map(PerCpu::outside).filter(|other| other.id.get() != cpu.id.get() && other.is_online());
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
    pub(crate) fn stand_still(&self, cpu: Here) {
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

#[cfg(test)]
mod tests {
    use crate::{info::invariant::Check, testing};
    use core::sync::atomic::{AtomicBool, Ordering::Acquire, Ordering::Release};
    use nexus_abi::{Quota, syscall::InfoInvariants};
    use std::thread;

    #[test]
    fn who_looks_is_alone_until_it_lets_the_others_go() {
        let kernel = testing::machine(3, 64);
        let asks = testing::thread(kernel, testing::process(kernel, "asks", &Quota::default()));

        let alone = thread::scope(|scope| {
            kernel.stop_others(kernel.cpus[0].here(), |other| {
                let number = other.id.get() as usize;
                scope.spawn(move || kernel.stand_still(kernel.cpus[number].here()));
            });
            let number = kernel.stop.atomic().load(Acquire);
            let alone = kernel.cpus[1..].iter().all(|other| other.still.atomic().load(Acquire) == number);
            kernel.inspect(asks.index());
            kernel.let_go();
            alone && number != 0
        });

        let found = testing::answer::<InfoInvariants>(asks).expect("answered");
        let mut check = Check::default();
        kernel.check_invariants(&mut check);
        assert_eq!((alone, found.checked > 0), (true, true));
        assert_eq!((found.violations, found.checked), (check.violations, check.checked));
    }

    #[test]
    fn who_wants_to_look_while_another_does_stands_still_for_it_first() {
        let kernel = testing::machine(2, 64);
        let one = kernel.cpus[0].here();
        let looked = &AtomicBool::new(false);

        let early = thread::scope(|scope| {
            kernel.stop_others(one, |_| {
                scope.spawn(|| {
                    kernel.stop_others(kernel.cpus[1].here(), |_| ());
                    looked.store(true, Release);
                    kernel.let_go();
                });
            });
            let early = looked.load(Acquire);
            kernel.let_go();
            while !looked.load(Acquire) {
                kernel.stand_still(one);
            }
            early
        });

        assert!(!early, "the first one is alone");
        assert_eq!(one.still.atomic().load(Acquire), 2, "the first one stood still for the second look");
    }
}
