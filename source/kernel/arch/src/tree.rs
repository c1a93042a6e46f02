//! Reads the device tree: from a blob to [`Facts`], or to what is wrong with it.
//!
//! The parser validates the whole blob before the first node is looked at, so that no offset in it is trusted. One walk
//! over root, its buses and the three special nodes collects everything. Source: Devicetree Specification 0.4.

use crate::facts::{Facts, HartFact, PlicFact, Problem, Sstc, UartFact};
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
    let mut facts = Facts::default();
    for reservation in tree.memory_reservations() {
        reserve(&mut facts, span(reservation.address(), reservation.size(), "memreserve")?)?;
    }
    for node in tree.root().children() {
        match node.name_without_address() {
            "memory" => memory(&mut facts, &node)?,
            "reserved-memory" => reserved_memory(&mut facts, &node)?,
            "cpus" => cpus(&mut facts, &node, boot)?,
            "chosen" => chosen(&mut facts, &node)?,
            _ => device_or_bus(&mut facts, &node)?,
        }
    }
    // The PLIC may stand before the harts that its contexts name.
    for node in tree.root().children() {
        contexts(&mut facts, &node)?;
        node.children().try_for_each(|child| contexts(&mut facts, &child))?;
    }
    check(facts, boot)
}

fn check(facts: Facts, boot: u64) -> Result<Facts, Problem> {
    if facts.ram.as_slice().is_empty() {
        return Err(Problem::Missing("memory"));
    }
    if !facts.harts.as_slice().iter().any(|hart| hart.id == boot) {
        return Err(Problem::Missing("hart that runs"));
    }
    if facts.timebase == 0 {
        return Err(Problem::Missing("timebase-frequency"));
    }
    Ok(facts)
}

fn memory(facts: &mut Facts, node: &FdtNode) -> Result<(), Problem> {
    for bank in registers(node)? {
        facts.ram.push(bank?).map_err(|_| Problem::TooMany("memory banks"))?;
    }
    Ok(())
}

fn reserved_memory(facts: &mut Facts, node: &FdtNode) -> Result<(), Problem> {
    for child in node.children() {
        for range in registers(&child)? {
            reserve(facts, range?)?;
        }
    }
    Ok(())
}

fn reserve(facts: &mut Facts, range: Range<u64>) -> Result<(), Problem> {
    facts.reserved.push(range).map_err(|_| Problem::TooMany("reserved ranges"))
}

fn cpus(facts: &mut Facts, node: &FdtNode, boot: u64) -> Result<(), Problem> {
    if let Some(property) = node.property("timebase-frequency") {
        facts.timebase = number(property.value(), "timebase-frequency")?;
    }
    for cpu in node.children().filter(|child| child.name_without_address() == "cpu" && usable(child)) {
        if facts.timebase == 0
            && let Some(property) = cpu.property("timebase-frequency")
        {
            facts.timebase = number(property.value(), "timebase-frequency")?;
        }
        let id = cpu.property("reg").ok_or(Problem::Property("cpu/reg"))?;
        let controller = cpu.children().find_map(|child| child.property("phandle"));
        let hart = HartFact {
            id: number(id.value(), "cpu/reg")?,
            controller: controller.map_or(Ok(0), |phandle| number(phandle.value(), "phandle"))? as u32,
            context: None,
            sstc: sstc(&cpu),
        };
        if facts.harts.push(hart).is_err() {
            facts.further_harts += 1;
            if let Some(last) = facts.harts.as_mut_slice().last_mut().filter(|_| hart.id == boot) {
                *last = hart;
            }
        }
    }
    Ok(())
}

fn usable(node: &FdtNode) -> bool {
    node.property("status").is_none_or(|status| matches!(status.value(), b"okay\0" | b"ok\0"))
}

/// Old trees name extensions in one string, new ones in a list of strings.
fn sstc(cpu: &FdtNode) -> Sstc {
    let named = |property: &str| {
        cpu.property(property).is_some_and(|found| {
            found.value().split(|&byte| byte == 0 || byte == b'_').any(|extension| extension == b"sstc")
        })
    };
    if named("riscv,isa-extensions") || named("riscv,isa") { Sstc::Named } else { Sstc::Absent }
}

fn chosen<'a>(facts: &mut Facts<'a>, node: &FdtNode<'a>) -> Result<(), Problem> {
    if let Some(property) = node.property("bootargs") {
        facts.arguments = property.value_as().map_err(|_| Problem::Property("bootargs"))?;
    }
    let (start, end) = (node.property("linux,initrd-start"), node.property("linux,initrd-end"));
    if let (Some(start), Some(end)) = (start, end) {
        let name = "linux,initrd-start";
        let range = number(start.value(), name)?..number(end.value(), name)?;
        if range.start > range.end {
            return Err(Problem::Property(name));
        }
        facts.initrd = (!range.is_empty()).then_some(range);
    }
    Ok(())
}

fn device_or_bus(facts: &mut Facts, node: &FdtNode) -> Result<(), Problem> {
    if compatible(node, &["simple-bus"]) {
        node.children().try_for_each(|child| device(facts, &child))
    } else {
        device(facts, node)
    }
}

/// The first usable device of each kind counts.
fn device(facts: &mut Facts, node: &FdtNode) -> Result<(), Problem> {
    if facts.uart.is_none() && compatible(node, &["ns16550a", "ns16550"]) && usable(node) {
        let shift = node.property("reg-shift").map_or(Ok(0), |shift| number(shift.value(), "reg-shift"))?;
        let shift = u32::try_from(shift).ok().filter(|&shift| shift <= 4).ok_or(Problem::Property("reg-shift"))?;
        facts.uart = Some(UartFact { range: first_register(node)?, shift });
    } else if facts.plic.is_none() && compatible(node, &["riscv,plic0", "sifive,plic-1.0.0"]) {
        let lines = node.property("riscv,ndev").ok_or(Problem::Property("riscv,ndev"))?;
        let lines = number(lines.value(), "riscv,ndev")?;
        let lines = u32::try_from(lines).ok().filter(|&lines| lines < 1024).ok_or(Problem::Property("riscv,ndev"))?;
        facts.plic = Some(PlicFact { range: first_register(node)?, lines });
    } else if facts.test.is_none() && compatible(node, &["sifive,test0", "sifive,test1"]) {
        facts.test = Some(first_register(node)?);
    } else if facts.clint.is_empty() && compatible(node, &["riscv,clint0", "sifive,clint0"]) {
        facts.clint = first_register(node)?;
    }
    Ok(())
}

/// Context `n` of the PLIC is the `n`-th pair of hart controller and interrupt number.
fn contexts(facts: &mut Facts, node: &FdtNode) -> Result<(), Problem> {
    if !compatible(node, &["riscv,plic0", "sifive,plic-1.0.0"]) {
        return Ok(());
    }
    let Some(property) = node.property("interrupts-extended") else { return Ok(()) };
    let pairs = property.as_prop_encoded_array([1, 1]).map_err(|_| Problem::Property("interrupts-extended"))?;
    for (context, [controller, interrupt]) in pairs.enumerate() {
        if value(controller) == Some(0) || value(interrupt) != Some(SUPERVISOR_EXTERNAL.into()) {
            continue;
        }
        let harts = facts.harts.as_mut_slice().iter_mut();
        harts
            .filter(|hart| value(controller) == Some(hart.controller.into()))
            .for_each(|hart| hart.context = Some(context as u32));
    }
    Ok(())
}

fn compatible(node: &FdtNode, names: &[&str]) -> bool {
    node.compatible().is_some_and(|mut given| given.any(|name| names.contains(&name)))
}

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
