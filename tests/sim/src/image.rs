//! What the simulated machine boots: a manifest and files that stand for programs.
//!
//! No instruction of a file is executed: a program is a function of this process ([`crate::cast`]). But everything that
//! init, execd and the kernel do with a file (digests, segments, mappings) they do with these.

use std::sync::OnceLock;

use nexus_abi::image::{Entry, EntryKind, Header, Segment, seal};
use nexus_abi::layout::{PAGE_SIZE, USER_START};
use nexus_abi::syscall::access;
use nexus_abi::{Name, ServiceId};

/// Where the image lies in physical memory; the device tree lies behind it.
pub(crate) const IMAGE: u64 = 0x9000_0000;

/// The image, the device tree on the pages behind it.
struct Media {
    bytes: Vec<u8>,
    length: usize,
}

fn media() -> &'static Media {
    static MEDIA: OnceLock<Media> = OnceLock::new();
    MEDIA.get_or_init(|| {
        let mut bytes = build();
        let length = bytes.len();
        // That of QEMU's `virt`, as it was read from the machine.
        let tree = concat!(env!("CARGO_MANIFEST_DIR"), "/../../source/kernel/arch/tests/virt.dtb");
        bytes.extend(std::fs::read(tree).expect("the tree has a device tree"));
        bytes.resize(bytes.len().next_multiple_of(PAGE_SIZE), 0);
        Media { bytes, length }
    })
}

/// All bytes from [`IMAGE`] on.
pub(crate) fn image() -> &'static [u8] {
    &media().bytes
}

/// How many of them are the image's; the rest is the device tree's.
pub(crate) fn length() -> usize {
    media().length
}

/// An executable of one page of text.
fn program() -> Vec<u8> {
    let page = PAGE_SIZE as u64;
    // Executable, RISC-V; entry point, program header, no section header; one segment, read and execute.
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0\x01\0\0\0".to_vec();
    file.extend([USER_START, 64, 0].into_iter().flat_map(u64::to_le_bytes));
    file.extend(5u32.to_le_bytes());
    file.extend([64u16, 56, 1, 64, 0, 0].into_iter().flat_map(u16::to_le_bytes));
    file.extend([1u32, 5].into_iter().flat_map(u32::to_le_bytes));
    file.extend([page, USER_START, USER_START, 16, 16, page].into_iter().flat_map(u64::to_le_bytes));
    file.resize(PAGE_SIZE, 0);
    file.extend([0x13; 16]);
    file
}

fn build() -> Vec<u8> {
    let wiring = crate::cast::wiring();
    let manifest = Name::new("manifest").expect("it is short");
    let id = ServiceId::service("manifest");
    let manifest = (manifest, id, EntryKind::Manifest, wiring.write().expect("the manifest is small"));
    let services = wiring.services.iter().map(|service| (service.name, service.id, EntryKind::Service, program()));
    let programs = wiring.programs.iter().map(|one| (one.name, one.id, EntryKind::Program, program()));
    // The header's page, and init's text.
    let (mut bytes, mut entries) = (vec![0; 2 * PAGE_SIZE], Vec::new());
    for (name, id, kind, contents) in [manifest].into_iter().chain(services).chain(programs) {
        let (offset, length) = (bytes.len() as u64, contents.len() as u64);
        let digest = wiring::digest(&contents);
        entries.push(Entry { name, id, kind, offset, length, digest });
        bytes.extend(contents);
        bytes.resize(bytes.len().next_multiple_of(PAGE_SIZE), 0);
    }
    let (length, entry_point) = (bytes.len() as u64, USER_START);
    let mut header = Header { length, entry_point, stack_pages: 1, entries: entries.len(), ..Header::default() };
    let text = (access::READ | access::EXECUTE).into();
    header.segments[0] = Segment { offset: PAGE_SIZE as u64, address: USER_START, pages: 1, access: text };
    seal(&mut bytes, &header, &entries).expect("the entries fit the first page");
    bytes
}
