//! Mappings: which pages of which object stand where in which address space.

use crate::{
    arena::{Header, Object},
    word::Half,
};

/// One contiguous mapping. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Mapping {
    /// Object header. The owner is the process in whose address space it stands, and whose quota pays.
    pub header: Header,
    /// Index of the memory object.
    pub memory: Half,
    /// Place of the capability through which it was made; 0 once that was closed. Revoking that takes this away.
    pub slot: Half,
    /// First virtual page number.
    pub page: Half,
    /// First page of the object.
    pub offset: Half,
    /// Pages.
    pub pages: Half,
    /// Access bits.
    pub access: Half,
    /// Neighbours in the object's list of mappings. (`header.next`: those of the address space.)
    pub next: Half,
    /// See `next`.
    pub previous: Half,
}

impl Object for Mapping {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl crate::Kernel {
    /// One step of releasing the mappings that were made through the capability at `place`. Holds all shards.
    pub(crate) fn release_mappings(
        &'static self,
        cpu: &'static crate::cpu::Cpu,
        place: u32,
        mappings: crate::caps::revoke::Mappings,
    ) -> crate::caps::revoke::Progress {
        let _ = (cpu, place, mappings);
        crate::caps::revoke::Progress::Done
    }
}
