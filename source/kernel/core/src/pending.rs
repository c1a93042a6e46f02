//! What the memory half has still to bring.

use crate::{
    Kernel,
    caps::revoke::Progress,
    cpu::Cpu,
    memory::{irq::Irq, object::Memory},
    process::Process,
};
use nexus_abi::Error;

#[allow(clippy::missing_errors_doc, missing_docs, unused_variables)]
impl Kernel {
    pub(crate) fn map_ipc_page(&self, process: &Process, address: u64, frame: u32) -> Result<(), Error> {
        Ok(())
    }
    pub(crate) fn unmap_ipc_page(&self, cpu: &Cpu, process: &Process, address: u64) {}
    pub(crate) fn unmap_process_step(&'static self, cpu: &'static Cpu, process: &Process) -> Progress {
        Progress::Done
    }
    pub(crate) fn destroy_memory(&'static self, cpu: &'static Cpu, index: u32) -> Progress {
        Progress::Done
    }
    pub(crate) fn destroy_irq(&'static self, cpu: &'static Cpu, irq: &Irq) {}
    pub(crate) fn free_tables_step(&self, process: &Process) -> Progress {
        Progress::Done
    }
    pub(crate) fn unclaim(&self, process: &Process) {}
    pub(crate) fn fixed_memory(
        &self,
        process: &Process,
        address: u64,
        pages: u64,
        sealed: bool,
    ) -> Result<&'static Memory, Error> {
        Err(Error::NoCall)
    }
    pub(crate) fn new_memory(&self, process: &Process, pages: u64) -> Result<&'static Memory, Error> {
        Err(Error::NoCall)
    }
    pub(crate) fn append_frame(&self, process: &Process, memory: &Memory, frame: u32) -> Result<(), Error> {
        Err(Error::NoCall)
    }
    pub(crate) fn map_object(
        &self,
        process: &Process,
        memory: &Memory,
        address: u64,
        pages: u64,
        rights: u8,
    ) -> Result<(), Error> {
        Err(Error::NoCall)
    }
    pub(crate) fn frame_of(&self, memory: &Memory, page: u32) -> Option<u32> {
        None
    }
}
