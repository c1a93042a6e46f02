//! A boot image and a device tree made of bytes.

use nexus_abi::image::{Entry, EntryKind, Header, seal};
use nexus_abi::{Name, ServiceId};
use wiring::Wiring;

const PAGE: usize = 4096;

/// The smallest program: one page of text at 0x10000.
fn program() -> Vec<u8> {
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0\x01\0\0\0".to_vec();
    for word in [0x1_0000u64, 64, 0] {
        file.extend(word.to_le_bytes());
    }
    file.extend(5u32.to_le_bytes());
    for half in [64u16, 56, 1, 64, 0, 0] {
        file.extend(half.to_le_bytes());
    }
    file.extend([1, 0, 0, 0, 5, 0, 0, 0]);
    for word in [0x1000u64, 0x1_0000, 0x1_0000, 16, 16, 4096] {
        file.extend(word.to_le_bytes());
    }
    file.resize(0x1000, 0);
    file.extend([0x13; 16]);
    file
}

/// An image with this manifest and an executable for each of its services.
pub(crate) fn image(wiring: &Wiring) -> Vec<u8> {
    let manifest = (Name::new("manifest").expect("short"), EntryKind::Manifest, wiring.write().expect("small"));
    let services = wiring.services.iter().map(|service| (service.name, EntryKind::Service, program()));
    let (mut bytes, mut entries) = (vec![0; PAGE], Vec::new());
    for (name, kind, contents) in [manifest].into_iter().chain(services) {
        let (offset, length) = (bytes.len() as u64, contents.len() as u64);
        let digest = wiring::digest(&contents);
        entries.push(Entry { name, id: ServiceId::service(name.as_str()), kind, offset, length, digest });
        bytes.extend(contents);
        bytes.resize(bytes.len().next_multiple_of(PAGE), 0);
    }
    let header = Header { length: bytes.len() as u64, stack_pages: 1, entries: entries.len(), ..Header::default() };
    seal(&mut bytes, &header, &entries).expect("small");
    bytes
}

/// A tree of two 16550s, the higher one first, and a node without registers.
pub(crate) fn tree() -> Vec<u8> {
    let mut tree = Tree::default();
    tree.begin("");
    tree.property("#address-cells", &2u32.to_be_bytes());
    tree.property("#size-cells", &2u32.to_be_bytes());
    tree.begin("soc");
    tree.property("#address-cells", &2u32.to_be_bytes());
    tree.property("#size-cells", &2u32.to_be_bytes());
    for (address, line) in [(0x1000_2000u64, 11u32), (0x1000_0000, 10)] {
        tree.begin(&format!("serial@{address:x}"));
        tree.property("compatible", b"vendor,other\0ns16550a\0");
        let reg: Vec<u8> = [address, 0x100].iter().flat_map(|word| word.to_be_bytes()).collect();
        tree.property("reg", &reg);
        tree.property("interrupts", &line.to_be_bytes());
        tree.end();
    }
    tree.begin("bad");
    tree.property("compatible", b"bad\0");
    tree.end();
    tree.end();
    tree.end();
    tree.finish()
}

#[derive(Default)]
struct Tree {
    structure: Vec<u8>,
    strings: Vec<u8>,
}

impl Tree {
    fn word(&mut self, word: u32) {
        self.structure.extend(word.to_be_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.structure.extend(bytes);
        self.structure.resize(self.structure.len().next_multiple_of(4), 0);
    }

    fn begin(&mut self, name: &str) {
        self.word(1);
        self.bytes(&[name.as_bytes(), b"\0"].concat());
    }

    fn end(&mut self) {
        self.word(2);
    }

    fn property(&mut self, name: &str, value: &[u8]) {
        let at = self.strings.len() as u32;
        self.strings.extend(name.as_bytes());
        self.strings.push(0);
        self.word(3);
        self.word(value.len() as u32);
        self.word(at);
        self.bytes(value);
    }

    fn finish(mut self) -> Vec<u8> {
        self.word(9);
        let (structure, strings) = (self.structure.len() as u32, self.strings.len() as u32);
        let total = 56 + structure + strings;
        let header = [0xd00d_feed, total, 56, 56 + structure, 40, 17, 16, 0, strings, structure];
        let mut out: Vec<u8> = header.iter().flat_map(|word: &u32| word.to_be_bytes()).collect();
        out.extend([0; 16]);
        out.extend(self.structure);
        out.extend(self.strings);
        out
    }
}
