//! The heap: the talc allocator over a memory object that grows on demand.
//!
//! Pages are added 16 at a time at [`HEAP_START`], up to what the start page allows. What is freed is used again by the
//! program; it goes back to the system when the program ends.

use core::alloc::Layout;
use core::ptr::{NonNull, with_exposed_provenance_mut};

use nexus_abi::layout::{GROW_BATCH, HEAP_START, PAGE_SIZE};
use nexus_abi::syscall::{Map, MemoryCreate, MemoryGrow, access};
use nexus_abi::{Error, Handle};
use talc::base::{Talc, binning::Binning};
use talc::{TalcLock, source::Source};

use super::start_page;
use crate::kernel::invoke;
use crate::sys::QueueLock;

#[global_allocator]
static HEAP: TalcLock<QueueLock, Growing> = TalcLock::new(Growing { memory: None, pages: 0, end: None });

/// Where the heap's pages come from.
#[derive(Debug)]
struct Growing {
    memory: Option<Handle>,
    pages: u64,
    end: Option<NonNull<u8>>,
}

// SAFETY: Only kernel calls are made here, nothing allocates.
unsafe impl Send for Growing {}

impl Growing {
    /// Maps at least `wanted` more pages behind the heap; answers how many.
    fn grow(&mut self, wanted: u64) -> Result<u64, Error> {
        let limit = start_page().ok_or(Error::State)?.info().heap_pages;
        let room = limit.saturating_sub(self.pages);
        if wanted > room {
            return Err(Error::OverLimit);
        }
        let memory = match self.memory {
            Some(memory) => memory,
            None => invoke(MemoryCreate { process: None, pages: limit })?.memory,
        };
        self.memory = Some(memory);
        let mut added = 0;
        while added < wanted {
            let batch = GROW_BATCH.min(room - added);
            let offset = self.pages + added;
            let total = invoke(MemoryGrow { memory, pages: batch })?.total;
            let fresh = total.saturating_sub(offset);
            let address = HEAP_START + offset * PAGE_SIZE as u64;
            let mapped =
                invoke(Map { process: None, memory, address, offset, pages: fresh, access: access::WRITE })?.pages;
            if mapped == 0 {
                return Err(Error::Exhausted);
            }
            added += mapped;
        }
        self.pages += added;
        Ok(added)
    }
}

// SAFETY: `acquire` touches the allocator only through its argument, and claims only pages it has just mapped.
unsafe impl Source for Growing {
    fn acquire<B: Binning>(talc: &mut Talc<Self, B>, layout: Layout) -> Result<(), ()> {
        let wanted = (layout.size() + layout.align() + PAGE_SIZE).div_ceil(PAGE_SIZE) as u64;
        let before = talc.source.pages;
        let added = talc.source.grow(wanted).map_err(|_| ())?;
        let bytes = added as usize * PAGE_SIZE;
        talc.source.end = Some(match talc.source.end {
            None => {
                let base = with_exposed_provenance_mut(HEAP_START as usize + before as usize * PAGE_SIZE);
                // SAFETY: These pages were just mapped writable and nothing else uses them.
                unsafe { talc.claim(base, bytes) }.ok_or(())?
            }
            Some(end) => {
                let new_end = with_exposed_provenance_mut(HEAP_START as usize + talc.source.pages as usize * PAGE_SIZE);
                // SAFETY: `end` is what claiming or extending returned; the pages behind it were just mapped.
                unsafe { talc.extend(end, new_end) }
            }
        });
        Ok(())
    }
}
