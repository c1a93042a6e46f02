//! What to create and map for a program: the loader's answer.
//!
//! Plain data in a fixed array, so that it can be made on a service's stack and checked by anyone.

use nexus_abi::layout::PAGE_SIZE;

use crate::LoadError;

/// Bytes of a page.
pub(crate) const PAGE: u64 = PAGE_SIZE as u64;
/// Most segments a program may have.
pub const MAX_SEGMENTS: usize = 8;

/// What a program may do with a segment. There is no writable and executable one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Constants.
    Read,
    /// Data, zeroed beyond the file's bytes.
    ReadWrite,
    /// Text.
    ReadExecute,
}

/// One range of pages with one meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First page's address.
    pub vaddr: u64,
    /// Pages to map, at least one.
    pub pages: u64,
    /// Zero bytes in front of the file's, less than a page.
    pub skip: u64,
    /// Where the file's bytes begin in the file.
    pub offset: u64,
    /// How many of them; the rest of the pages is zero.
    pub bytes: u64,
    /// The mapping's rights.
    pub access: Access,
    /// Bytes the program asked for, counted from `vaddr + skip`.
    pub size: u64,
}

impl Segment {
    /// Address of the first byte past the last page.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.vaddr + self.pages * PAGE
    }

    /// Whether the pages can be mapped straight from the file instead of being copied.
    #[must_use]
    pub const fn in_place(&self) -> bool {
        self.skip == 0
            && self.offset.is_multiple_of(PAGE)
            && self.bytes.div_ceil(PAGE) == self.pages
            && !matches!(self.access, Access::ReadWrite)
    }
}

/// A program that may be laid out: no page twice, no page outside the user half, no page both W and X.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    entry: u64,
    count: usize,
    segments: [Segment; MAX_SEGMENTS],
}

const EMPTY: Segment = Segment { vaddr: 0, pages: 0, skip: 0, offset: 0, bytes: 0, access: Access::Read, size: 0 };

impl Plan {
    pub(crate) const fn new(entry: u64) -> Self {
        Self { entry, count: 0, segments: [EMPTY; MAX_SEGMENTS] }
    }

    pub(crate) fn push(&mut self, segment: Segment) -> Result<(), LoadError> {
        let slot = self.segments.get_mut(self.count).ok_or(LoadError::TooManySegments)?;
        *slot = segment;
        self.count += 1;
        Ok(())
    }

    /// Address of the first instruction, inside an executable segment's file bytes.
    #[must_use]
    pub const fn entry(&self) -> u64 {
        self.entry
    }

    /// The segments, in the file's order.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.segments[..self.count]
    }
}
