//! Reserved calls: contiguous memory for devices, and the recipe that silences a dead driver's device.
//!
//! They have their numbers so that programs need not be rebuilt when they come. Until then each answers `ENOSYS`,
//! whatever its arguments.

use crate::event::{Context, Stop, Verdict, serve::Serve};
use nexus_abi::{
    Error,
    syscall::{DmaAddress, DmaAddressed, DmaCreate, DmaCreated, Quiesce, Quiesced},
};

impl Serve for DmaCreate {
    fn serve(self, _: &Context) -> Verdict<DmaCreated> {
        Err(Stop::Refuse(Error::NoCall))
    }
}

impl Serve for DmaAddress {
    fn serve(self, _: &Context) -> Verdict<DmaAddressed> {
        Err(Stop::Refuse(Error::NoCall))
    }
}

impl Serve for Quiesce {
    fn serve(self, _: &Context) -> Verdict<Quiesced> {
        Err(Stop::Refuse(Error::NoCall))
    }
}
