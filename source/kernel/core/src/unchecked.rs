//! The kernel that ships does not look at its own invariants: only one that is built `checked` does, for tests.

use crate::info::calls::open;
use crate::prelude::*;

/// What CPUs agree on before one of them looks: nothing.
#[derive(Debug, Default)]
pub struct Inspection;

/// `ESTATE`: this kernel has no check.
pub(crate) fn info_invariants(context: &Context, call: InfoInvariants) -> Verdict<Invariants> {
    let _held = open(context, call.info)?;
    Err(Error::State.into())
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
