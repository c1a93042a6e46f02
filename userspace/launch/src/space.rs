//! The address space of a process in the making.
//!
//! Map and grow do a bounded part of what is asked and say how much; the loops that finish the rest are here. Each
//! makes progress or ends.

use loader::{Access, Segment};
use nexus_abi::layout::{GROW_BATCH, MAP_BATCH, PAGE_SIZE};
use nexus_abi::syscall::{Close, Map, MemoryCreate, MemoryGrow, MemorySeal, access};
use nexus_abi::{Error, Handle};
use nexus_rt::Kernel;

use crate::File;

/// A process and the kernel to shape it with.
pub(crate) struct Space<'a, K> {
    pub(crate) kernel: &'a mut K,
    pub(crate) process: Handle,
}

impl<K: Kernel> Space<'_, K> {
    /// Maps a segment: from the file itself where that is possible, else as a copy of its bytes.
    pub(crate) fn segment(&mut self, segment: &Segment, file: &File<'_>) -> Result<(), Error> {
        let access = match segment.access {
            Access::Read => access::READ,
            Access::ReadWrite => access::READ | access::WRITE,
            Access::ReadExecute => access::READ | access::EXECUTE,
        };
        if segment.in_place() {
            let offset = file.page + segment.offset / PAGE_SIZE as u64;
            return self.map(file.memory, segment.vaddr, offset, segment.pages, access);
        }
        let end = segment.offset + segment.bytes;
        let bytes = &file.bytes[segment.offset as usize..end as usize];
        self.copy(segment.vaddr, segment.pages, access, (segment.skip, bytes))
    }

    /// Maps zeroed pages that begin with `bytes`.
    pub(crate) fn fresh(&mut self, address: u64, pages: u64, access: u8, bytes: &[u8]) -> Result<(), Error> {
        self.copy(address, pages, access, (0, bytes))
    }

    /// Maps new pages of the process's own with `bytes` at an offset.
    fn copy(&mut self, address: u64, pages: u64, access: u8, (skip, bytes): (u64, &[u8])) -> Result<(), Error> {
        let memory = self.kernel.invoke(MemoryCreate { process: Some(self.process), pages })?.memory;
        let filled = self.grow(memory, pages).and_then(|()| self.kernel.fill(memory, skip, bytes));
        let sealed = filled.and_then(|()| match access & access::EXECUTE {
            0 => Ok(()),
            _ => self.kernel.invoke(MemorySeal { memory }).map(drop),
        });
        let mapped = sealed.and_then(|()| self.map(memory, address, 0, pages, access));
        // The mapping keeps the object; an error here would mean that the handle is gone already.
        let _ = self.kernel.invoke(Close { handle: memory });
        mapped
    }

    fn grow(&mut self, memory: Handle, pages: u64) -> Result<(), Error> {
        let mut have = 0;
        while have < pages {
            let total = self.kernel.invoke(MemoryGrow { memory, pages: (pages - have).min(GROW_BATCH) })?.total;
            if total <= have {
                return Err(Error::Exhausted);
            }
            have = total;
        }
        Ok(())
    }

    fn map(&mut self, memory: Handle, address: u64, offset: u64, pages: u64, access: u8) -> Result<(), Error> {
        let mut done = 0;
        while done < pages {
            let address = address + done * PAGE_SIZE as u64;
            let (process, batch) = (Some(self.process), (pages - done).min(MAP_BATCH));
            let mapped =
                self.kernel.invoke(Map { process, memory, address, offset: offset + done, pages: batch, access })?;
            if mapped.pages == 0 {
                return Err(Error::Exhausted);
            }
            done += mapped.pages;
        }
        Ok(())
    }
}
