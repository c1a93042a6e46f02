//! Reads the device tree: from a blob to [`Facts`], or to what is wrong with it.
//!
//! One walk over root, its buses and the three special nodes collects everything. Source: Devicetree Specification 0.4.

use crate::facts::{Facts, HartFact, Problem, insert};
use crate::flat::{Node, Tree, integer};
use core::ops::Range;

/// Interrupt number of supervisor external interrupts at a hart's own controller.
const SUPERVISOR_EXTERNAL: u32 = 9;

/// Reads the facts. `boot` is the hart that runs: it is always the first of [`Facts::harts`].
pub fn read(blob: &[u8], boot: u64) -> Result<Facts<'_>, Problem> {
    let tree = Tree::new(blob).ok_or("damaged")?;
    let mut facts = Facts { boot, ..Facts::default() };
    for (start, size) in tree.reservations() {
        facts.reserve(span(start, size, "memreserve")?)?;
    }
    tree.walk(|path| facts.node(path)).ok_or("damaged")??;
    facts.name_contexts()?;
    let needed = [
        (facts.ram[0].is_empty(), "no memory"),
        (facts.harts[0].is_none(), "no hart that runs"),
        (facts.timebase == 0, "no timebase-frequency"),
    ];
    match needed.into_iter().find(|&(missing, _)| missing) {
        Some((_, problem)) => Err(problem),
        None => Ok(facts),
    }
}

impl<'a> Facts<'a> {
    fn node(&mut self, path: &[Node<'a>]) -> Result<(), Problem> {
        match path {
            [root, node] if node.is("memory") => {
                registers(root, node)?.try_for_each(|bank| insert(&mut self.ram, bank?).ok_or("too many memory banks"))
            }
            [_, node] if node.is("chosen") => self.chosen(node),
            [_, node] if node.is("cpus") => self.timebase(node),
            [_, cpus, node] if cpus.is("cpus") && node.is("cpu") && usable(node) => self.cpu(node),
            [_, cpus, cpu, node] if cpus.is("cpus") && cpu.is("cpu") => self.controller(cpu, node),
            [_, all, node] if all.is("reserved-memory") => registers(all, node)?.try_for_each(|at| self.reserve(at?)),
            [parent, node] if usable(node) => self.device(parent, node),
            [_, bus, node] if is_kind(bus, &["simple-bus"]) && usable(node) => self.device(bus, node),
            _ => Ok(()),
        }
    }

    fn reserve(&mut self, range: Range<u64>) -> Result<(), Problem> {
        insert(&mut self.reserved, range).ok_or("too many reserved ranges")
    }

    /// Stands at all harts together, or at each.
    fn timebase(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        if self.timebase == 0 {
            self.timebase = number(node, "timebase-frequency")?.unwrap_or(0);
        }
        Ok(())
    }

    /// What is beyond the room for harts is only counted.
    fn cpu(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        self.timebase(node)?;
        let (isa, extensions) = (node.value("riscv,isa"), node.value("riscv,isa-extensions"));
        let id = number(node, "reg")?.ok_or("reg")?;
        let (sstc, float) = (extension(isa, extensions, b"sstc"), extension(isa, extensions, b"d"));
        let [first, others @ ..] = &mut self.harts;
        let place = if id == self.boot { Some(first) } else { others.iter_mut().find(|place| place.is_none()) };
        if let Some(place) = place {
            *place = Some(HartFact { id, controller: 0, context: None, sstc, float });
        }
        self.all_harts += 1;
        Ok(())
    }

    /// The node in a hart that others name when they interrupt it.
    fn controller(&mut self, cpu: &Node<'a>, node: &Node<'a>) -> Result<(), Problem> {
        let (id, phandle) = (number(cpu, "reg")?, number(node, "phandle")?.unwrap_or(0));
        let mut harts = self.harts.iter_mut().flatten();
        if let Some(hart) = harts.find(|hart| Some(hart.id) == id && hart.controller == 0) {
            hart.controller = phandle as u32;
        }
        Ok(())
    }

    fn chosen(&mut self, node: &Node<'a>) -> Result<(), Problem> {
        if let Some(bytes) = node.value("bootargs") {
            self.arguments = bytes.strip_suffix(b"\0").ok_or("bootargs")?;
        }
        let name = "linux,initrd-start";
        if let (Some(start), Some(end)) = (number(node, name)?, number(node, "linux,initrd-end")?) {
            let length = end.checked_sub(start).ok_or(name)?;
            self.initrd = if length > 0 { start..end } else { 0..0 };
        }
        Ok(())
    }

    /// The first usable device of each kind counts.
    fn device(&mut self, parent: &Node<'a>, node: &Node<'a>) -> Result<(), Problem> {
        let place = if self.uart.is_empty() && is_kind(node, &["ns16550a", "ns16550"]) {
            self.uart_shift = number_below(node, "reg-shift", 5)?.unwrap_or(0);
            &mut self.uart
        } else if self.plic.is_empty() && is_kind(node, &["riscv,plic0", "sifive,plic-1.0.0"]) {
            self.lines = number_below(node, "riscv,ndev", 1024)?.ok_or("riscv,ndev")?;
            self.contexts = node.value("interrupts-extended").unwrap_or_default();
            &mut self.plic
        } else if self.test.is_empty() && is_kind(node, &["sifive,test0", "sifive,test1"]) {
            &mut self.test
        } else if self.clint.is_empty() && is_kind(node, &["riscv,clint0", "sifive,clint0"]) {
            &mut self.clint
        } else {
            return Ok(());
        };
        *place = registers(parent, node)?.next().unwrap_or(Err("reg"))?;
        Ok(())
    }

    /// Context `n` of the PLIC is the `n`-th pair of hart controller and interrupt number.
    fn name_contexts(&mut self) -> Result<(), Problem> {
        let (pairs, rest) = self.contexts.as_chunks::<8>();
        if !rest.is_empty() {
            return Err("interrupts-extended");
        }
        for (context, pair) in pairs.iter().enumerate() {
            let (controller, interrupt) = ((integer(pair) >> 32) as u32, integer(pair) as u32);
            if controller != 0 && interrupt == SUPERVISOR_EXTERNAL {
                let harts = self.harts.iter_mut().flatten();
                harts.filter(|hart| hart.controller == controller).for_each(|hart| hart.context = Some(context as u32));
            }
        }
        Ok(())
    }
}

/// True if a hart has the extension. Old trees name extensions in one string, single letters together; new ones have a
/// list of strings.
fn extension(isa: Option<&[u8]>, list: Option<&[u8]>, name: &[u8]) -> bool {
    let mut parts = isa.unwrap_or_default().split(|&byte| byte == 0 || byte == b'_');
    let letters = parts.next().unwrap_or_default().get("rv64".len()..).unwrap_or_default();
    let mut all = parts.chain(letters.chunks(1)).chain(list.unwrap_or_default().split(|&byte| byte == 0));
    all.any(|part| part == name)
}

/// True if the node is compatible with one of these.
fn is_kind(node: &Node, names: &[&str]) -> bool {
    let given = node.value("compatible").unwrap_or_default();
    given.split(|&byte| byte == 0).any(|given| names.iter().any(|name| name.as_bytes() == given))
}

fn usable(node: &Node) -> bool {
    node.value("status").is_none_or(|status| matches!(status, b"okay\0" | b"ok\0"))
}

/// The ranges of `reg`, without empty ones. The parent says of how many cells address and size are.
fn registers<'a>(
    parent: &Node<'a>,
    node: &Node<'a>,
) -> Result<impl Iterator<Item = Result<Range<u64>, Problem>> + use<'a>, Problem> {
    let address = number_below(parent, "#address-cells", 3)?.unwrap_or(2) as usize * 4;
    let size = number_below(parent, "#size-cells", 3)?.unwrap_or(1) as usize * 4;
    let entries = node.value("reg").unwrap_or_default().chunks((address + size).max(4));
    let ranges = entries.map(move |entry| {
        let numbers = entry.split_at_checked(address).filter(|(_, rest)| rest.len() == size);
        let (start, size) = numbers.ok_or("reg")?;
        span(integer(start), integer(size), "reg")
    });
    Ok(ranges.filter(|range| range.as_ref().map_or(true, |range| !range.is_empty())))
}

fn span(start: u64, size: u64, name: &'static str) -> Result<Range<u64>, Problem> {
    start.checked_add(size).map(|end| start..end).ok_or(name)
}

/// A number of one or two cells.
fn number(node: &Node, name: &'static str) -> Result<Option<u64>, Problem> {
    match node.value(name) {
        None => Ok(None),
        Some(bytes) if matches!(bytes.len(), 4 | 8) => Ok(Some(integer(bytes))),
        Some(_) => Err(name),
    }
}

/// The same where only numbers below `bound` make sense.
fn number_below(node: &Node, name: &'static str, bound: u64) -> Result<Option<u32>, Problem> {
    match number(node, name)? {
        Some(number) if number >= bound => Err(name),
        number => Ok(number.map(|number| number as u32)),
    }
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
