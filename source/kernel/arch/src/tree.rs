//! Reads the device tree: from a blob to [`Facts`], or to what is wrong with it.
//!
//! One walk over root, its buses and the three special nodes collects everything. Source: Devicetree Specification 0.4.

use crate::facts::{Device, Facts, HartFact, Problem, insert};
use crate::flat::{Node, Tree, integer};
use core::ops::Range;

/// What each [`Device`] is compatible with.
const DEVICES: [[&str; 2]; 4] = [
    ["riscv,clint0", "sifive,clint0"],
    ["riscv,plic0", "sifive,plic-1.0.0"],
    ["sifive,test0", "sifive,test1"],
    ["ns16550a", "ns16550"],
];
const TOO_MANY_RESERVED: Problem = "too many reserved ranges";
/// No address.
const NOWHERE: u64 = u64::MAX;

/// Reads the facts. `boot` is the hart that runs: it is always the first of [`Facts::harts`].
pub fn read(blob: &[u8], boot: u64) -> Result<Facts<'_>, Problem> {
    let tree = Tree::new(blob).ok_or("damaged")?;
    let mut facts = Facts { boot, sstc: true, float: true, ..Facts::default() };
    for (start, size) in tree.reservations() {
        insert(&mut facts.reserved, span(start, size, "memreserve")?).ok_or(TOO_MANY_RESERVED)?;
    }
    tree.walk(|path| facts.node(path)).ok_or("damaged")??;
    match facts {
        _ if facts.ram[0].is_empty() => Err("no memory"),
        _ if facts.others == facts.all_harts => Err("no hart that runs"),
        _ if facts.timebase == 0 => Err("no timebase-frequency"),
        _ => Ok(facts),
    }
}

impl<'a> Facts<'a> {
    fn node(&mut self, path: &[Node<'a>]) -> Result<(), Problem> {
        match path {
            [root, node] if node.is("memory") => registers(root, node, &mut self.ram, Err("too many memory banks")),
            [_, node] if node.is("chosen") => self.chosen(node),
            [_, node] if node.is("cpus") => self.timebase(node),
            [_, cpus, cpu] if is_hart(cpus, cpu) => self.cpu(cpu),
            [_, cpus, cpu, node] if is_hart(cpus, cpu) => self.controller(node),
            [_, all, node] if all.is("reserved-memory") => {
                registers(all, node, &mut self.reserved, Err(TOO_MANY_RESERVED))
            }
            [root, node] if usable(node) => self.find_device(root, node),
            [_, bus, node] if is_kind(bus, &["simple-bus"]) && usable(node) => self.find_device(bus, node),
            _ => Ok(()),
        }
    }

    /// Stands at all harts together, or at each.
    fn timebase(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        if self.timebase == 0 {
            self.timebase = number(node, "timebase-frequency", u64::MAX, Ok(0))?;
        }
        Ok(())
    }

    /// What is beyond the room for harts is only counted.
    fn cpu(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        self.timebase(node)?;
        let (isa, extensions) = (node.value("riscv,isa"), node.value("riscv,isa-extensions"));
        let id = number(node, "reg", u64::MAX, Err("reg"))?;
        let boots = id == self.boot && self.others == self.all_harts;
        self.others += usize::from(!boots);
        self.all_harts += 1;
        self.last = if boots { 0 } else { self.others };
        if let Some(place) = self.harts.get_mut(self.last) {
            *place = HartFact { id, controller: 0 };
            self.sstc &= extension(isa, extensions, b"sstc");
            self.float &= extension(isa, extensions, b"d");
        }
        Ok(())
    }

    /// The node in the hart that came last that others name when they interrupt it.
    fn controller(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        let phandle = number(node, "phandle", u64::MAX, Ok(0))?;
        if let Some(hart) = self.harts.get_mut(self.last).filter(|hart| hart.controller == 0) {
            hart.controller = phandle as u32;
        }
        Ok(())
    }

    fn chosen(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        if let Some(bytes) = node.value("bootargs") {
            self.arguments = bytes.strip_suffix(b"\0").ok_or("bootargs")?;
        }
        let start = number(node, "linux,initrd-start", u64::MAX, Ok(NOWHERE))?;
        let end = number(node, "linux,initrd-end", u64::MAX, Ok(start))?;
        if start != NOWHERE && start != end {
            self.initrd = if start < end { start..end } else { return Err("linux,initrd-start") };
        }
        Ok(())
    }

    /// The first usable device of each kind counts, and the lowest of its ranges.
    fn find_device(&mut self, parent: &Node<'a>, node: &Node<'a>) -> Result<(), Problem> {
        let kind = DEVICES.iter().position(|names| is_kind(node, names));
        let Some(kind) = kind.filter(|&kind| self.devices[kind].is_empty()) else { return Ok(()) };
        let place = &mut self.devices[kind];
        if kind == Device::Uart as usize {
            self.uart_shift = number(node, "reg-shift", 4, Ok(0))? as u32;
        } else if kind == Device::Plic as usize {
            self.lines = number(node, "riscv,ndev", 1023, Err("riscv,ndev"))? as u32;
            let contexts = node.value("interrupts-extended").unwrap_or_default();
            let (contexts, []) = contexts.as_chunks() else { return Err("interrupts-extended") };
            self.contexts = contexts;
        }
        registers(parent, node, core::slice::from_mut(place), Ok(()))?;
        if place.is_empty() { Err("reg") } else { Ok(()) }
    }
}

/// True if a hart has the extension. Old trees name extensions in one string, single letters together; new ones have a
/// list of strings.
fn extension(isa: Option<&[u8]>, list: Option<&[u8]>, name: &[u8]) -> bool {
    let (isa, list) = (isa.unwrap_or_default(), list.unwrap_or_default());
    let letters = isa.split(|&byte| byte == 0 || byte == b'_').next().and_then(|first| first.get("rv64".len()..));
    letters.unwrap_or_default().iter().any(|letter| [*letter] == *name) || has(isa, b'_', name) || has(list, 0, name)
}

/// True if the node is compatible with one of these.
fn is_kind(node: &Node, names: &[&str]) -> bool {
    let given = node.value("compatible").unwrap_or_default();
    names.iter().any(|name| has(given, 0, name.as_bytes()))
}

/// True if this is among the strings of a list, which end at a zero or at a separator.
fn has(list: &[u8], separator: u8, name: &[u8]) -> bool {
    list.split(|&byte| byte == 0 || byte == separator).any(|given| given == name)
}

fn is_hart(cpus: &Node, cpu: &Node) -> bool {
    cpus.is("cpus") && cpu.is("cpu") && usable(cpu)
}

fn usable(node: &Node) -> bool {
    node.value("status").is_none_or(|status| status == b"okay\0" || status == b"ok\0")
}

/// Adds the ranges of `reg`, without empty ones, to a list; `full`: what of one that has no room there. The parent says of how
/// many cells address and size are.
fn registers(parent: &Node, node: &Node, list: &mut [Range<u64>], full: Result<(), Problem>) -> Result<(), Problem> {
    let address = number(parent, "#address-cells", 2, Ok(2))? as usize * 4;
    let size = number(parent, "#size-cells", 2, Ok(1))? as usize * 4;
    for entry in node.value("reg").unwrap_or_default().chunks((address + size).max(4)) {
        let (start, size) = entry.split_at_checked(address).filter(|(_, rest)| rest.len() == size).ok_or("reg")?;
        insert(list, span(integer(start), integer(size), "reg")?).map_or(full, Ok)?;
    }
    Ok(())
}

fn span(start: u64, size: u64, name: &'static str) -> Result<Range<u64>, Problem> {
    start.checked_add(size).map(|end| start..end).ok_or(name)
}

/// A number of one or two cells that is at most `most`; `absent`: there is none.
fn number(node: &Node, name: &'static str, most: u64, absent: Result<u64, Problem>) -> Result<u64, Problem> {
    match node.value(name) {
        None => absent,
        Some(bytes) if matches!(bytes.len(), 4 | 8) && integer(bytes) <= most => Ok(integer(bytes)),
        Some(_) => Err(name),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
