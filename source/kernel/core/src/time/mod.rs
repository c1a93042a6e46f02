//! Time: deadlines of waits, timer objects, and the wheel both hang on.

pub mod timer;
pub mod wheel;

use crate::{Kernel, cpu::Cpu};

impl Kernel {
    /// Fires what is due.
    pub(crate) fn expire(&'static self, cpu: &'static Cpu, now: u64) {
        let _ = (cpu, now);
    }
}
