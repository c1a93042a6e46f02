//! Standing still: one CPU looks at everything while the others do nothing.
//!
//! Who wants to look puts a number that was never used before into [`Inspection::number`] and interrupts the others. Each
//! enters the kernel by a kick, says that it stands still for this number, and waits there, with no lock held, until the
//! word is 0 again.
//!
//! Happens-before: what a CPU wrote before it stood still is released by its `still`, which the one who looks acquires;
//! what that one reads afterwards is not written until the others acquire the 0 that it releases.

use crate::cpu::{Cpu, MAX_CPUS};
use crate::word::{Half, Word};
use crate::{Kernel, percpu::Here};
use core::sync::atomic::Ordering::{AcqRel, Acquire, Relaxed, Release};

/// What CPUs agree on before one of them looks.
#[derive(Debug, Default)]
pub struct Inspection {
    /// Number of the look for which all CPUs but one stand still; 0: none.
    number: Word,
    /// How many looks there were.
    looks: Word,
    /// For which look each CPU stands still.
    still: [Word; MAX_CPUS],
    /// Index of the thread for which each CPU is to look; 0: none.
    asked: [Half; MAX_CPUS],
    /// The typed system call that answers `ENOSYS`, for proofs that need its effect; 0: none. Written at boot.
    pub refused: Word,
}

impl Inspection {
    /// Asks for a look for this thread, when the event is over.
    pub(super) fn ask(&self, cpu: Here, thread: u32) {
        cpu.requests.ask(&self.asked[cpu.id.get() as usize], thread);
    }
}

impl Kernel {
    /// True if a proof has this call answer `ENOSYS`.
    pub(crate) fn refuses(&self, number: u64) -> bool {
        self.inspection.refused.get() == number
    }

    /// Looks at all invariants for the thread that asked for it on this CPU, if one did, while every other stands still.
    /// `interrupt` interrupts one. The caller holds no lock.
    pub fn inspect(&self, cpu: Here, interrupt: impl Fn(&'static Cpu)) {
        let asked = &self.inspection.asked[cpu.id.get() as usize];
        if asked.get() != 0 {
            self.stop_others(cpu, interrupt);
            self.look_for(asked.get());
            asked.set(0);
            self.let_go();
        }
    }

    /// Makes every other online CPU stand still; `interrupt` interrupts one. If another CPU wants to look too, this one
    /// stands still for it before. The caller holds no lock.
    fn stop_others(&self, cpu: Here, interrupt: impl Fn(&'static Cpu)) {
        let number = 1 + self.inspection.looks.atomic().fetch_add(1, Relaxed);
        while self.inspection.number.atomic().compare_exchange(0, number, AcqRel, Acquire).is_err() {
            self.stand_still(cpu);
        }
        let others = self.cpus.iter().filter(|other| other.id.get() != cpu.id.get() && other.is_online());
        others.clone().for_each(|other| interrupt(other));
        for other in others {
            while self.inspection.still[other.id.get() as usize].atomic().load(Acquire) != number {
                core::hint::spin_loop();
            }
        }
    }

    /// Lets the other CPUs go on.
    fn let_go(&self) {
        self.inspection.number.atomic().store(0, Release);
    }

    /// Stands still for as long as somebody looks.
    pub(crate) fn stand_still(&self, cpu: Here) {
        loop {
            let number = self.inspection.number.atomic().load(Acquire);
            if number == 0 {
                return;
            }
            self.inspection.still[cpu.id.get() as usize].atomic().store(number, Release);
            core::hint::spin_loop();
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{invariant::Check, testing};
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
            let number = kernel.inspection.number.atomic().load(Acquire);
            let alone = kernel.cpus[1..]
                .iter()
                .all(|other| kernel.inspection.still[other.id.get() as usize].atomic().load(Acquire) == number);
            kernel.look_for(asks.index());
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
        assert_eq!(
            kernel.inspection.still[0].atomic().load(Acquire),
            2,
            "the first one stood still for the second look"
        );
    }
}
