//! Mappings: which pages of which object stand where in which address space.
//!
//! A record says what the page tables say, in runs of pages; the invariant check compares the two. A record is in two
//! lists: its address space's, and its object's, where writable ones come first so that a seal finds them at once.

use super::object::Memory;
use crate::{
    Kernel,
    arena::{Header, Object},
    percpu::Here,
    process::{Process, quota::Resource},
    word::Half,
};
use core::ops::Range;
use nexus_abi::{
    Error,
    layout::{MAP_BATCH, PAGE_SIZE, USER_END},
    syscall::access,
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
    /// Access bits, `READ` included. 0: its pages are unmapped already, and it only waits for its object to be gone.
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

/// What a mapping says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// Index of the memory object.
    pub(crate) memory: u32,
    /// Place of the capability; 0 is none.
    pub(crate) slot: u32,
    /// First virtual page number.
    pub(crate) page: u32,
    /// First page of the object.
    pub(crate) offset: u32,
    /// Pages.
    pub(crate) pages: u32,
    /// Access bits, `READ` included.
    pub(crate) access: u8,
}

impl Span {
    /// First page behind it.
    pub(crate) fn end(&self) -> u32 {
        self.page + self.pages
    }

    /// The part from `page` on, `pages` long. It must be inside.
    pub(super) fn part(&self, page: u32, pages: u32) -> Span {
        Span { page, offset: self.offset + (page - self.page), pages, ..*self }
    }

    /// True if `next` goes on where this ends.
    fn continues(&self, next: &Span) -> bool {
        let joined = Span { offset: self.offset + self.pages, page: self.end(), pages: next.pages, ..*self };
        joined == *next
    }
}

impl Mapping {
    /// What it says.
    pub(crate) fn span(&self) -> Span {
        Span {
            memory: self.memory.get(),
            slot: self.slot.get(),
            page: self.page.get(),
            offset: self.offset.get(),
            pages: self.pages.get(),
            access: self.access.get() as u8,
        }
    }

    /// First page behind it.
    fn end(&self) -> u32 {
        self.page.get() + self.pages.get()
    }

    fn writable(&self) -> bool {
        self.access.get() as u8 & access::WRITE != 0
    }

    pub(super) fn index(&self) -> u32 {
        self.header.me() as u32
    }
}

impl Kernel {
    /// The mappings of an address space. Linear in their number, which the quota bounds.
    pub(crate) fn mappings_of(&self, process: &Process) -> impl Iterator<Item = &'static Mapping> + use<'_> {
        let mut index = process.mappings.get();
        core::iter::from_fn(move || {
            let mapping = (index != 0).then(|| self.mappings.at(index))?;
            index = mapping.header.next.get();
            Some(mapping)
        })
    }

    /// The mappings of an object.
    pub(crate) fn mappings_to(&self, memory: &Memory) -> impl Iterator<Item = &'static Mapping> + use<'_> {
        let mut index = memory.mappings.get();
        core::iter::from_fn(move || {
            let mapping = (index != 0).then(|| self.mappings.at(index))?;
            index = mapping.next.get();
            Some(mapping)
        })
    }

    /// The mapping that a page belongs to.
    pub(super) fn mapping_at(&self, process: &Process, page: u32) -> Option<&'static Mapping> {
        self.mappings_of(process).find(|mapping| (mapping.page.get()..mapping.end()).contains(&page))
    }

    /// `EEXIST` if a record without pages stands there: until its object is gone nothing else may.
    pub(super) fn check_hollow(&self, process: &Process, pages: Range<u32>) -> Result<(), Error> {
        let stands = |mapping: &Mapping| mapping.page.get() < pages.end && pages.start < mapping.end();
        let taken = process.hollow.get() > 0 && self.mappings_of(process).any(stands);
        if taken { Err(Error::Exists) } else { Ok(()) }
    }

    /// Adds a record and charges it: the caller has checked that both fit.
    pub(super) fn add_mapping(&self, process: &Process, span: &Span) -> Option<&'static Mapping> {
        let mapping = self.mappings.allocate(process.header.shard())?;
        mapping.header.owner.set(process.index());
        let first = process.mappings.get();
        mapping.header.next.set(first);
        if first != 0 {
            self.mappings.at(first).header.previous.set(mapping.index());
        }
        process.mappings.set(mapping.index());
        process.account.charge(Resource::Mappings, 1);
        self.set_span(mapping, span);
        self.link_to(mapping);
        Some(mapping)
    }

    /// Rewrites a record in place. If it becomes writable or ceases to be, the caller moves it in its object's list.
    pub(super) fn set_span(&self, mapping: &Mapping, span: &Span) {
        mapping.memory.set(span.memory);
        mapping.slot.set(span.slot);
        mapping.page.set(span.page);
        mapping.offset.set(span.offset);
        mapping.pages.set(span.pages);
        mapping.access.set(span.access.into());
    }

    /// Makes a run of pages part of the record that it continues, or a record of its own.
    pub(super) fn join_or_add(&self, process: &Process, beside: Option<&Mapping>, span: &Span) {
        let Some(mapping) = beside else {
            self.add_mapping(process, span);
            return;
        };
        let old = mapping.span();
        let first = if old.page < span.page { old } else { *span };
        self.set_span(mapping, &Span { pages: old.pages + span.pages, ..first });
    }

    /// The record that a run of pages continues, or that continues it: one whose pages are mapped, so only with a mapped
    /// page beside the run is there anything to search for.
    pub(super) fn continued(&self, process: &Process, span: &Span) -> Option<&'static Mapping> {
        let mapped =
            |page: u32| u64::from(page) < USER_END / PAGE_SIZE as u64 && self.is_mapped(process.root.get(), page);
        if !mapped(span.page - 1) && !mapped(span.end()) {
            return None;
        }
        self.mappings_of(process).find(|mapping| {
            let old = mapping.span();
            old.continues(span) || span.continues(&old)
        })
    }

    /// Takes a record out of both lists and gives it back.
    pub(super) fn remove_mapping(&self, mapping: &Mapping) {
        let process = self.processes.at(mapping.header.owner.get());
        self.unlink_from(mapping);
        let (next, previous) = (mapping.header.next.get(), mapping.header.previous.get());
        if next != 0 {
            self.mappings.at(next).header.previous.set(previous);
        }
        match previous {
            0 => process.mappings.set(next),
            index => self.mappings.at(index).header.next.set(next),
        }
        process.account.refund(Resource::Mappings, 1);
        process.hollow.sub((mapping.access.get() == 0).into());
        self.mappings.release(mapping.index());
    }

    /// Puts a record into its object's list: first if it is writable, else last.
    pub(super) fn link_to(&self, mapping: &Mapping) {
        let memory = self.memories.at(mapping.memory.get());
        let (first, last) = (&memory.mappings, &memory.last_mapping);
        let index = mapping.index();
        let (before, after) = if mapping.writable() { (0, first.get()) } else { (last.get(), 0) };
        mapping.previous.set(before);
        mapping.next.set(after);
        match before {
            0 => first.set(index),
            before => self.mappings.at(before).next.set(index),
        }
        match after {
            0 => last.set(index),
            after => self.mappings.at(after).previous.set(index),
        }
    }

    /// Takes a record out of its object's list.
    pub(super) fn unlink_from(&self, mapping: &Mapping) {
        let memory = self.memories.at(mapping.memory.get());
        let (first, last) = (&memory.mappings, &memory.last_mapping);
        let (next, previous) = (mapping.next.get(), mapping.previous.get());
        match previous {
            0 => first.set(next),
            index => self.mappings.at(index).next.set(next),
        }
        match next {
            0 => last.set(previous),
            index => self.mappings.at(index).previous.set(previous),
        }
    }

    /// Clears the entries of a run of pages and asks for the fence.
    pub(super) fn clear_pages(&self, cpu: Here, process: &Process, pages: Range<u32>) {
        self.unset_pages(process.root.get(), pages);
        cpu.ask_fence(process.asid.get());
    }

    /// One step of removing a whole mapping: up to a batch of pages from its end. Frames may be freed only after the
    /// fence that this asks for: whoever calls answers [`crate::caps::revoke::Progress::More`].
    pub(super) fn unmap_step(&self, cpu: Here, mapping: &Mapping) {
        let span = mapping.span();
        let process = self.processes.at(mapping.header.owner.get());
        let batch = span.pages.min(MAP_BATCH as u32);
        if span.access != 0 {
            self.clear_pages(cpu, process, span.end() - batch..span.end());
        }
        if batch < span.pages && span.access != 0 {
            mapping.pages.set(span.pages - batch);
        } else {
            self.remove_mapping(mapping);
        }
    }
}
