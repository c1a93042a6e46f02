//! The machine under the kernel's own tests: the boot hart, before it runs its first program.

use crate::run::{self, cpu_of};
use crate::{console, csr, hart::HARTS, requests, sbi, system::System};
use nexus_core::selftest::{self, Ground};

/// Tests what the boot arguments ask for.
pub fn run(system: &'static System) {
    csr::set_sie(csr::SOFTWARE);
    selftest::run(&system.kernel, &Boot(system));
    csr::set_sie(0);
}

struct Boot(&'static System);

impl Ground for Boot {
    fn now(&self) -> u64 {
        csr::time()
    }

    fn turn(&self) {
        requests::obey(self.0, &HARTS[0], cpu_of(&HARTS[0]));
        run::interrupts(self.0, &HARTS[0]);
    }

    fn lose_kicks(&self) {
        self.0.mute.set(1);
    }

    fn send_kicks(&self) {
        self.0.mute.set(0);
        for cpu in self.0.kernel.cpus.iter().filter(|cpu| cpu.is_online() && cpu.kicked.get() != 0) {
            sbi::interrupt(cpu.hart.get());
        }
    }

    fn put(&self, byte: u8) {
        console::put(byte);
    }
}
