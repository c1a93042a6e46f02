//! Memory objects.

use crate::{
    arena::{Header, Object},
    word::{Half, Word},
};

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

/// A memory object or device window. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Memory {
    /// Object header.
    pub header: Header,
    /// See [`Backing`].
    pub backing: Half,
    /// 1 once sealed: executable, never again writable.
    pub sealed: Half,
    /// Pages it has.
    pub pages: Half,
    /// Pages it may have.
    pub limit: Half,
    /// Frames: the index frame (512 words: frame numbers, or index frames of those above 512 pages). Else: unused.
    pub root: Half,
    /// First of its mappings.
    pub mappings: Half,
    /// Fixed and device: physical address.
    pub address: Word,
}

impl Object for Memory {
    fn header(&self) -> &Header {
        &self.header
    }
}
