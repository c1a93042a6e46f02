//! The rules a segment must meet, one function each.
//!
//! Addresses and sizes are hostile 64-bit numbers: every sum is checked before it is used, and the bounds of the user
//! half come first so that later sums cannot wrap.

use elf::abi::{PF_R, PF_W, PF_X};
use elf::segment::ProgramHeader;

use nexus_abi::layout::{USER_END, USER_START};

use crate::LoadError;
use crate::plan::{Access, PAGE, Plan, Segment};

/// A loadable header as pages, if it is sound on its own.
pub(crate) fn segment(header: &ProgramHeader, file_len: u64) -> Result<Segment, LoadError> {
    let access = access(header.p_flags)?;
    if header.p_filesz > header.p_memsz {
        return Err(LoadError::BadSizes);
    }
    let file_end = header.p_offset.checked_add(header.p_filesz).ok_or(LoadError::Truncated)?;
    if file_end > file_len {
        return Err(LoadError::Truncated);
    }
    let end = header.p_vaddr.checked_add(header.p_memsz).ok_or(LoadError::Wraps)?;
    if header.p_vaddr < USER_START {
        return Err(LoadError::BelowUser);
    }
    if end > USER_END {
        return Err(LoadError::AboveUser);
    }
    let skip = header.p_vaddr % PAGE;
    if header.p_offset % PAGE != skip {
        return Err(LoadError::Misaligned);
    }
    let vaddr = header.p_vaddr - skip;
    Ok(Segment {
        vaddr,
        pages: (end - vaddr).div_ceil(PAGE),
        skip,
        offset: header.p_offset,
        bytes: header.p_filesz,
        access,
        size: header.p_memsz,
    })
}

/// No byte and no page of `new` belongs to another segment already.
pub(crate) fn apart_from(new: &Segment, others: &[Segment]) -> Result<(), LoadError> {
    for other in others {
        let (new_start, other_start) = (new.vaddr + new.skip, other.vaddr + other.skip);
        if new_start < other_start + other.size && other_start < new_start + new.size {
            return Err(LoadError::Overlap);
        }
        if new.vaddr < other.end() && other.vaddr < new.end() {
            return Err(LoadError::SharedPage);
        }
    }
    Ok(())
}

/// The entry is an even address (C extension) inside the bytes that the file gives an executable segment.
pub(crate) fn entry_in_text(plan: &Plan) -> Result<(), LoadError> {
    let entry = plan.entry();
    let inside = plan.segments().iter().any(|segment| {
        let start = segment.vaddr + segment.skip;
        segment.access == Access::ReadExecute && entry >= start && entry - start < segment.bytes
    });
    if inside && entry.is_multiple_of(2) { Ok(()) } else { Err(LoadError::EntryOutsideText) }
}

fn access(flags: u32) -> Result<Access, LoadError> {
    const RW: u32 = PF_R | PF_W;
    const RX: u32 = PF_R | PF_X;
    match flags & (PF_R | PF_W | PF_X) {
        PF_R => Ok(Access::Read),
        RW => Ok(Access::ReadWrite),
        RX => Ok(Access::ReadExecute),
        both if both & PF_W != 0 && both & PF_X != 0 => Err(LoadError::WritableCode),
        _ => Err(LoadError::BadAccess),
    }
}
