//! Where the kernel's trace points lie, by its debug information.
//!
//! Source: DWARF 4, sections 2.17 (ranges) and 3.3.8 (inlined subroutines): each place into which a function was compiled
//! names the function as its abstract origin, and the addresses of its instructions.

use elf::ElfBytes;
use elf::endian::LittleEndian;
use gimli::{AttributeValue, DebuggingInformationEntry, Dwarf, EndianSlice, Unit};
use std::collections::BTreeSet;
use std::ops::Range;

/// The module of the kernel, in names of the linker, and its functions that are compiled into others.
const MODULE: &str = "nexus_core5trace";
const FUNCTIONS: [&[u8]; 2] = [b"trace", b"trace_time"];

type Bytes<'a> = EndianSlice<'a, gimli::LittleEndian>;

/// One trace point: the addresses of its instructions.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Point {
    pub(super) ranges: Vec<Range<u64>>,
}

/// The trace points of a kernel's file.
pub(super) fn of(file: &[u8]) -> Result<Vec<Point>, String> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|error| error.to_string())?;
    let section = |id: gimli::SectionId| {
        let header = elf.section_header_by_name(id.name()).ok().flatten();
        let data = header.and_then(|header| elf.section_data(&header).ok()).map_or(&[][..], |(data, _)| data);
        Ok::<_, gimli::Error>(EndianSlice::new(data, gimli::LittleEndian))
    };
    let dwarf = Dwarf::load(section).map_err(|error| error.to_string())?;
    found(&dwarf).map_err(|error| error.to_string())
}

fn found(dwarf: &Dwarf<Bytes<'_>>) -> gimli::Result<Vec<Point>> {
    let (mut functions, mut points) = (BTreeSet::new(), Vec::new());
    each(dwarf, |unit, entry| {
        if is_trace(dwarf, unit, entry)? {
            functions.insert(offset(unit, entry.offset()));
        }
        Ok(())
    })?;
    each(dwarf, |unit, entry| {
        let origin = match entry.attr_value(gimli::DW_AT_abstract_origin) {
            Some(AttributeValue::UnitRef(at)) => offset(unit, at),
            Some(AttributeValue::DebugInfoRef(at)) => at.0,
            _ => return Ok(()),
        };
        if entry.tag() == gimli::DW_TAG_inlined_subroutine && functions.contains(&origin) {
            let (mut at, mut ranges) = (dwarf.die_ranges(unit, entry)?, Vec::new());
            while let Some(range) = at.next()? {
                ranges.push(range.begin..range.end);
            }
            points.push(Point { ranges });
        }
        Ok(())
    })?;
    Ok(points)
}

fn each<'a>(
    dwarf: &Dwarf<Bytes<'a>>,
    mut visit: impl FnMut(&Unit<Bytes<'a>>, &DebuggingInformationEntry<Bytes<'a>>) -> gimli::Result<()>,
) -> gimli::Result<()> {
    let mut units = dwarf.units();
    while let Some(header) = units.next()? {
        let unit = dwarf.unit(header)?;
        let mut entries = unit.entries();
        while let Some(entry) = entries.next_dfs()? {
            visit(&unit, entry)?;
        }
    }
    Ok(())
}

/// Where an entry lies among those of all units.
fn offset(unit: &Unit<Bytes<'_>>, at: gimli::UnitOffset) -> usize {
    at.to_unit_section_offset(unit).0
}

fn is_trace<'a>(
    dwarf: &Dwarf<Bytes<'a>>,
    unit: &Unit<Bytes<'a>>,
    entry: &DebuggingInformationEntry<Bytes<'a>>,
) -> gimli::Result<bool> {
    let text = |name| entry.attr_value(name).map(|value| dwarf.attr_string(unit, value)).transpose();
    let (Some(name), Some(linked)) = (text(gimli::DW_AT_name)?, text(gimli::DW_AT_linkage_name)?) else {
        return Ok(false);
    };
    Ok(FUNCTIONS.contains(&name.slice()) && linked.to_string_lossy().contains(MODULE))
}
