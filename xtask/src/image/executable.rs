//! ELF files as the boot image carries them: header, program headers, whole pages, nothing else.
//!
//! The linker's output has debug sections and offsets of its own choosing. In the image every segment begins on a page,
//! so that text and constants are mapped where they lie, and the bytes behind a segment's end are zero, so that
//! mapping its last page shows nothing of a neighbour.

use loader::{Access, LoadError, Plan, plan};

const PAGE: usize = nexus_abi::layout::PAGE_SIZE;
const HEADER: usize = 64;
const PROGRAM_HEADER: usize = 56;

/// One segment to write.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Address of the first byte.
    pub vaddr: u64,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Bytes in memory, at least as many.
    pub size: u64,
    /// Access.
    pub access: Access,
}

/// The same program without everything that running it does not need.
///
/// # Errors
/// Why the loader refuses `elf`.
pub fn strip(elf: &[u8]) -> Result<Vec<u8>, LoadError> {
    let plan = plan(elf)?;
    let pieces: Vec<Piece<'_>> = plan
        .segments()
        .iter()
        .map(|segment| Piece {
            vaddr: segment.vaddr + segment.skip,
            bytes: &elf[segment.offset as usize..(segment.offset + segment.bytes) as usize],
            size: segment.size,
            access: segment.access,
        })
        .collect();
    let stripped = write(plan.entry(), &pieces);
    debug_assert!(loader::plan(&stripped).is_ok_and(|again| same_memory(&plan, &again)));
    Ok(stripped)
}

/// An executable of these segments.
#[must_use]
pub fn write(entry: u64, pieces: &[Piece<'_>]) -> Vec<u8> {
    let mut file = header(entry, pieces.len());
    let mut offset = PAGE;
    let mut payload = Vec::new();
    for piece in pieces {
        let skip = (piece.vaddr % PAGE as u64) as usize;
        let flags: u32 = match piece.access {
            Access::Read => 4,
            Access::ReadWrite => 6,
            Access::ReadExecute => 5,
        };
        file.extend(1u32.to_le_bytes());
        file.extend(flags.to_le_bytes());
        let lengths = [piece.bytes.len() as u64, piece.size];
        for word in [(offset + skip) as u64, piece.vaddr, piece.vaddr].into_iter().chain(lengths).chain([PAGE as u64]) {
            file.extend(word.to_le_bytes());
        }
        payload.resize(payload.len() + skip, 0);
        payload.extend(piece.bytes);
        payload.resize(payload.len().next_multiple_of(PAGE), 0);
        offset = PAGE + payload.len();
    }
    file.resize(PAGE, 0);
    file.extend(payload);
    file
}

fn header(entry: u64, pieces: usize) -> Vec<u8> {
    let mut out = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    out.extend(2u16.to_le_bytes());
    out.extend(243u16.to_le_bytes());
    out.extend(1u32.to_le_bytes());
    for word in [entry, HEADER as u64, 0] {
        out.extend(word.to_le_bytes());
    }
    out.extend(5u32.to_le_bytes());
    for half in [HEADER, PROGRAM_HEADER, pieces, 64, 0, 0] {
        out.extend((half as u16).to_le_bytes());
    }
    out
}

/// Whether two plans give the same memory, wherever the bytes lie in their files.
fn same_memory(one: &Plan, other: &Plan) -> bool {
    let view = |plan: &Plan| {
        let shape = |s: &loader::Segment| (s.vaddr, s.pages, s.skip, s.bytes, s.access);
        plan.segments().iter().map(shape).collect::<Vec<_>>()
    };
    one.entry() == other.entry() && view(one) == view(other)
}
