//! The first process, made from a boot image as the machine layer finds one.

use crate::{
    Kernel,
    boot::First,
    caps::Capability,
    invariant::Check,
    process::quota::Resource,
    testing::{FRAMES_BASE, machine},
    thread::{State, reg},
};
use nexus_abi::{
    Error, Handle, Kind, QosClass, Rights, ServiceId,
    image::{self, Entry, EntryKind, Header, Image, Segment},
    layout::{IPC_PAGE, PAGE_SIZE, STACK_TOP, START_PAGE, USER_START},
    start::{StartPage, first},
    syscall::access,
};
use std::{vec, vec::Vec};

const PAGE: u64 = PAGE_SIZE as u64;
/// Where the image lies in physical memory.
const IMAGE: u64 = FRAMES_BASE + 0x100_0000;

/// Text in place, data that is copied, and a page that starts as zeros.
fn header() -> Header {
    let text = (access::READ | access::EXECUTE).into();
    let data = (access::READ | access::WRITE).into();
    let mut header =
        Header { length: 3 * PAGE, entry_point: USER_START, stack_pages: 2, entries: 1, ..Header::default() };
    header.segments[0] = Segment { offset: PAGE, address: USER_START, pages: 1, access: text };
    header.segments[1] = Segment { offset: 2 * PAGE, address: USER_START + PAGE, pages: 1, access: data };
    header.segments[2] = Segment { offset: u64::MAX, address: USER_START + 2 * PAGE, pages: 1, access: data };
    header
}

fn bytes(header: &Header) -> Vec<u8> {
    let mut bytes = vec![0; header.length as usize];
    bytes[2 * PAGE_SIZE..].fill(0x5a);
    let name = nexus_abi::Name::new("init").expect("a short name");
    let id = ServiceId::service("init");
    let entry = Entry { name, id, kind: EntryKind::Service, offset: 2 * PAGE, length: 8, digest: [0; 32] };
    image::seal(&mut bytes, header, &[entry]).expect("the header is sound");
    bytes
}

fn start(kernel: &'static Kernel, bytes: &[u8]) -> Result<(), Error> {
    let image = Image::read(bytes).expect("the image is sound");
    let image_range = IMAGE..IMAGE + bytes.len() as u64;
    kernel.start_first(&First { image, bytes, image_range, device_tree: IMAGE + 16 * PAGE..IMAGE + 17 * PAGE }, 50)
}

/// A byte of the first process's memory.
fn byte(kernel: &Kernel, address: u64) -> Option<u8> {
    let entry = kernel.entry(kernel.processes.at(1).tree(), 0, (address / PAGE) as u32)?;
    let (physical, _) = crate::memory::tree::invariant::read_leaf(entry.get())?;
    kernel
        .frames
        .index(physical)
        .map(|frame| (kernel.frames.at(frame).0[(address % PAGE / 8) as usize].get() >> (address % 8 * 8)) as u8)
}

#[test]
fn the_first_process_runs_with_its_segments_stack_and_start_page() {
    let kernel = machine(1, 256);
    start(kernel, &bytes(&header())).expect("there is room");

    let thread = kernel.threads.at(kernel.cpus[0].current.get());
    assert_eq!((thread.state(), thread.base_class()), (State::Running, QosClass::Interactive));
    assert_eq!((thread.frame.get(0), thread.frame.get(reg::SP)), (USER_START, STACK_TOP));
    assert_eq!(thread.frame.get(reg::A0), START_PAGE);
    assert_eq!(thread.ipc_page.get(), IPC_PAGE);
    assert_eq!(byte(kernel, USER_START + PAGE), Some(0x5a), "data is a copy");
    assert_eq!(byte(kernel, USER_START + 2 * PAGE), Some(0), "the rest is zero");
    assert_eq!(byte(kernel, USER_START), None, "text is mapped where it lies, outside the frames");
    assert!(byte(kernel, STACK_TOP - 1).is_some() && byte(kernel, STACK_TOP - 2 * PAGE).is_some());
    assert_eq!(byte(kernel, STACK_TOP - 2 * PAGE - 1), None, "below the stack is nothing");
    let mut check = Check::default();
    kernel.check_invariants(&mut check);
    assert_eq!((check.violations, check.first), (0, None));
}

#[test]
fn the_first_process_finds_the_roots_by_name_and_may_pass_them_on() {
    let kernel = machine(1, 256);
    start(kernel, &bytes(&header())).expect("there is room");
    let process = kernel.processes.at(1);
    let length = kernel.threads.at(kernel.cpus[0].current.get()).frame.get(reg::A0 + 1);
    let page: Vec<u8> = (0..length).map(|at| byte(kernel, START_PAGE + at).expect("it is mapped")).collect();
    let page = StartPage::read(&page).expect("the kernel wrote it");
    let named = |name: &str| {
        let handle: Handle = page.handle(name).expect("it is there");
        kernel.slot(process, handle).expect("it is valid")
    };
    let roots = [
        (first::DEVICES, Kind::DeviceRoot),
        (first::SPAWN, Kind::Spawn),
        (first::INFO, Kind::Info),
        (first::POWER, Kind::Power),
        (first::LOG, Kind::Log),
    ];
    for (name, kind) in roots {
        assert_eq!((named(name).kind(), named(name).rights()), (Some(kind), Rights::ALL));
    }
    for name in [first::IMAGE, first::DEVICE_TREE] {
        let rights = Rights::USE.union(Rights::TRANSFER);
        assert_eq!((named(name).kind(), named(name).rights()), (Some(Kind::Memory), rights), "{name} is read-only");
    }
    assert_eq!(process.account.limit(Resource::Processes as usize), kernel.processes.pool.capacity);
}

#[test]
fn a_machine_too_small_for_the_first_process_says_so() {
    for frames in [2, 6, 10] {
        assert_eq!(start(machine(1, frames), &bytes(&header())), Err(Error::OverLimit), "{frames} frames");
    }
}

#[test]
fn a_root_capability_names_no_object() {
    let kernel = machine(1, 64);
    let capability = Capability { kind: Kind::Info, object: 0, shard: 0, rights: Rights::ALL, badge: 0 };
    assert!(kernel.header_of(capability.kind, capability.object).is_none());
    assert!(!kernel.gone(Kind::Info, 0));
}
