//! The table of sizes: what each part takes of the image, and what the kernel takes of memory.

use std::fmt::Write;
use std::path::Path;

use elf::ElfBytes;
use elf::abi::PT_LOAD;
use elf::endian::LittleEndian;

use super::assemble::{ImageError, Layout};

/// The table, one row a part.
pub(super) fn table(layout: &Layout, kernel: &Path) -> Result<String, ImageError> {
    let bytes = std::fs::read(kernel).map_err(|error| ImageError::file(kernel, &error))?;
    let mut text = format!("{:<24} {:<9} {:>9}\n", "part", "kind", "bytes");
    let mut row = |name: &str, kind: &str, size: u64| {
        writeln!(text, "{name:<24} {kind:<9} {size:>9}").expect("a string takes everything");
    };
    for (name, kind, size) in &layout.rows {
        row(name, kind, *size as u64);
    }
    row("boot image", "total", layout.total as u64);
    row("kernel", "loaded", loaded(&bytes).ok_or_else(|| ImageError::Build("the kernel".to_owned()))?);
    Ok(text)
}

/// Bytes that the kernel's loadable segments have in the file: text, constants and initialised data.
pub(crate) fn loaded(file: &[u8]) -> Option<u64> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).ok()?;
    let segments = elf.segments()?.iter().filter(|segment| segment.p_type == PT_LOAD);
    Some(segments.map(|segment| segment.p_filesz).sum())
}
