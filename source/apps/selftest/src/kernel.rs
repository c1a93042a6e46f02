//! The kernel's own invariants, after everything else was done to it.
//!
//! There is no line for this one: it speaks only if something is wrong.

use crate::Failure;
use nexus_abi::{Error, syscall::InfoInvariants};
use nexus_rt::{env, kernel::invoke};

/// The kernel's check of its whole state finds nothing, and looked at something. The kernel that ships has no such check.
pub(crate) fn invariants_hold() -> Result<(), Failure> {
    let info = env::handle("info").map_err(|error| Failure::Refused("the info capability", error))?;
    let found = match invoke(InfoInvariants { info }) {
        Ok(found) => found,
        Err(Error::State) => return Ok(()),
        Err(error) => return Err(Failure::Refused("the kernel's check", error)),
    };
    if found.checked == 0 {
        return Err(Failure::Wrong("the kernel looked at something"));
    }
    if found.violations == 0 { Ok(()) } else { Err(Failure::Wrong("every invariant of the kernel holds")) }
}
