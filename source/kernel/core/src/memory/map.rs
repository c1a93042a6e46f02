//! Map, unmap, protect: the calls that change an address space.
//!
//! Each works on one batch of pages inside one record and answers how many, so that no call is long and a caller that
//! wants more goes on behind them.

use super::{
    frames::Frame,
    mapping::{Mapping, Span},
    object::{Backing, Memory, Stage},
    stash::Stash,
    table::set_entries,
};
use crate::{
    Kernel,
    caps::revoke::Progress,
    event::{Context, Stop, Verdict, serve::Serve},
    lock::ShardSet,
    process::{Process, quota::Resource},
};
use nexus_abi::{
    Error, Rights,
    layout::{MAP_BATCH, PAGE_SIZE, USER_END, USER_START},
    syscall::{Map, Mapped, Protect, Protected, Unmap, Unmapped, access},
};

/// First page of a user range. `EINVAL`: misaligned or empty. `EFAULT`: not all of it is user space.
pub(super) fn user_page(address: u64, pages: u64) -> Result<u32, Error> {
    if !address.is_multiple_of(PAGE_SIZE as u64) || pages == 0 {
        return Err(Error::Invalid);
    }
    let end = pages.checked_mul(PAGE_SIZE as u64).and_then(|bytes| address.checked_add(bytes));
    match end {
        Some(end) if address >= USER_START && end <= USER_END => Ok((address / PAGE_SIZE as u64) as u32),
        _ => Err(Error::BadAddress),
    }
}

/// Access bits with what they imply. `EINVAL`: none, or unknown ones. `EPERM`: writable and executable.
fn effective(bits: u8) -> Result<u8, Error> {
    if bits == 0 || bits & !(access::READ | access::WRITE | access::EXECUTE) != 0 {
        return Err(Error::Invalid);
    }
    if bits & access::WRITE != 0 && bits & access::EXECUTE != 0 {
        return Err(Error::Permission);
    }
    Ok(bits | access::READ)
}

/// What a capability must allow for this access.
fn rights_for(bits: u8) -> Rights {
    if bits & access::WRITE != 0 { Rights::USE.union(Rights::TAKE) } else { Rights::USE }
}

/// `EPERM` unless an object may be mapped so: writable until it is sealed, executable from then on.
fn allows(memory: &Memory, bits: u8) -> Result<(), Error> {
    let write = bits & access::WRITE != 0;
    let execute = bits & access::EXECUTE != 0;
    let refused = match memory.backing() {
        Backing::Device => execute,
        Backing::Fixed => write || execute && memory.stage() != Stage::Sealed,
        Backing::Frames => write && memory.stage() != Stage::Open || execute && memory.stage() != Stage::Sealed,
    };
    if refused { Err(Error::Permission) } else { Ok(()) }
}

/// Where a new mapping goes.
struct Room<'a> {
    /// Its object.
    memory: &'a Memory,
    /// The one table with its entries, if there is one.
    table: Option<&'static Frame>,
    /// Table frames that it takes.
    tables: u32,
    /// The record that it continues.
    beside: Option<&'static Mapping>,
}

impl Kernel {
    /// `EOVERLIMIT`, `ENOMEM` unless a process can have that many more records.
    fn check_records(&self, process: &Process, count: u32) -> Result<(), Error> {
        process.account.check(Resource::Mappings, count)?;
        if count <= self.mappings.capacity() - self.mappings.used() { Ok(()) } else { Err(Error::Exhausted) }
    }

    /// Where a new mapping goes, or why it cannot be.
    #[inline(always)]
    fn check_span<'a>(&self, process: &Process, memory: &'a Memory, span: &Span) -> Result<Room<'a>, Error> {
        let pages = span.page..span.end();
        self.check_hollow(process, pages.clone())?;
        let table = self.only_table(process.root.get(), &pages)?;
        let mut tables = 0;
        if table.is_none() {
            tables = self.missing_tables(process.root.get(), pages)?;
            process.account.check(Resource::Frames, tables)?;
        }
        let beside = if memory.mappings.get() == 0 { None } else { self.continued(process, span) };
        if beside.is_none() {
            self.check_records(process, 1)?;
        }
        Ok(Room { memory, table, tables, beside })
    }

    /// Maps what [`Kernel::check_span`] allowed, with a stash of the frames it counted.
    #[inline(always)]
    fn map_span(&self, process: &Process, span: &Span, room: &Room<'_>, stash: &mut Stash) {
        match room.table {
            Some(table) => {
                set_entries(table, span.page..span.end(), span.access, |page| {
                    self.page_address(room.memory, page - span.page + span.offset)
                });
            }
            None => {
                self.add_tables(process, span.page..span.end(), stash);
                self.set_span_pages(process, span);
            }
        }
        self.join_or_add(process, room.beside, span);
    }

    /// Makes the tables say what a span says.
    fn set_span_pages(&self, process: &Process, span: &Span) {
        let memory = self.memories.at(span.memory);
        self.set_pages(process.root.get(), span.page..span.end(), span.access, |page| {
            self.page_address(memory, page - span.page + span.offset)
        });
    }

    /// Maps pages of an object outside any system call, for the first process: as many as wanted.
    pub(crate) fn map_first(&self, process: &Process, memory: &Memory, address: u64, bits: u8) -> Result<(), Error> {
        let (pages, access) = (memory.pages.get(), effective(bits)?);
        let page = user_page(address, pages.into())?;
        allows(memory, access)?;
        let whole = Span { memory: memory.index(), slot: 0, page, offset: 0, pages, access };
        for start in (0..pages).step_by(MAP_BATCH as usize) {
            let span = whole.part(page + start, (pages - start).min(MAP_BATCH as u32));
            let mut stash = Stash::new(&self.frames);
            let room = self.check_span(process, memory, &span)?;
            stash.fill(room.tables)?;
            self.map_span(process, &span, &room, &mut stash);
        }
        Ok(())
    }

    /// True if removing this record leaves an object that nothing names.
    pub(super) fn last_use(&self, mapping: &Mapping) -> bool {
        let memory = self.memories.at(mapping.memory.get());
        let only = memory.mappings.get() == mapping.index() && memory.last_mapping.get() == mapping.index();
        only && memory.header.capabilities.get() == 0 && memory.stage() != Stage::Gone
    }
}

/// The pages that a call asks for, through which capability: what of them one batch does.
#[inline(always)]
fn asked(context: &Context, call: &Map, page: u32, access: u8) -> Result<(&'static Memory, Span), Error> {
    let (found, memory) = context.memory(call.memory, rights_for(access))?;
    allows(memory, access)?;
    if found.slot.revoking() {
        return Err(Error::State);
    }
    let reached = found.slot.part(|| memory.pages.get());
    if call.offset.checked_add(call.pages).is_none_or(|end| end > reached.pages.into()) {
        return Err(Error::Invalid);
    }
    let (offset, pages) = (reached.offset + call.offset as u32, call.pages.min(MAP_BATCH) as u32);
    Ok((memory, Span { memory: memory.index(), slot: found.place, page, offset, pages, access }))
}

/// Needs `USE` on memory or window, `TAKE` too for writing, and `USE` on another process. `EINVAL`: alignment, no pages,
/// pages that the capability does not reach, unknown access. `EFAULT`: not user space. `EPERM`: a right, or an access that the object
/// never allows. `EEXIST`: something is mapped there. `ESTATE`: the capability is being revoked. `EOVERLIMIT`: the quota of
/// `process`. `ENOMEM`.
impl Serve for Map {
    fn serve(self, context: &Context) -> Verdict<Mapped> {
        let kernel = context.kernel;
        let page = user_page(self.address, self.pages)?;
        let bits = effective(self.access)?;
        let mut stash = Stash::new(&kernel.frames);
        loop {
            let held = kernel.shards.hold(ShardSet::ALL);
            let process = context.subject(self.process, Rights::USE)?;
            let (memory, span) = asked(context, &self, page, bits)?;
            let room = kernel.check_span(process, memory, &span)?;
            if room.tables <= stash.len() {
                kernel.map_span(process, &span, &room, &mut stash);
                // An implementation may keep that a page was not mapped (privileged specification, "sfence.vma").
                context.cpu.ask_fence(process.asid.get());
                return Ok(Mapped { pages: span.pages.into() });
            }
            drop(held);
            stash.fill(room.tables)?;
        }
    }
}

/// `EINVAL`: alignment, no pages. `EFAULT`: not user space. `EOVERLIMIT`, `ENOMEM`: a hole in a mapping takes a record.
/// Answers 0 if nothing is mapped at `address`. If this was the last use of an object, it is freed on the way.
impl Serve for Unmap {
    fn serve(self, context: &Context) -> Verdict<Unmapped> {
        let kernel = context.kernel;
        let page = user_page(self.address, self.pages)?;
        let _held = kernel.shards.hold(ShardSet::ALL);
        let process = context.subject(self.process, Rights::USE)?;
        let Some(mapping) = kernel.mapping_at(process, page) else { return Ok(Unmapped { pages: 0 }) };
        let span = mapping.span();
        let pages = self.pages.min(MAP_BATCH).min((span.end() - page).into()) as u32;
        let done = Unmapped { pages: pages.into() };
        if span.access == 0 {
            return match kernel.retire(mapping) {
                Progress::Done => Ok(done),
                Progress::More => Err(Stop::Restart),
            };
        }
        let hole = page > span.page && page + pages < span.end();
        kernel.check_records(process, hole.into())?;
        kernel.clear_pages(context.cpu, process, page..page + pages);
        if pages < span.pages {
            kernel.cut(process, mapping, page..page + pages);
        } else if kernel.last_use(mapping) {
            kernel.hollow(mapping);
            return Err(Stop::Restart);
        } else {
            kernel.remove_mapping(mapping);
        }
        Ok(done)
    }
}

/// `EINVAL`: alignment, no pages, unknown access. `EFAULT`: not user space, or not mapped. `EPERM`: more access than
/// there is. `EOVERLIMIT`, `ENOMEM`: a part of a mapping that differs takes a record.
impl Serve for Protect {
    fn serve(self, context: &Context) -> Verdict<Protected> {
        let kernel = context.kernel;
        let page = user_page(self.address, self.pages)?;
        let access = effective(self.access)?;
        let _held = kernel.shards.hold(ShardSet::ALL);
        let process = context.subject(self.process, Rights::USE)?;
        let mapping = kernel.mapping_at(process, page).ok_or(Error::BadAddress)?;
        let span = mapping.span();
        if span.access == 0 {
            return Err(Error::BadAddress.into());
        }
        if access & !span.access != 0 {
            return Err(Error::Permission.into());
        }
        let pages = self.pages.min(MAP_BATCH).min((span.end() - page).into()) as u32;
        let part = Span { access, ..span.part(page, pages) };
        if access != span.access {
            let ends = u32::from(page > span.page) + u32::from(part.end() < span.end());
            let joins = ends < 2 && kernel.continued(process, &part).is_some();
            kernel.check_records(process, if joins { 0 } else { ends })?;
            kernel.cut(process, mapping, page..part.end());
            kernel.narrow(context, process, &part);
        }
        Ok(Protected { pages: pages.into() })
    }
}

impl Kernel {
    /// Takes a run of pages out of a record; what is left of it stays. A hole takes one more record.
    fn cut(&self, process: &Process, mapping: &Mapping, run: core::ops::Range<u32>) {
        let span = mapping.span();
        let before = span.part(span.page, run.start - span.page);
        let after = span.part(run.end, span.end() - run.end);
        match (before.pages, after.pages) {
            (0, 0) => self.remove_mapping(mapping),
            (0, _) => self.set_span(mapping, &after),
            (_, 0) => self.set_span(mapping, &before),
            _ => {
                self.set_span(mapping, &before);
                self.add_mapping(process, &after);
            }
        }
    }

    /// Gives pages that were just cut out of a record back with less access.
    fn narrow(&self, context: &Context, process: &Process, part: &Span) {
        self.set_span_pages(process, part);
        context.cpu.ask_fence(process.asid.get());
        self.join_or_add(process, self.continued(process, part), part);
    }
}
