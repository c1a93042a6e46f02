//! Memory objects: how they are made, grown and taken apart.
//!
//! Pages of an object made of frames are named in an index: none for a single page, one frame of 512 words for up to 512,
//! else a frame of index frames. Pages are only ever added at the end, so the index needs no holes.

use super::{frames::FRAME_WORDS, stash::Stash};
use crate::{
    Kernel,
    arena::{Header, Object, Tag},
    caps::{Capability, revoke::Progress, table::Found},
    event::{Context, Verdict, serve::Serve},
    lock::ShardSet,
    process::{Process, quota::Resource},
    word::{Half, Word},
};
use core::ops::Range;
use nexus_abi::{
    Error, Handle, Kind, Rights,
    layout::{GROW_BATCH, PAGE_SIZE},
    syscall::{MemoryCreate, MemoryCreated, MemoryGrow, MemoryGrown},
};

/// Most pages of one object: what two levels of index name.
pub const MAX_PAGES: u32 = (FRAME_WORDS * FRAME_WORDS) as u32;
/// Pages that one step of taking an object apart frees at most.
const FREE_BATCH: u32 = 64;
const INDEXED: u32 = FRAME_WORDS as u32;

/// What a memory object is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Backing {
    /// Frames of the pool, named in index frames; charged to the owner.
    Frames = 0,
    /// A range of physical memory that is nobody's to give back: part of the boot image, the device tree. Read-only.
    Fixed = 1,
    /// A range of device registers.
    Device = 2,
}

/// How far an object is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stage {
    /// May grow, and be mapped writable.
    Open = 0,
    /// Its writable mappings are being removed: no new ones, no growth, not yet executable.
    Sealing = 1,
    /// Executable, never again writable.
    Sealed = 2,
    /// Being taken apart: nothing can be done with it any more.
    Gone = 3,
}

/// A memory object or device window. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Memory {
    /// Object header.
    pub header: Header,
    backing: Half,
    stage: Half,
    /// Pages it has.
    pub pages: Half,
    /// Pages it may have.
    pub limit: Half,
    /// Frames: the only page, or the index frame (512 words: frame numbers, or index frames of those above 512 pages); 0
    /// while it is empty. Else: unused.
    pub root: Half,
    /// First of its mappings. Writable ones come first.
    pub mappings: Half,
    /// Last of its mappings.
    pub last_mapping: Half,
    /// Fixed and device: physical address.
    pub address: Word,
}

impl Memory {
    /// What it is made of.
    pub fn backing(&self) -> Backing {
        match self.backing.get() {
            0 => Backing::Frames,
            1 => Backing::Fixed,
            _ => Backing::Device,
        }
    }

    /// How far it is in its life.
    pub fn stage(&self) -> Stage {
        match self.stage.get() {
            0 => Stage::Open,
            1 => Stage::Sealing,
            2 => Stage::Sealed,
            _ => Stage::Gone,
        }
    }

    pub(crate) fn set_stage(&self, stage: Stage) {
        self.stage.set(stage as u32);
    }

    /// The kind that capabilities to it have.
    pub fn kind(&self) -> Kind {
        if self.backing() == Backing::Device { Kind::Window } else { Kind::Memory }
    }

    /// True while it is of no use to anybody: no capability and no mapping names it.
    pub(super) fn orphaned(&self) -> bool {
        self.header.capabilities.get() == 0 && self.mappings.get() == 0
    }

    /// Its index in the arena.
    pub(super) fn index(&self) -> u32 {
        self.header.me() as u32
    }

    /// Levels of index frames above its pages.
    fn levels(&self) -> u32 {
        match self.limit.get() {
            ..=1 => 0,
            2..=INDEXED => 1,
            _ => 2,
        }
    }

    /// How many of these pages an index names.
    fn indexed(&self, pages: u32) -> u32 {
        if self.levels() == 0 { 0 } else { pages }
    }
}

impl Object for Memory {
    fn header(&self) -> &Header {
        &self.header
    }
}

/// What a new object is.
pub(crate) struct Shape {
    /// What it is made of.
    pub(crate) backing: Backing,
    /// Physical address of what is not frames.
    pub(crate) address: u64,
    /// Pages it has from the start.
    pub(crate) pages: u32,
    /// Pages it may have.
    pub(crate) limit: u32,
}

impl Shape {
    /// An object for frames, without any.
    pub(crate) fn empty(limit: u32) -> Shape {
        Shape { backing: Backing::Frames, address: 0, pages: 0, limit }
    }
}

impl Kernel {
    /// Makes an object and charges it; `EOVERLIMIT`, `ENOMEM`. Holds all shards.
    pub(crate) fn make_memory(&self, owner: &Process, shape: &Shape) -> Result<&'static Memory, Error> {
        owner.account.check(Resource::Memories, 1)?;
        let memory = self.memories.allocate(owner.header.shard()).ok_or(Error::Exhausted)?;
        memory.backing.set(shape.backing as u32);
        memory.set_stage(Stage::Open);
        memory.pages.set(shape.pages);
        memory.limit.set(shape.limit);
        memory.address.set(shape.address);
        for word in [&memory.root, &memory.mappings, &memory.last_mapping] {
            word.set(0);
        }
        owner.account.charge(Resource::Memories, 1);
        self.windows.add(u32::from(shape.backing == Backing::Device));
        self.own(owner, Tag::new(memory.kind(), memory.index()));
        Ok(memory)
    }

    /// Makes an object over physical memory that stays where it is, such as a part of the boot image. It is read-only;
    /// [`Stage::Sealed`] makes it executable. The range is page-aligned. Holds all shards.
    pub(crate) fn fixed_memory(
        &self,
        owner: &Process,
        range: Range<u64>,
        stage: Stage,
    ) -> Result<&'static Memory, Error> {
        let page = PAGE_SIZE as u64;
        let pages = u32::try_from(range.end.saturating_sub(range.start) / page).map_err(|_| Error::OverLimit)?;
        if !range.start.is_multiple_of(page) || !range.end.is_multiple_of(page) || pages == 0 {
            return Err(Error::Invalid);
        }
        let shape = Shape { backing: Backing::Fixed, address: range.start, pages, limit: pages };
        let memory = self.make_memory(owner, &shape)?;
        memory.set_stage(stage);
        Ok(memory)
    }

    /// The index word of a page; `None` if its index frame is not there.
    fn index_word(&self, memory: &Memory, page: u32) -> Option<&'static Word> {
        let root = memory.root.get();
        let (index, at) = match memory.levels() {
            0 => return None,
            1 => (root, page),
            _ => (self.upper(memory, page).get() as u32, page % INDEXED),
        };
        if root == 0 || index == 0 { None } else { self.frames.at(index).0.get(at as usize) }
    }

    /// Of an object with two levels: the word that names the index frame of a page.
    fn upper(&self, memory: &Memory, page: u32) -> &'static Word {
        &self.frames.at(memory.root.get()).0[(page / INDEXED) as usize % FRAME_WORDS]
    }

    /// The frame of a page.
    fn page_frame(&self, memory: &Memory, page: u32) -> Option<u32> {
        if memory.levels() == 0 {
            return Some(memory.root.get());
        }
        self.index_word(memory, page).map(|word| word.get() as u32)
    }

    /// Physical address of a page that the object has.
    pub(crate) fn page_address(&self, memory: &Memory, page: u32) -> Option<u64> {
        if page >= memory.pages.get() {
            return None;
        }
        match memory.backing() {
            Backing::Frames => self.page_frame(memory, page).map(|frame| self.frames.address(frame)),
            Backing::Fixed | Backing::Device => Some(memory.address.get() + u64::from(page) * PAGE_SIZE as u64),
        }
    }

    /// Index frames that adding `pages` pages would take.
    fn missing_index(&self, memory: &Memory, pages: u32) -> u32 {
        let root = u32::from(memory.root.get() == 0);
        let end = memory.pages.get() + pages;
        match memory.levels() {
            0 => 0,
            1 => root,
            _ => root + end.div_ceil(INDEXED) - memory.pages.get().div_ceil(INDEXED),
        }
    }

    /// Adds pages from a stash that holds them and the index frames they need, and charges all of them.
    pub(crate) fn append(&self, memory: &Memory, pages: u32, stash: &mut Stash) {
        let owner = self.processes.at(memory.header.owner.get());
        owner.account.charge(Resource::Frames, pages + self.missing_index(memory, pages));
        if memory.root.get() == 0 {
            memory.root.set(stash.take().unwrap_or(0));
        }
        for page in memory.pages.get()..memory.pages.get() + memory.indexed(pages) {
            if memory.levels() == 2 && page.is_multiple_of(INDEXED) {
                self.upper(memory, page).set(stash.take().unwrap_or(0).into());
            }
            if let Some((word, frame)) = self.index_word(memory, page).zip(stash.take()) {
                word.set(frame.into());
            }
        }
        memory.pages.add(pages);
    }

    /// Pages that one call may add, and the frames this takes; or why none.
    pub(crate) fn growth(&self, memory: &Memory, wanted: u64) -> Result<(u32, u32), Error> {
        let owner = self.processes.at(memory.header.owner.get());
        if !owner.running() || memory.stage() == Stage::Gone {
            return Err(Error::PeerClosed);
        }
        if memory.backing() != Backing::Frames || memory.stage() != Stage::Open {
            return Err(Error::State);
        }
        let room = memory.limit.get() - memory.pages.get();
        if room == 0 {
            return Err(Error::OverLimit);
        }
        let pages = wanted.min(GROW_BATCH).min(room.into()) as u32;
        let frames = pages + self.missing_index(memory, pages);
        owner.account.check(Resource::Frames, frames)?;
        Ok((pages, frames))
    }

    /// One step of freeing an object's frames, last page first; none of them may be mapped on any CPU.
    pub(super) fn free_pages_step(&self, memory: &Memory) -> Progress {
        if !self.fences_done() {
            return Progress::More;
        }
        let owner = self.processes.at(memory.header.owner.get());
        let free = |frame: u32| {
            owner.account.refund(Resource::Frames, 1);
            self.frames.release(frame);
        };
        if memory.backing() == Backing::Frames {
            for _ in 0..FREE_BATCH {
                let Some(page) = memory.pages.get().checked_sub(1) else { break };
                if let Some(word) = self.index_word(memory, page) {
                    free(word.take() as u32);
                }
                if memory.levels() == 2 && page.is_multiple_of(INDEXED) {
                    free(self.upper(memory, page).take() as u32);
                }
                memory.pages.set(page);
            }
            if memory.pages.get() > 0 {
                return Progress::More;
            }
            if memory.root.get() != 0 {
                free(memory.root.get());
                memory.root.set(0);
            }
        }
        Progress::Done
    }

    /// Ends an object that has neither mappings nor frames any more.
    pub(super) fn end_memory(&self, memory: &Memory) {
        let index = memory.index();
        self.disown(Tag::new(memory.kind(), index));
        self.processes.at(memory.header.owner.get()).account.refund(Resource::Memories, 1);
        self.windows.sub(u32::from(memory.backing() == Backing::Device));
        self.memories.release(index);
    }
}

impl Context {
    /// The object behind a capability of the caller to memory or a window, and that capability.
    pub(super) fn memory(&self, handle: Handle, rights: Rights) -> Result<(Found, &'static Memory), Error> {
        let found = self.kernel.slot(self.process(), handle)?;
        if !found.slot.kind().is_some_and(Kind::is_memory) {
            return Err(Error::WrongKind);
        }
        if !found.slot.rights().contains(rights) {
            return Err(Error::Permission);
        }
        let memory = self.kernel.memories.get(found.slot.object.get()).filter(|memory| memory.stage() != Stage::Gone);
        Ok((found, memory.ok_or(Error::PeerClosed)?))
    }

    /// [`Context::memory`] that must not be a window, with the right to change it.
    pub(super) fn own_memory(&self, handle: Handle) -> Result<&'static Memory, Error> {
        let (found, memory) = self.memory(handle, Rights::NONE)?;
        if found.slot.kind() != Some(Kind::Memory) {
            return Err(Error::WrongKind);
        }
        if !found.slot.rights().contains(Rights::MANAGE) {
            return Err(Error::Permission);
        }
        Ok(memory)
    }
}

/// `EINVAL`: no pages. `EOVERLIMIT`: more than [`MAX_PAGES`].
impl Serve for MemoryCreate {
    fn serve(self, context: &Context) -> Verdict<MemoryCreated> {
        let kernel = context.kernel;
        let limit = match self.pages {
            0 => return Err(Error::Invalid.into()),
            pages if pages > u64::from(MAX_PAGES) => return Err(Error::OverLimit.into()),
            pages => pages as u32,
        };
        let _held = kernel.shards.hold(ShardSet::ALL);
        let owner = context.subject(self.process, Rights::USE)?;
        context.check_new(owner, Resource::Memories)?;
        let memory = kernel.make_memory(owner, &Shape::empty(limit))?;
        let handle = kernel.insert(context.process(), &Capability::full(Kind::Memory, memory), 0)?;
        Ok(MemoryCreated { memory: handle })
    }
}

/// Needs `MANAGE`. `EINVAL`: no pages. `EOVERLIMIT`: the object's bound, or its owner's quota. `ESTATE`: sealed, or no
/// frames of its own. `ENOMEM`: the machine has no frames left.
impl Serve for MemoryGrow {
    fn serve(self, context: &Context) -> Verdict<MemoryGrown> {
        let kernel = context.kernel;
        if self.pages == 0 {
            return Err(Error::Invalid.into());
        }
        let mut stash = Stash::new(&kernel.frames);
        loop {
            let held = kernel.shards.hold(ShardSet::ALL);
            let memory = context.own_memory(self.memory)?;
            let (pages, frames) = kernel.growth(memory, self.pages)?;
            if frames <= stash.len() {
                kernel.append(memory, pages, &mut stash);
                return Ok(MemoryGrown { total: memory.pages.get().into() });
            }
            drop(held);
            stash.fill(frames)?;
        }
    }
}

#[cfg(any(test, feature = "checked"))]
#[path = "tests/object.rs"]
mod invariant;
