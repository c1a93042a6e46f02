//! Scheduling: who runs next on which CPU.

pub mod queue;

use crate::{Kernel, cpu::Cpu};

impl Kernel {
    /// After every event: take mail, choose who runs, set the slice.
    pub(crate) fn settle(&'static self, cpu: &'static Cpu, now: u64) {
        let _ = (cpu, now);
    }

    /// The running thread's slice may be over.
    pub(crate) fn end_slice(&'static self, cpu: &'static Cpu, now: u64) {
        let _ = (cpu, now);
    }
}
