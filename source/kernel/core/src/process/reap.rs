//! Taking back what a dead process had, in bounded steps.

use crate::{Kernel, caps::revoke::Progress, cpu::Cpu};
use nexus_abi::Kind;

impl Kernel {
    /// The last capability to an object is about to go: one step of taking the object back.
    pub(crate) fn unreferenced(&'static self, cpu: &'static Cpu, kind: Kind, object: u64) -> Progress {
        let _ = (cpu, kind, object);
        Progress::Done
    }

    /// One bounded step of taking back a dead process; the machine layer calls it while [`Kernel::next`] says so.
    pub fn reap(&'static self, cpu: usize, now: u64) {
        let cpu = &self.cpus[cpu];
        self.settle(cpu, now);
    }
}
