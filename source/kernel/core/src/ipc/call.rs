//! Calls.

use crate::{
    Kernel,
    cpu::Cpu,
    event::{Context, Stop, Trap, Verdict},
};
use nexus_abi::Error;

impl Kernel {
    /// A message call (numbers of [`nexus_abi::syscall::ipc`]).
    pub(crate) fn message_call(&'static self, context: &Context, number: u64) -> Verdict<()> {
        let _ = (context, number);
        Err(Stop::Refuse(Error::NoCall))
    }

    /// Delivers a fault as a call, or ends the process.
    pub(crate) fn deliver_fault(&'static self, context: &Context, trap: Trap) {
        let _ = (context, trap);
    }

    /// The capability to answer a caller is gone: the caller is told.
    pub(crate) fn abandon_caller(&'static self, cpu: &'static Cpu, token: u64) {
        let _ = (cpu, token);
    }
}
