//! The invariants of memory see what is broken: each damage is found, under its own name.

use super::{
    bench::{BASE, Bench, PAGE},
    tree::leaf,
};
use crate::{invariant::Check, process::quota::Resource};
use nexus_abi::syscall::access;

/// Two objects, one mapped writable and readable, one readable only, and nothing wrong.
fn whole() -> Bench {
    let bench = Bench::new(64);
    let (one, two) = (bench.memory(4), bench.memory(2));
    bench.map(one, 0, (0, 2), access::WRITE).expect("nothing is there");
    bench.map(one, 5, (2, 2), access::READ).expect("nothing is there");
    bench.map(two, 10, (0, 2), access::READ).expect("nothing is there");
    bench
}

/// What the check finds first after the damage.
fn found(damage: impl FnOnce(&Bench)) -> Option<&'static str> {
    let bench = whole();
    damage(&bench);
    let mut check = Check::default();
    bench.kernel.check_memory(&mut check);
    assert_eq!(check.violations > 0, check.first.is_some());
    check.first
}

/// Makes one entry say something else.
fn set(bench: &Bench, page: u32, address: u64, bits: u8) {
    bench.kernel.set_pages(bench.process, page, 1, leaf(address, bits));
}

fn page() -> u32 {
    (BASE / PAGE) as u32
}

#[test]
fn nothing_is_found_where_nothing_is_broken() {
    assert_eq!(found(|_| {}), None);
}

#[test]
fn a_lost_frame_and_a_frame_freed_twice_are_found() {
    let text = Some("every frame is in exactly one place");
    let lost = |bench: &Bench| assert!(bench.kernel.frames.allocate().is_some());
    assert_eq!(found(lost), text);
    let freed = |bench: &Bench| {
        let address = bench.kernel.page_address(bench.kernel.memories.at(2), 1).expect("it has two pages");
        bench.kernel.frames.release(bench.kernel.frames.index(address).expect("it is a frame"));
    };
    assert_eq!(found(freed), text);
}

#[test]
fn a_wrong_entry_is_found() {
    let other = |bench: &Bench| set(bench, page(), 0x8000_1000, access::WRITE);
    assert_eq!(found(other), Some("an entry says what its record says"));
    let more = |bench: &Bench| {
        let (address, _) = bench.page(5).expect("it is mapped");
        set(bench, page() + 5, address, access::WRITE);
    };
    assert_eq!(found(more), Some("an entry says what its record says"));
    let stray = |bench: &Bench| set(bench, page() + 20, 0x8000_1000, access::READ);
    assert_eq!(found(stray), Some("every mapped page has one record"));
    let both = |bench: &Bench| {
        let bits = access::WRITE | access::EXECUTE;
        set(bench, page() + 20, 0x8000_1000, bits);
    };
    assert_eq!(found(both), Some("no page is writable and executable"));
}

#[test]
fn a_wrong_record_is_found() {
    let beyond = |bench: &Bench| bench.kernel.mappings.at(3).offset.set(1);
    assert_eq!(found(beyond), Some("a mapping names pages that are there"));
    let kernel_half = |bench: &Bench| bench.kernel.mappings.at(3).page.set(1 << 26);
    assert_eq!(found(kernel_half), Some("a mapping lies in user space"));
    let unlinked = |bench: &Bench| {
        let (mapping, memory) = (bench.kernel.mappings.at(3), bench.kernel.mappings.at(3).memory.get());
        let first = &bench.kernel.memories.at(memory).mappings;
        mapping.links.leave(first, |index| &bench.kernel.mappings.at(index).links);
    };
    assert_eq!(found(unlinked), Some("every mapping is in one list"));
    let foreign = |bench: &Bench| bench.kernel.mappings.at(3).slot.set(bench.kernel.mappings.at(1).slot.get());
    assert_eq!(found(foreign), Some("a mapping hangs on a capability to its object"));
}

#[test]
fn a_broken_list_and_a_broken_seal_are_found() {
    let one_way = |bench: &Bench| bench.kernel.mappings.at(1).links.previous.set(7);
    assert_eq!(found(one_way), Some("mappings link both ways"));
    let sealed = |bench: &Bench| bench.kernel.memories.at(1).allowed.set(super::object::SEALED);
    assert_eq!(found(sealed), Some("a sealed object has no writable mapping"));
    let longer = |bench: &Bench| bench.kernel.memories.at(1).limit.set(3);
    assert_eq!(found(longer), Some("an object stays in its bound"));
}

#[test]
fn a_wrong_charge_is_found() {
    let text = Some("what is charged is there");
    for resource in [Resource::Frames, Resource::Memories, Resource::Mappings, Resource::Irqs] {
        assert_eq!(found(|bench| bench.process.account.charge(resource, 1)), text);
    }
    assert_eq!(found(|bench| bench.process.account.refund(Resource::Frames, 1)), text);
}
