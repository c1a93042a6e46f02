//! Reads the device tree: from a blob to [`Facts`], or to what is wrong with it.
//!
//! The parser validates the whole blob before the first node is looked at, so that no offset in it is trusted. One walk
//! over root, its buses and the three special nodes collects everything. Source: Devicetree Specification 0.4.

use crate::facts::{Extension, Facts, HartFact, PlicFact, Problem, UartFact};
use core::ops::Range;
use dtoolkit::{
    Cells, Node, Property, ToCellInt,
    fdt::{Fdt, FdtNode},
};

/// Interrupt number of supervisor external interrupts at a hart's own controller.
const SUPERVISOR_EXTERNAL: u32 = 9;

/// Reads the facts. `boot` is the hart that runs: it is always one of [`Facts::harts`].
pub fn read(blob: &[u8], boot: u64) -> Result<Facts<'_>, Problem> {
    let tree = Fdt::new(blob).map_err(|_| Problem::Malformed)?;
    let mut walk = Walk { facts: Facts::default(), boot, contexts: &[] };
    for reservation in tree.memory_reservations() {
        walk.reserve(span(reservation.address(), reservation.size(), "memreserve")?)?;
    }
    for node in tree.root().children() {
        match node.name_without_address() {
            "memory" => walk.memory(&node)?,
            "reserved-memory" => walk.reserved_memory(&node)?,
            "cpus" => walk.cpus(&node)?,
            "chosen" => walk.chosen(&node)?,
            _ => walk.device_or_bus(&node)?,
        }
    }
    walk.name_contexts()?;
    walk.check()
}

struct Walk<'a> {
    facts: Facts<'a>,
    boot: u64,
    /// Which hart and interrupt each context of the PLIC is: it may stand before the harts in the tree.
    contexts: &'a [u8],
}

impl<'a> Walk<'a> {
    fn check(self) -> Result<Facts<'a>, Problem> {
        if self.facts.ram.as_slice().is_empty() {
            return Err(Problem::Missing("memory"));
        }
        if !self.facts.harts.as_slice().iter().any(|hart| hart.id == self.boot) {
            return Err(Problem::Missing("hart that runs"));
        }
        if self.facts.timebase == 0 {
            return Err(Problem::Missing("timebase-frequency"));
        }
        Ok(self.facts)
    }

    fn memory(&mut self, node: &FdtNode<'a>) -> Result<(), Problem> {
        for bank in registers(node)? {
            self.facts.ram.push(bank?).map_err(|_| Problem::TooMany("memory banks"))?;
        }
        Ok(())
    }

    fn reserved_memory(&mut self, node: &FdtNode<'a>) -> Result<(), Problem> {
        for child in node.children() {
            for range in registers(&child)? {
                self.reserve(range?)?;
            }
        }
        Ok(())
    }

    fn reserve(&mut self, range: Range<u64>) -> Result<(), Problem> {
        self.facts.reserved.push(range).map_err(|_| Problem::TooMany("reserved ranges"))
    }

    fn cpus(&mut self, node: &FdtNode<'a>) -> Result<(), Problem> {
        let [frequency] = values(node, ["timebase-frequency"]);
        self.timebase(frequency)?;
        node.children().filter(|child| child.name_without_address() == "cpu").try_for_each(|child| self.cpu(&child))
    }

    fn timebase(&mut self, frequency: Option<&[u8]>) -> Result<(), Problem> {
        if let Some(bytes) = frequency.filter(|_| self.facts.timebase == 0) {
            self.facts.timebase = number(bytes, "timebase-frequency")?;
        }
        Ok(())
    }

    fn cpu(&mut self, node: &FdtNode<'a>) -> Result<(), Problem> {
        let names = ["reg", "status", "timebase-frequency", "riscv,isa", "riscv,isa-extensions"];
        let [id, status, frequency, isa, extensions] = values(node, names);
        if !usable(status) {
            return Ok(());
        }
        self.timebase(frequency)?;
        let controller = node.children().find_map(|child| values(&child, ["phandle"])[0]);
        let hart = HartFact {
            id: number(id.ok_or(Problem::Property("cpu/reg"))?, "cpu/reg")?,
            controller: controller.map_or(Ok(0), |bytes| number(bytes, "phandle"))? as u32,
            context: None,
            sstc: extension(isa, extensions, b"sstc"),
            float: extension(isa, extensions, b"d"),
        };
        if self.facts.harts.push(hart).is_err() {
            self.facts.further_harts += 1;
            if let Some(last) = self.facts.harts.as_mut_slice().last_mut().filter(|_| hart.id == self.boot) {
                *last = hart;
            }
        }
        Ok(())
    }

    fn chosen(&mut self, node: &FdtNode<'a>) -> Result<(), Problem> {
        let [arguments, start, end] = values(node, ["bootargs", "linux,initrd-start", "linux,initrd-end"]);
        if let Some(bytes) = arguments {
            let text = bytes.strip_suffix(b"\0").and_then(|text| core::str::from_utf8(text).ok());
            self.facts.arguments = text.ok_or(Problem::Property("bootargs"))?;
        }
        if let (Some(start), Some(end)) = (start, end) {
            let name = "linux,initrd-start";
            let range = number(start, name)?..number(end, name)?;
            if range.start > range.end {
                return Err(Problem::Property(name));
            }
            self.facts.initrd = (!range.is_empty()).then_some(range);
        }
        Ok(())
    }

    fn device_or_bus(&mut self, node: &FdtNode<'a>) -> Result<(), Problem> {
        if self.device(node)? == Found::Bus {
            for child in node.children() {
                self.device(&child)?;
            }
        }
        Ok(())
    }

    /// The first usable device of each kind counts.
    fn device(&mut self, node: &FdtNode<'a>) -> Result<Found, Problem> {
        let names = ["compatible", "status", "reg-shift", "riscv,ndev", "interrupts-extended"];
        let [compatible, status, shift, lines, contexts] = values(node, names);
        let is = |names: &[&str]| {
            let given = compatible.unwrap_or_default().split(|&byte| byte == 0);
            given.filter(|given| !given.is_empty()).any(|given| names.iter().any(|name| name.as_bytes() == given))
        };
        if is(&["simple-bus"]) {
            return Ok(Found::Bus);
        }
        if self.facts.uart.is_none() && is(&["ns16550a", "ns16550"]) && usable(status) {
            let shift = shift.map_or(Ok(0), |bytes| number(bytes, "reg-shift"))?;
            let shift = u32::try_from(shift).ok().filter(|&shift| shift <= 4).ok_or(Problem::Property("reg-shift"))?;
            self.facts.uart = Some(UartFact { range: first_register(node)?, shift });
        } else if self.facts.plic.is_none() && is(&["riscv,plic0", "sifive,plic-1.0.0"]) {
            let lines = number(lines.unwrap_or_default(), "riscv,ndev")?;
            let lines = u32::try_from(lines).ok().filter(|&lines| lines < 1024);
            let lines = lines.ok_or(Problem::Property("riscv,ndev"))?;
            self.facts.plic = Some(PlicFact { range: first_register(node)?, lines });
            self.contexts = contexts.unwrap_or_default();
        } else if self.facts.test.is_none() && is(&["sifive,test0", "sifive,test1"]) {
            self.facts.test = Some(first_register(node)?);
        } else if self.facts.clint.is_empty() && is(&["riscv,clint0", "sifive,clint0"]) {
            self.facts.clint = first_register(node)?;
        }
        Ok(Found::Device)
    }

    /// Context `n` of the PLIC is the `n`-th pair of hart controller and interrupt number.
    fn name_contexts(&mut self) -> Result<(), Problem> {
        let (pairs, rest) = self.contexts.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(Problem::Property("interrupts-extended"));
        }
        for (context, &[a, b, c, d, interrupt @ ..]) in pairs.iter().enumerate() {
            let controller = u32::from_be_bytes([a, b, c, d]);
            if controller != 0 && u32::from_be_bytes(interrupt) == SUPERVISOR_EXTERNAL {
                let harts = self.facts.harts.as_mut_slice().iter_mut();
                harts.filter(|hart| hart.controller == controller).for_each(|hart| hart.context = Some(context as u32));
            }
        }
        Ok(())
    }
}

/// Old trees name extensions in one string, single letters together; new ones have a list of strings.
fn extension(isa: Option<&[u8]>, list: Option<&[u8]>, name: &[u8]) -> Extension {
    let mut parts = isa.unwrap_or_default().split(|&byte| byte == 0 || byte == b'_');
    let letters = parts.next().unwrap_or_default().get("rv64".len()..).unwrap_or_default();
    let mut all = parts.chain(letters.chunks(1)).chain(list.unwrap_or_default().split(|&byte| byte == 0));
    if all.any(|part| part == name) { Extension::Named } else { Extension::Absent }
}

/// What a node turned out to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    /// Its children are devices.
    Bus,
    /// A device, of a kind that is wanted or not.
    Device,
}

/// The values of these properties, in one pass over the node.
fn values<'a, const N: usize>(node: &FdtNode<'a>, names: [&str; N]) -> [Option<&'a [u8]>; N] {
    let mut values = [None; N];
    find_values(node, &names, &mut values);
    values
}

/// One copy, however many are looked for.
#[inline(never)]
fn find_values<'a>(node: &FdtNode<'a>, names: &[&str], values: &mut [Option<&'a [u8]>]) {
    for property in node.properties() {
        let wanted = names.iter().zip(&mut *values).find(|(name, _)| **name == property.name());
        if let Some((_, value)) = wanted {
            *value = property.value_as().ok();
        }
    }
}

fn usable(status: Option<&[u8]>) -> bool {
    status.is_none_or(|status| matches!(status, b"okay\0" | b"ok\0"))
}

#[inline(never)]
fn first_register(node: &FdtNode) -> Result<Range<u64>, Problem> {
    registers(node)?.next().unwrap_or(Err(Problem::Property("reg")))
}

/// The ranges of `reg`, without empty ones.
fn registers<'a>(node: &FdtNode<'a>) -> Result<impl Iterator<Item = Result<Range<u64>, Problem>> + use<'a>, Problem> {
    let list = node.reg().map_err(|_| Problem::Property("reg"))?;
    Ok(list
        .into_iter()
        .flatten()
        .map(|reg| {
            let address = value(reg.address).ok_or(Problem::Property("reg"))?;
            span(address, value(reg.size).ok_or(Problem::Property("reg"))?, "reg")
        })
        .filter(|range| range.as_ref().is_ok_and(|range| !range.is_empty()) || range.is_err()))
}

fn span(start: u64, size: u64, name: &'static str) -> Result<Range<u64>, Problem> {
    start.checked_add(size).map(|end| start..end).ok_or(Problem::Property(name))
}

fn value(cells: Cells) -> Option<u64> {
    cells.to_int().ok()
}

/// A number of one or two cells.
#[inline(never)]
fn number(bytes: &[u8], name: &'static str) -> Result<u64, Problem> {
    match bytes.len() {
        4 => bytes.try_into().ok().map(u32::from_be_bytes).map(u64::from),
        8 => bytes.try_into().ok().map(u64::from_be_bytes),
        _ => None,
    }
    .ok_or(Problem::Property(name))
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
