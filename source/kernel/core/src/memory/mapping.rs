//! Mappings: which pages of which object stand where in which address space.
//!
//! A record says what the page tables say, in runs of pages; the invariant check compares the two. A record is in two
//! lists: its address space's, and its object's.

use super::{object::Memory, tree::valid};
use crate::links::follow;
use crate::prelude::*;
use nexus_abi::layout::{PAGE_SIZE, USER_END};

/// One contiguous mapping. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Mapping {
    /// Object header. The owner is the process in whose address space it stands, and whose quota pays; its links are those
    /// of the address space.
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
    /// Neighbours in the object's list of mappings.
    pub links: Links,
}

impl Object for Mapping {
    fn header(&self) -> &Header {
        &self.header
    }
}

/// What a mapping says.
#[derive(Clone, Copy, PartialEq, Eq)]
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
        Span { offset: self.offset + self.pages, page: self.end(), pages: next.pages, ..*self } == *next
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

    fn set(&self, span: &Span) {
        self.memory.set(span.memory);
        self.slot.set(span.slot);
        self.page.set(span.page);
        self.offset.set(span.offset);
        self.pages.set(span.pages);
        self.access.set(span.access.into());
    }

    fn end(&self) -> u32 {
        self.page.get() + self.pages.get()
    }
}

impl Kernel {
    /// The mappings of an address space. Linear in their number, which the quota bounds.
    pub(crate) fn mappings_of(&self, process: &Process) -> impl Iterator<Item = &'static Mapping> + use<'_> {
        follow(process.mappings.get(), |index| self.mappings.at(index), |mapping| &mapping.header.links.next)
    }

    /// The mappings of an object.
    pub(crate) fn mappings_to(&self, memory: &Memory) -> impl Iterator<Item = &'static Mapping> + use<'_> {
        follow(memory.mappings.get(), |index| self.mappings.at(index), |mapping| &mapping.links.next)
    }

    /// The mapping that a page belongs to.
    pub(super) fn mapping_at(&self, process: &Process, page: u32) -> Option<&'static Mapping> {
        self.mappings_of(process).find(|mapping| (mapping.page.get()..mapping.end()).contains(&page))
    }

    /// Adds a record and charges it: the caller has checked that both fit.
    fn add_mapping(&self, process: &Process, memory: &Memory, span: &Span) {
        let mapping = self.mappings.allocate(process.header.shard());
        let (index, at) = (mapping.header.index(), |index| self.mappings.at(index));
        mapping.header.owner.set(process.index());
        mapping.header.links.join(&process.mappings, index, |index| &at(index).header.links);
        mapping.links.join(&memory.mappings, index, |index| &at(index).links);
        process.account.charge(Resource::Mappings, 1);
        mapping.set(span);
    }

    /// Takes a record out of both lists and gives it back.
    pub(super) fn remove_mapping(&self, process: &Process, mapping: &Mapping) {
        let at = |index| self.mappings.at(index);
        mapping.header.links.leave(&process.mappings, |index| &at(index).header.links);
        mapping.links.leave(&self.memories.at(mapping.memory.get()).mappings, |index| &at(index).links);
        process.account.refund(Resource::Mappings, 1);
        mapping.header.end(&self.mappings.pool);
    }

    /// Makes a run of pages part of the record that it continues, or a record of its own.
    pub(super) fn join_or_add(&self, process: &Process, memory: &Memory, beside: Option<&Mapping>, span: &Span) {
        let Some(mapping) = beside else {
            self.add_mapping(process, memory, span);
            return;
        };
        let old = mapping.span();
        let first = if old.page < span.page { old } else { *span };
        mapping.set(&Span { pages: old.pages + span.pages, ..first });
    }

    /// The record that a run of pages continues, or that continues it: one whose pages are mapped, so only with a mapped
    /// page beside the run is there anything to search for.
    pub(super) fn continued(&self, process: &Process, span: &Span) -> Option<&'static Mapping> {
        let at = |page| self.entry(process.tree(), 0, page).and_then(|entry| valid(entry.get()));
        let mapped = |page: u32| u64::from(page) < USER_END / PAGE_SIZE as u64 && at(page).is_some();
        if !mapped(span.page - 1) && !mapped(span.end()) {
            return None;
        }
        self.mappings_of(process).find(|mapping| {
            let old = mapping.span();
            old.continues(span) || span.continues(&old)
        })
    }

    /// Takes so many pages from `page` on out of a record; what is left of it stays. A hole takes one more record.
    pub(super) fn cut(&self, process: &Process, mapping: &Mapping, page: u32, pages: u32) {
        let (before, after) = (page - mapping.page.get(), mapping.end() - (page + pages));
        if before + after == 0 {
            return self.remove_mapping(process, mapping);
        }
        let rest = mapping.span().part(page + pages, after);
        if before == 0 {
            return mapping.set(&rest);
        }
        mapping.pages.set(before);
        if after > 0 {
            self.add_mapping(process, self.memories.at(rest.memory), &rest);
        }
    }
}
