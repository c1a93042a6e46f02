//! Map, unmap, protect: the calls that change an address space.
//!
//! Each works on one batch of pages inside one record and answers how many, so that no call is long and a caller that
//! wants more goes on behind them.

use super::mapping::{Mapping, Span};
use super::object::Memory;
use super::tree::{TAKEN, batch, leaf, valid};
use crate::prelude::*;
use nexus_abi::layout::{PAGE_SIZE, USER_END, USER_START};

/// First page of a user range. `EINVAL`: misaligned or empty. `EFAULT`: not all of it is user space.
pub(crate) fn user_page(address: u64, pages: u64) -> Result<u32, Error> {
    if !address.is_multiple_of(PAGE_SIZE as u64) || pages == 0 {
        return Err(Error::Invalid);
    }
    let room = USER_END.saturating_sub(address) / PAGE_SIZE as u64;
    if address >= USER_START && pages <= room { Ok(page_of(address)) } else { Err(Error::BadAddress) }
}

/// The page at an address of user space.
pub(crate) fn page_of(address: u64) -> u32 {
    (address / PAGE_SIZE as u64) as u32
}

/// Access bits with what they imply. `EINVAL`: none, or unknown ones. `EPERM`: writable and executable.
fn effective(bits: u8) -> Result<u8, Error> {
    const BOTH: u8 = access::WRITE | access::EXECUTE;
    match bits {
        1..8 if bits & BOTH == BOTH => Err(Error::Permission),
        1..8 => Ok(bits | access::READ),
        _ => Err(Error::Invalid),
    }
}

impl Kernel {
    /// Makes the entries of a span say what it says.
    #[inline(always)]
    fn set_entries(&self, entries: &[Word], memory: &Memory, span: &Span) {
        for (page, entry) in (span.offset..).zip(entries) {
            entry.set(self.page_address(memory, page).map_or(0, |address| leaf(address, span.access)));
        }
    }

    /// True if removing this record leaves an object that nothing names.
    pub(super) fn last_use(&self, mapping: &Mapping) -> bool {
        let memory = self.memories.at(mapping.memory.get());
        let only = mapping.links.next.get() | mapping.links.previous.get() == 0;
        only && memory.header.capabilities.get() == 0 && memory.header.alive()
    }
}

/// Needs `USE` on memory or window, `TAKE` too for writing, and `USE` on another process. `EINVAL`: alignment, no pages,
/// pages that the capability does not reach, unknown access. `EFAULT`: not user space. `EPERM`: a right, or an access that the object
/// never allows. `EEXIST`: something is mapped there. `ESTATE`: the capability is being revoked. `EOVERLIMIT`: the quota of
/// `process`. `ENOMEM`.
pub(crate) fn map(context: &Context, call: Map) -> Verdict<Mapped> {
    let kernel = context.kernel;
    let page = user_page(call.address, call.pages)?;
    let access = effective(call.access)?;
    let rights = if access & access::WRITE != 0 { Rights::USE.union(Rights::TAKE) } else { Rights::USE };
    let (mut stash, _held, (process, memory, span, mut entries, beside)) = kernel.with_frames(|| {
        let process = context.subject(call.process, Rights::USE)?;
        let (slot, memory) = context.memory(call.memory, rights)?;
        if access & !(memory.allowed.get() as u8) != 0 {
            return Err(Error::Permission);
        }
        if slot.revoking.get() == 1 {
            return Err(Error::State);
        }
        // As much of what the capability reaches as one batch does.
        let reached = slot.part(|| memory.pages.get());
        if call.offset.checked_add(call.pages).is_none_or(|end| end > reached.pages.into()) {
            return Err(Error::Invalid);
        }
        let (offset, pages) = (reached.offset + call.offset as u32, batch(page, call.pages));
        let (memory_index, slot) = (memory.header.index(), slot.place.get());
        let span = Span { memory: memory_index, slot, page, offset, pages, access };
        let (entries, tables) = kernel.check_pages(process, page, span.pages)?;
        let beside = if memory.mappings.get() == 0 { None } else { kernel.continued(process, &span) };
        if beside.is_none() {
            process.account.check_places(&kernel.mappings.pool, Resource::Mappings, 1)?;
        }
        Ok((tables, (process, memory, span, entries, beside)))
    })?;
    if entries.is_empty() {
        kernel.reach(process.tree(), page, &process.account, &mut stash);
        entries = kernel.entries(process, page, span.pages);
    }
    kernel.set_entries(entries, memory, &span);
    kernel.join_or_add(process, memory, beside, &span);
    // An implementation may keep that a page was not mapped (privileged specification, "sfence.vma").
    context.cpu.ask_fence(process.index());
    Ok(Mapped { pages: span.pages.into() })
}

/// `EINVAL`: alignment, no pages. `EFAULT`: not user space. `EOVERLIMIT`, `ENOMEM`: a hole in a mapping takes a record.
/// Answers 0 if nothing is mapped at `address`. If this was the last use of an object, it is freed on the way.
pub(crate) fn unmap(context: &Context, call: Unmap) -> Verdict<Unmapped> {
    let page = user_page(call.address, call.pages)?;
    let (kernel, _held) = context.hold_all();
    let process = context.subject(call.process, Rights::USE)?;
    let Some(mapping) = kernel.mapping_at(process, page) else { return Ok(Unmapped { pages: 0 }) };
    let span = mapping.span();
    let pages = batch(page, call.pages.min((span.end() - page).into()));
    let done = Unmapped { pages: pages.into() };
    let last = pages == span.pages && kernel.last_use(mapping);
    if last {
        // Until the object is gone nothing else may stand here: the record is how the next step finds it.
        kernel.set_pages(process, page, pages, TAKEN);
        context.cpu.ask_fence(process.index());
    }
    if last || span.access == 0 {
        kernel.retire(process, mapping)?;
        kernel.set_pages(process, span.page, span.pages, 0);
        return Ok(done);
    }
    let hole = page > span.page && page + pages < span.end();
    process.account.check_places(&kernel.mappings.pool, Resource::Mappings, hole.into())?;
    kernel.clear_pages(context.cpu, process, page, pages);
    kernel.cut(process, mapping, page, pages);
    Ok(done)
}

/// `EINVAL`: alignment, no pages, unknown access. `EFAULT`: not user space, or not mapped. `EPERM`: more access than
/// there is. `EOVERLIMIT`, `ENOMEM`: a part of a mapping that differs takes a record.
pub(crate) fn protect(context: &Context, call: Protect) -> Verdict<Protected> {
    let page = user_page(call.address, call.pages)?;
    let access = effective(call.access)?;
    let (kernel, _held) = context.hold_all();
    let process = context.subject(call.process, Rights::USE)?;
    let mapping = kernel.mapping_at(process, page).ok_or(Error::BadAddress)?;
    let span = mapping.span();
    if span.access == 0 {
        return Err(Error::BadAddress.into());
    }
    if access & !span.access != 0 {
        return Err(Error::Permission.into());
    }
    let pages = batch(page, call.pages.min((span.end() - page).into()));
    let part = Span { access, ..span.part(page, pages) };
    if access != span.access {
        let ends = u32::from(page > span.page) + u32::from(part.end() < span.end());
        let joins = ends < 2 && kernel.continued(process, &part).is_some();
        process.account.check_places(&kernel.mappings.pool, Resource::Mappings, if joins { 0 } else { ends })?;
        kernel.cut(process, mapping, page, pages);
        let memory = kernel.memories.at(span.memory);
        let entries = kernel.entries(process, page, pages).iter();
        entries.for_each(|entry| entry.set(valid(entry.get()).map_or(0, |address| leaf(address, access))));
        context.cpu.ask_fence(process.index());
        kernel.join_or_add(process, memory, kernel.continued(process, &part), &part);
    }
    Ok(Protected { pages: pages.into() })
}
