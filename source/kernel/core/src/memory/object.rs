//! Memory objects: how they are made, grown and taken apart.
//!
//! Pages of an object made of frames are named in a tree: no table for a single page, one for up to 512, else a table of
//! tables. Pages are only ever added at the end, so the tree has no holes.

use super::tree::{Tree, address_of, batch};
use super::{frames::FRAME_WORDS, stash::Stash};
use crate::prelude::*;
use nexus_abi::layout::{GROW_BATCH, PAGE_SIZE};

/// Most pages of one object: what two tables on the way name.
pub const MAX_PAGES: u32 = (FRAME_WORDS * FRAME_WORDS) as u32;
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

/// What may be mapped of an object that is sealed: it is executable, and never again writable.
pub(super) const SEALED: u32 = (access::READ | access::EXECUTE) as u32;

/// A memory object or device window. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Memory {
    /// Object header.
    pub header: Header,
    backing: Half,
    /// The access with which it may be mapped: writable until its writable mappings begin to be removed, which ends growth
    /// too, executable once they are gone.
    pub allowed: Half,
    /// Pages it has.
    pub pages: Half,
    /// Pages it may have.
    pub limit: Half,
    /// First of its mappings.
    pub mappings: Half,
    /// Frames: the root of the tree that names them. Else: 0.
    pub root: Word,
    /// Fixed and device: physical address.
    pub address: Word,
}

impl Memory {
    /// True if it is made of this.
    pub fn is_of(&self, backing: Backing) -> bool {
        self.backing.get() == backing as u32
    }

    /// Says what a new object is: pages from this address on if they are no frames, and how many it has and may have. Of
    /// the one before it here neither mappings nor frames are left.
    pub(crate) fn furnish(&self, backing: Backing, address: u64, pages: u32, limit: u32) {
        self.backing.set(backing as u32);
        let open = (access::READ | access::WRITE).into();
        self.allowed.set(if backing == Backing::Fixed { SEALED } else { open });
        self.pages.set(pages);
        self.limit.set(limit);
        self.address.set(address);
    }

    /// The tree that names its frames, as high as its bound takes.
    #[inline(always)]
    pub(crate) fn tree(&self) -> Tree<'_> {
        let height = u32::from(self.limit.get() > 1) + u32::from(self.limit.get() > INDEXED);
        Tree { root: &self.root, height, pages: Some(&self.pages) }
    }
}

impl Object for Memory {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Kernel {
    /// Makes an object over whole pages of physical memory that stay where they are, such as a part of the boot image. It is
    /// sealed. Holds all shards.
    pub(crate) fn fixed_memory(&self, owner: &Process, start: u64, pages: u64) -> Result<&'static Memory, Error> {
        let memory = self.create(&self.memories, Kind::Memory, owner)?;
        memory.furnish(Backing::Fixed, start, pages as u32, pages as u32);
        Ok(memory)
    }

    /// Physical address of a page that the object has.
    #[inline(always)]
    pub(crate) fn page_address(&self, memory: &Memory, page: u32) -> Option<u64> {
        if page >= memory.pages.get() {
            return None;
        }
        if memory.is_of(Backing::Frames) {
            return self.entry(memory.tree(), 0, page).map(|entry| address_of(entry.get()));
        }
        Some(memory.address.get() + u64::from(page) * PAGE_SIZE as u64)
    }

    /// Adds pages from a stash that holds them and the tables they need, and charges all of them.
    pub(crate) fn append(&self, memory: &Memory, pages: u32, stash: &mut Stash) {
        let account = &self.processes.at(memory.header.owner.get()).account;
        for page in memory.pages.get()..memory.pages.get() + pages {
            if let Some(entry) = self.reach(memory.tree(), page, account, stash) {
                self.hang(entry, account, stash);
            }
        }
        memory.pages.add(pages);
    }

    /// Pages that one call may add, and the frames this takes; or why none.
    pub(crate) fn growth(&self, memory: &Memory, wanted: u64) -> Result<(u32, u32), Error> {
        let owner = self.processes.at(memory.header.owner.get());
        if !owner.running() {
            return Err(Error::PeerClosed);
        }
        if memory.allowed.get() & u32::from(access::WRITE) == 0 {
            return Err(Error::State);
        }
        let (has, room) = (memory.pages.get(), memory.limit.get() - memory.pages.get());
        if room == 0 {
            return Err(Error::OverLimit);
        }
        let pages = batch(has, wanted.min(room.into()).min(GROW_BATCH));
        let frames = pages + self.missing(memory.tree(), has);
        owner.account.check(Resource::Frames, frames)?;
        Ok((pages, frames))
    }

    /// One step of freeing an object's frames; none of them may be mapped on any CPU.
    pub(super) fn free_pages_step(&self, memory: &Memory) -> Progress {
        self.fences_done()?;
        self.fell(memory.tree(), &self.processes.at(memory.header.owner.get()).account)
    }

    /// Ends an object that has neither mappings nor frames any more.
    pub(super) fn end_memory(&self, memory: &Memory) {
        self.windows.sub(u32::from(memory.is_of(Backing::Device)));
        self.bury(&self.memories.pool, Kind::Memory, &memory.header);
    }
}

impl Context {
    /// The object behind a capability of the caller to memory or a window, and that capability.
    pub(super) fn memory(&self, handle: Handle, rights: Rights) -> Result<(&'static Slot, &'static Memory), Error> {
        let found = match self.capability(handle, Kind::Memory, rights) {
            Err(Error::WrongKind) => self.capability(handle, Kind::Window, rights)?,
            found => found?,
        };
        Ok((found, self.kernel.memories.named(found.object.get()).ok_or(Error::PeerClosed)?))
    }

    /// The object behind a capability of the caller that is no window, with the right to change it.
    pub(crate) fn own_memory(&self, handle: Handle) -> Result<&'static Memory, Error> {
        self.object(&self.kernel.memories, handle, Kind::Memory, Rights::MANAGE)
    }
}

/// `EINVAL`: no pages. `EOVERLIMIT`: more than [`MAX_PAGES`].
pub(crate) fn memory_create(context: &Context, call: MemoryCreate) -> Verdict<MemoryCreated> {
    let limit = match call.pages {
        0 => return Err(Error::Invalid.into()),
        pages if pages > u64::from(MAX_PAGES) => return Err(Error::OverLimit.into()),
        pages => pages as u32,
    };
    let (kernel, _held) = context.hold_all();
    let owner = context.subject(call.process, Rights::USE)?;
    let (memory, handle) = context.create(&kernel.memories, Kind::Memory, owner)?;
    memory.furnish(Backing::Frames, 0, 0, limit);
    Ok(MemoryCreated { memory: handle })
}

/// Needs `MANAGE`. `EINVAL`: no pages. `EOVERLIMIT`: the object's bound, or its owner's quota. `ESTATE`: sealed, or no
/// frames of its own. `ENOMEM`: the machine has no frames left.
pub(crate) fn memory_grow(context: &Context, call: MemoryGrow) -> Verdict<MemoryGrown> {
    if call.pages == 0 {
        return Err(Error::Invalid.into());
    }
    let (mut stash, _held, (memory, pages)) = context.kernel.with_frames(|| {
        let memory = context.own_memory(call.memory)?;
        let (pages, frames) = context.kernel.growth(memory, call.pages)?;
        Ok((frames, (memory, pages)))
    })?;
    context.kernel.append(memory, pages, &mut stash);
    Ok(MemoryGrown { total: memory.pages.get().into() })
}
