//! What the firmware hands over: the device tree, and the boot arguments in it.

use super::{PLAIN, refused};
use crate::{Parser, Sample, Verdict};
use init::devices::find;
use nexus_abi::Name;
use nexus_abi::layout::PAGE_SIZE;
use nexus_arch::arguments::Arguments;
use nexus_arch::tree;
use wiring::Device;

/// The hart that asks.
const HART: u64 = 0;

/// The device tree, as the kernel reads it.
pub(super) const DEVICE_TREE: Parser = Parser {
    name: "device-tree",
    read: device_tree,
    errors: &["malformed", "property", "missing", "too-many"],
    mend: Some(|bytes| mend_size(bytes)),
    tokens: TOKENS,
    borrowed: virt,
    samples: trees,
};

/// The device tree, as init looks for devices in it.
pub(super) const DEVICE_NODES: Parser = Parser {
    name: "device-nodes",
    read: device_nodes,
    errors: &["ECORRUPT", "ENOENT"],
    mend: Some(|bytes| mend_size(bytes)),
    tokens: TOKENS,
    borrowed: virt,
    samples: trees_with_uart,
};

const TOKENS: &[&str] = &["reg", "memory@", "cpus", "soc", "compatible", "#address-cells", "okay", "ns16550a"];

fn device_tree(bytes: &[u8]) -> Verdict {
    let facts = match tree::read(bytes, HART) {
        Ok(facts) => facts,
        Err("damaged") => return Verdict::Refused("malformed"),
        Err(problem) if problem.starts_with("no ") => return Verdict::Refused("missing"),
        Err(problem) if problem.starts_with("too many ") => return Verdict::Refused("too-many"),
        Err(_) => return Verdict::Refused("property"),
    };
    let ranges = facts.ram.iter().chain(&facts.reserved).chain(&facts.devices).chain([&facts.initrd]);
    assert!(ranges.into_iter().all(|range| range.start <= range.end), "no range is inside out");
    assert!(!facts.ram[0].is_empty() && facts.timebase > 0, "there is memory, and time goes on");
    assert!(facts.harts()[0].id == HART, "the hart that runs is the first");
    Verdict::Accepted
}

fn device_nodes(bytes: &[u8]) -> Verdict {
    let name = |text| Name::new(text).expect("short");
    let device = Device { name: name("uart"), compatible: name("ns16550a"), instance: 0, owner: 0 };
    match find(bytes, &device) {
        Ok(place) => {
            assert!(place.address.is_multiple_of(PAGE_SIZE as u64) && place.pages > 0, "{place:?} is pages");
            Verdict::Accepted
        }
        Err(error) => refused(error),
    }
}

/// The header's second number is the size of the whole.
fn mend_size(bytes: &mut [u8]) {
    let size = (bytes.len() as u32).to_be_bytes();
    if let Some(place) = bytes.get_mut(4..8) {
        place.copy_from_slice(&size);
    }
}

/// Writes a tree: what the specification calls a flattened one.
#[derive(Default)]
struct Tree {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Tree {
    fn number(&mut self, number: u32) {
        self.structure.extend(number.to_be_bytes());
    }

    fn begin(&mut self, name: &str) {
        self.number(1);
        self.structure.extend(name.bytes().chain([0]));
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn end(&mut self) {
        self.number(2);
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        let at = self.strings.len() as u32;
        self.strings.extend(name.bytes().chain([0]));
        self.number(3);
        self.number(value.len() as u32);
        self.number(at);
        self.structure.extend(value);
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn cells(&mut self, name: &str, cells: &[u32]) {
        let value: Vec<u8> = cells.iter().flat_map(|cell| cell.to_be_bytes()).collect();
        self.property(name, &value);
    }

    fn blob(mut self) -> Vec<u8> {
        self.number(9);
        let (header, reservations) = (40u32, 16u32);
        let structure = header + reservations;
        let strings = structure + self.structure.len() as u32;
        let total = strings + self.strings.len() as u32;
        let lengths = [self.strings.len() as u32, self.structure.len() as u32];
        let numbers = [0xd00d_feed, total, structure, strings, header, 17, 16, 0, lengths[0], lengths[1]];
        let mut out: Vec<u8> = numbers.iter().flat_map(|number: &u32| number.to_be_bytes()).collect();
        out.extend([0; 16]);
        out.extend(self.structure);
        out.extend(self.strings);
        out
    }
}

/// A machine with one hart, one bank of memory and one UART.
fn small(banks: u32) -> Vec<u8> {
    let mut tree = Tree::default();
    tree.begin("");
    tree.cells("#address-cells", &[2]);
    tree.cells("#size-cells", &[2]);
    tree.begin("chosen");
    tree.property("bootargs", b"selftest panic=exit\0");
    tree.end();
    for bank in 0..banks {
        tree.begin(&format!("memory@{}", 80_000_000 + bank));
        tree.property("device_type", b"memory\0");
        tree.cells("reg", &[0, 0x8000_0000 + (bank << 24), 0, 0x100_0000]);
        tree.end();
    }
    tree.begin("cpus");
    tree.cells("#address-cells", &[1]);
    tree.cells("#size-cells", &[0]);
    tree.cells("timebase-frequency", &[10_000_000]);
    tree.begin("cpu@0");
    tree.property("device_type", b"cpu\0");
    tree.cells("reg", &[0]);
    tree.property("status", b"okay\0");
    tree.property("compatible", b"riscv\0");
    tree.property("riscv,isa", b"rv64imafdc_zicsr_sstc\0");
    tree.property("mmu-type", b"riscv,sv39\0");
    tree.begin("interrupt-controller");
    tree.cells("#interrupt-cells", &[1]);
    tree.property("interrupt-controller", b"");
    tree.property("compatible", b"riscv,cpu-intc\0");
    tree.cells("phandle", &[1]);
    tree.end();
    tree.end();
    tree.end();
    tree.begin("soc");
    tree.cells("#address-cells", &[2]);
    tree.cells("#size-cells", &[2]);
    tree.property("compatible", b"simple-bus\0");
    tree.begin("serial@10000000");
    tree.cells("interrupts", &[10]);
    tree.cells("reg", &[0, 0x1000_0000, 0, 0x100]);
    tree.property("compatible", b"ns16550a\0");
    tree.end();
    tree.end();
    tree.end();
    tree.blob()
}

/// The tree of the emulator's machine.
fn virt() -> Vec<Sample> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../source/kernel/arch/tests/virt.dtb");
    vec![Sample::accepted("virt.dtb", std::fs::read(path).expect("it is in the tree"))]
}

fn trees() -> Vec<Sample> {
    vec![Sample::accepted("small.dtb", small(1)), Sample::refused("too-many", "banks.dtb", small(40))]
}

fn trees_with_uart() -> Vec<Sample> {
    vec![Sample::accepted("small.dtb", small(1))]
}

/// The boot arguments, as the kernel reads them.
pub(super) const BOOT_ARGUMENTS: Parser = Parser {
    name: "boot-arguments",
    read: boot_arguments,
    errors: &["unknown-word"],
    tokens: &["panic=exit", "panic=reset", "bootstat", "selftest", "panic", " "],
    samples: || {
        vec![
            Sample::accepted("known.txt", b"selftest panic=exit  bootstat kselftest".to_vec()),
            Sample::accepted("empty.txt", Vec::new()),
            Sample::refused("unknown-word", "typo.txt", b"panic=never \x7f".to_vec()),
            Sample::refused("unknown-word", "latin1.txt", b"selftest \xe4".to_vec()),
        ]
    },
    ..PLAIN
};

fn boot_arguments(bytes: &[u8]) -> Verdict {
    let words = || bytes.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut unknown = Vec::new();
    let read = Arguments::read(bytes, |word| unknown.push(word.to_vec()));
    assert!(unknown.iter().all(|word| words().any(|other| other == word)));
    let known: Vec<&[u8]> = words().filter(|word| !unknown.iter().any(|other| other == word)).collect();
    let again = Arguments::read(&known.join(&b' '), |word| panic!("{word:?} was known before"));
    assert_eq!(again, read, "unknown words change nothing");
    if unknown.is_empty() { Verdict::Accepted } else { Verdict::Refused("unknown-word") }
}
