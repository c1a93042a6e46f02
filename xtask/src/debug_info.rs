//! Which functions the instructions of a file came from, by its debug information.
//!
//! Source: DWARF 4, sections 2.13.2 (specifications), 2.17 (ranges), 3.3.1 (subroutines) and 3.3.8 (inlined subroutines): each
//! place into which a function was compiled names the function as its abstract origin, and the addresses of its instructions.

use elf::ElfBytes;
use elf::endian::LittleEndian;
use gimli::{AttributeValue, DebuggingInformationEntry, DwAt, Dwarf, EndianSlice, Unit};
use std::collections::BTreeMap;
use std::ops::Range;

type Bytes<'a> = EndianSlice<'a, gimli::LittleEndian>;

/// A function's names: in the source, and for the linker.
#[derive(Clone, Debug, Default)]
struct Function {
    name: String,
    linked: String,
}

/// A function as it was compiled, by itself or into another one: how deep it stands, and where its instructions are.
#[derive(Debug)]
pub(crate) struct Place {
    function: Function,
    pub(crate) depth: isize,
    pub(crate) ranges: Vec<Range<u64>>,
}

impl Place {
    /// Its name in the source, without what it was made for.
    pub(crate) fn name(&self) -> &str {
        self.function.name.split('<').next().unwrap_or_default()
    }

    /// Its name for the linker.
    pub(crate) fn linked(&self) -> &str {
        &self.function.linked
    }
}

/// Every function of a file, wherever it was compiled to.
pub(crate) fn places(file: &[u8]) -> Result<Vec<Place>, String> {
    let elf = ElfBytes::<LittleEndian>::minimal_parse(file).map_err(|error| error.to_string())?;
    let section = |id: gimli::SectionId| {
        let header = elf.section_header_by_name(id.name()).ok().flatten();
        let data = header.and_then(|header| elf.section_data(&header).ok()).map_or(&[][..], |(data, _)| data);
        Ok::<_, gimli::Error>(EndianSlice::new(data, gimli::LittleEndian))
    };
    let dwarf = Dwarf::load(section).map_err(|error| error.to_string())?;
    let functions = functions(&dwarf).map_err(|error| error.to_string())?;
    compiled(&dwarf, &functions).map_err(|error| error.to_string())
}

/// What has a name of its own, or by the entry that it specifies, by its place among all entries.
fn functions(dwarf: &Dwarf<Bytes<'_>>) -> gimli::Result<BTreeMap<usize, Function>> {
    let (mut functions, mut specified) = (BTreeMap::new(), Vec::new());
    each(dwarf, |unit, entry| {
        let text = |name| -> gimli::Result<Option<String>> {
            let value = entry.attr_value(name).map(|value| dwarf.attr_string(unit, value)).transpose()?;
            Ok(value.map(|text| text.to_string_lossy().into_owned()))
        };
        let place = offset(unit, entry.offset());
        if let Some(name) = text(gimli::DW_AT_name)? {
            let linked = text(gimli::DW_AT_linkage_name)?.unwrap_or_default();
            functions.insert(place, Function { name, linked });
        } else if let Some(at) = named(unit, entry, gimli::DW_AT_specification) {
            specified.push((place, at));
        }
        Ok(())
    })?;
    for (place, at) in specified {
        if let Some(function) = functions.get(&at).cloned() {
            functions.insert(place, function);
        }
    }
    Ok(functions)
}

fn compiled(dwarf: &Dwarf<Bytes<'_>>, functions: &BTreeMap<usize, Function>) -> gimli::Result<Vec<Place>> {
    let mut places = Vec::new();
    each(dwarf, |unit, entry| {
        let origin = match entry.tag() {
            gimli::DW_TAG_inlined_subroutine => named(unit, entry, gimli::DW_AT_abstract_origin),
            gimli::DW_TAG_subprogram => {
                named(unit, entry, gimli::DW_AT_abstract_origin).or(Some(offset(unit, entry.offset())))
            }
            _ => None,
        };
        if let Some(function) = origin.and_then(|at| functions.get(&at)) {
            let (mut at, mut ranges) = (dwarf.die_ranges(unit, entry)?, Vec::new());
            while let Some(range) = at.next()? {
                ranges.push(range.begin..range.end);
            }
            places.push(Place { function: function.clone(), depth: entry.depth(), ranges });
        }
        Ok(())
    })?;
    Ok(places)
}

/// The entry that this attribute names.
fn named(unit: &Unit<Bytes<'_>>, entry: &DebuggingInformationEntry<Bytes<'_>>, attribute: DwAt) -> Option<usize> {
    match entry.attr_value(attribute) {
        Some(AttributeValue::UnitRef(at)) => Some(offset(unit, at)),
        Some(AttributeValue::DebugInfoRef(at)) => Some(at.0),
        _ => None,
    }
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
