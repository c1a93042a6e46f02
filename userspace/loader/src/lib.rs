//! Turns an ELF file into a plan of memory objects and mappings.
//!
//! Whoever starts a process (init, execd, the image builder) must agree on what a program file means, and none of
//! them may be fooled by one. So the file is judged once, here, without allocation: either every byte that the plan
//! names exists and every page has one meaning, or there is a [`LoadError`] and nothing was built. The field layout
//! is parsed by the `elf` crate (no unsafe code, no dependencies, no heap); the policy is ours.

#![no_std]

mod plan;
mod rules;

pub use plan::{Access, MAX_SEGMENTS, Plan, Segment};

use elf::ElfBytes;
use elf::abi::{EI_NIDENT, EM_RISCV, ET_EXEC, PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_TLS};
use elf::endian::LittleEndian;
use elf::file::{Class, parse_ident};
use elf::parse::ParseError;

/// Why a file is not a program this system can run. Always the file's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoadError {
    /// A header, a table or a segment lies beyond the end of the file.
    Truncated,
    /// The magic, the version or a table's entry size is not ELF's.
    NotElf,
    /// Not 64-bit.
    WrongClass,
    /// Not little-endian RISC-V.
    WrongMachine,
    /// Not a fixed-address executable.
    WrongType,
    /// Asks for an interpreter, dynamic linking or thread-local storage.
    NotStatic,
    /// Nothing to load.
    NoSegments,
    /// More than [`MAX_SEGMENTS`] to load, or more program headers than anyone needs.
    TooManySegments,
    /// A segment is both writable and executable.
    WritableCode,
    /// A segment is neither R, RW nor RX.
    BadAccess,
    /// Address and file offset of a segment differ within the page.
    Misaligned,
    /// A segment has more bytes in the file than in memory.
    BadSizes,
    /// A segment runs past the end of the address range.
    Wraps,
    /// A segment lies below [`nexus_abi::layout::USER_START`].
    BelowUser,
    /// A segment lies above [`nexus_abi::layout::USER_END`].
    AboveUser,
    /// Two segments claim the same byte.
    Overlap,
    /// Two segments claim the same page.
    SharedPage,
    /// The entry is not an instruction of an executable segment.
    EntryOutsideText,
}

/// Program headers looked at; more than this is refused before any is read.
const MAX_HEADERS: usize = 32;

/// Judges `file` and says how to lay it out.
///
/// # Errors
/// The first rule of [`LoadError`] that the file breaks.
pub fn plan(file: &[u8]) -> Result<Plan, LoadError> {
    accept_class(file)?;
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(not_parsed)?;
    accept_header(&elf)?;
    let headers = elf.segments().ok_or(LoadError::NoSegments)?;
    if headers.len() > MAX_HEADERS {
        return Err(LoadError::TooManySegments);
    }
    let mut plan = Plan::new(elf.ehdr.e_entry);
    for header in headers.iter() {
        match header.p_type {
            PT_INTERP | PT_DYNAMIC | PT_TLS => return Err(LoadError::NotStatic),
            PT_LOAD if header.p_memsz == 0 && header.p_filesz == 0 => {}
            PT_LOAD => {
                let segment = rules::segment(&header, file.len() as u64)?;
                rules::apart_from(&segment, plan.segments())?;
                plan.push(segment)?;
            }
            _ => {}
        }
    }
    if plan.segments().is_empty() {
        return Err(LoadError::NoSegments);
    }
    rules::entry_in_text(&plan)?;
    Ok(plan)
}

/// The class decides the layout of all that follows, so it is judged before the rest is parsed.
fn accept_class(file: &[u8]) -> Result<(), LoadError> {
    let ident = file.get(..EI_NIDENT).ok_or(LoadError::Truncated)?;
    match parse_ident::<LittleEndian>(ident).map_err(not_parsed)? {
        (_, Class::ELF64, ..) => Ok(()),
        (_, Class::ELF32, ..) => Err(LoadError::WrongClass),
    }
}

fn accept_header(elf: &ElfBytes<'_, LittleEndian>) -> Result<(), LoadError> {
    if elf.ehdr.e_machine != EM_RISCV {
        return Err(LoadError::WrongMachine);
    }
    if elf.ehdr.e_type != ET_EXEC {
        return Err(LoadError::WrongType);
    }
    if elf.ehdr.version != 1 {
        return Err(LoadError::NotElf);
    }
    Ok(())
}

fn not_parsed(error: ParseError) -> LoadError {
    match error {
        ParseError::SliceReadError(_) | ParseError::IntegerOverflow => LoadError::Truncated,
        ParseError::UnsupportedElfClass(_) => LoadError::WrongClass,
        ParseError::UnsupportedElfEndianness(_) => LoadError::WrongMachine,
        _ => LoadError::NotElf,
    }
}
