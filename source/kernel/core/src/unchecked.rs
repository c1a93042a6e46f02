//! The kernel that ships does not look at its own invariants: only one that is built `checked` does, for tests.

use crate::event::{Context, Verdict, serve::Serve};
use crate::{Kernel, cpu::Cpu, info::calls::open, percpu::Here};
use nexus_abi::Error;
use nexus_abi::syscall::{InfoInvariants, Invariants};

/// What CPUs agree on before one of them looks: nothing.
#[derive(Debug, Default)]
pub struct Inspection;

/// `ESTATE`: this kernel has no check.
impl Serve for InfoInvariants {
    fn serve(self, context: &Context) -> Verdict<Invariants> {
        let _held = open(context, self.info)?;
        Err(Error::State.into())
    }
}

impl Kernel {
    /// Nobody looks.
    pub fn inspect(&self, _: Here, _: impl Fn(&Cpu)) {}

    /// Every call has a handler.
    pub(crate) fn refuses(&self, _: u64) -> bool {
        false
    }

    /// Nobody looks.
    pub(crate) fn stand_still(&self, _: Here) {}
}
