//! Making, growing and ending memory objects.

use super::bench::{BASE, Bench};
use crate::{
    memory::object::MAX_PAGES,
    process::quota::Resource,
    testing::{WIDE, give, machine},
};
use std::vec::Vec;

use nexus_abi::{
    Error, Kind, Quota, Rights,
    start::ExitKind,
    syscall::{Close, Inspect, Map, MemoryCreate, MemoryGrow, Unmap, access},
};

#[test]
fn an_object_grows_by_batches_up_to_its_bound() {
    let bench = Bench::new(128);
    let memory = bench.call(MemoryCreate { process: None, pages: 40 }).expect("the quota is wide").memory;

    let totals: Vec<u64> =
        (0..3).map(|_| bench.call(MemoryGrow { memory, pages: 100 }).expect("there is room").total).collect();

    assert_eq!(totals, [16, 32, 40]);
    assert_eq!(bench.call(Inspect { handle: memory }).map(|inspected| inspected.size), Ok(40));
    bench.refused(MemoryGrow { memory, pages: 1 }, Error::OverLimit);
}

#[test]
fn an_object_above_512_pages_has_two_levels_of_index() {
    let bench = Bench::new(1200);
    let before = bench.kernel.frames.pool.used();

    let memory = bench.memory(1030);

    assert_eq!(bench.kernel.frames.pool.used() - before, 1030 + 1 + 3);
    assert_eq!(bench.map(memory, 0, (1000, 30), access::WRITE), Ok(30));
    assert_eq!(bench.unmap(0, 30), Ok(30));
    bench.call(Close { handle: memory }).map(|_| ()).expect("the handle is good");
    let tables = 2;
    assert_eq!(bench.kernel.frames.pool.used() - before, tables);
}

#[test]
fn a_reused_frame_is_zero() {
    let bench = Bench::new(8);
    let memory = bench.memory(2);
    let object = bench.kernel.memories.at(1);
    let address = bench.kernel.page_address(object, 1).expect("it has two pages");
    let frame = bench.kernel.frames.index(address).expect("it is a frame");
    bench.kernel.frames.at(frame).0[511].set(0xdead);
    bench.call(Close { handle: memory }).map(|_| ()).expect("the handle is good");

    bench.memory(3);

    let object = bench.kernel.memories.at(1);
    for page in 0..3 {
        let address = bench.kernel.page_address(object, page).expect("it has three pages");
        let frame = bench.kernel.frames.index(address).expect("it is a frame");
        assert!(bench.kernel.frames.at(frame).0.iter().all(|word| word.get() == 0));
    }
}

#[test]
fn memory_create_refuses() {
    let bench = Bench::new(64);
    let (root, weak) = (bench.root, bench.process.header.me());
    let weak = give(bench.kernel, bench.process, Kind::Process, weak, Rights::TAKE);
    let gone = bench.memory(1);
    bench.call(Close { handle: gone }).map(|_| ()).expect("the handle is good");

    bench.refused(MemoryCreate { process: None, pages: 0 }, Error::Invalid);
    bench.refused(MemoryCreate { process: None, pages: u64::from(MAX_PAGES) + 1 }, Error::OverLimit);
    bench.refused(MemoryCreate { process: None, pages: u64::MAX }, Error::OverLimit);
    bench.refused(MemoryCreate { process: Some(root), pages: 1 }, Error::WrongKind);
    bench.refused(MemoryCreate { process: Some(weak), pages: 1 }, Error::Permission);
    bench.refused(MemoryCreate { process: Some(gone), pages: 1 }, Error::BadHandle);
}

#[test]
fn memory_create_refuses_what_quota_or_arena_lacks() {
    let bench = Bench::with(machine(1, 64), &Quota { memories: 1, ..WIDE });
    bench.memory(1);
    bench.refused(MemoryCreate { process: None, pages: 1 }, Error::OverLimit);

    let bench = Bench::with(machine(1, 64), &Quota { memories: 500, slot_blocks: 60, ..WIDE });
    for _ in 0..bench.kernel.memories.pool.capacity {
        bench.call(MemoryCreate { process: None, pages: 1 }).map(|_| ()).expect("the arena has room");
    }
    bench.refused(MemoryCreate { process: None, pages: 1 }, Error::Exhausted);
}

#[test]
fn memory_create_refuses_without_room_for_a_handle() {
    let bench = Bench::with(machine(1, 64), &Quota { slot_blocks: 1, ..WIDE });
    while bench.process.free_slots[0].get() != 0 {
        give(bench.kernel, bench.process, Kind::Info, 0, Rights::USE);
    }
    bench.refused(MemoryCreate { process: None, pages: 1 }, Error::OverLimit);
}

#[test]
fn memory_grow_refuses() {
    let bench = Bench::new(64);
    let memory = bench.memory(4);
    let fresh = bench.call(MemoryCreate { process: None, pages: 4 }).expect("the quota is wide").memory;
    let weak = bench.weaker(fresh, Rights::USE.union(Rights::TAKE).union(Rights::TRANSFER));
    let window = bench
        .call(nexus_abi::syscall::WindowMint { root: bench.root, address: 0x1000_0000, pages: 1 })
        .expect("nobody has it")
        .window;

    bench.refused(MemoryGrow { memory: fresh, pages: 0 }, Error::Invalid);
    bench.refused(MemoryGrow { memory, pages: 1 }, Error::OverLimit);
    bench.refused(MemoryGrow { memory: weak, pages: 1 }, Error::Permission);
    bench.refused(MemoryGrow { memory: bench.root, pages: 1 }, Error::WrongKind);
    bench.refused(MemoryGrow { memory: window, pages: 1 }, Error::WrongKind);
    bench.call(nexus_abi::syscall::MemorySeal { memory: fresh }).map(|_| ()).expect("it is open");
    bench.refused(MemoryGrow { memory: fresh, pages: 1 }, Error::State);
    bench.call(Close { handle: fresh }).map(|_| ()).expect("the handle is good");
    bench.refused(MemoryGrow { memory: fresh, pages: 1 }, Error::BadHandle);
}

#[test]
fn memory_grow_refuses_without_quota_or_frames() {
    let bench = Bench::with(machine(1, 64), &Quota { frames: 8, ..WIDE });
    let memory = bench.call(MemoryCreate { process: None, pages: 16 }).expect("the quota is wide").memory;
    bench.refused(MemoryGrow { memory, pages: 16 }, Error::OverLimit);
    assert_eq!(bench.call(MemoryGrow { memory, pages: 5 }).map(|grown| grown.total), Ok(5));

    let bench = Bench::new(12);
    let memory = bench.call(MemoryCreate { process: None, pages: 16 }).expect("the quota is wide").memory;
    bench.refused(MemoryGrow { memory, pages: 16 }, Error::Exhausted);
    assert_eq!(bench.call(MemoryGrow { memory, pages: 9 }).map(|grown| grown.total), Ok(9));
}

#[test]
fn nothing_grows_for_an_owner_that_is_dying() {
    let bench = Bench::new(64);
    let other = Bench::with(bench.kernel, &WIDE);
    let memory = other.memory(1);
    let object = bench.kernel.memories.at(1).header.me();
    let mine = give(bench.kernel, bench.process, Kind::Memory, object, Rights::ALL);
    other.process.state.set(ExitKind::Dying as u64);

    bench.refused(MemoryGrow { memory: mine, pages: 1 }, Error::PeerClosed);
    let owner = give(bench.kernel, bench.process, Kind::Process, other.process.header.me(), Rights::ALL);
    bench.refused(MemoryCreate { process: Some(owner), pages: 1 }, Error::PeerClosed);
    let _ = memory;
}

#[test]
fn an_object_lives_while_it_is_mapped_and_goes_with_its_last_mapping() {
    let bench = Bench::new(256);
    let before = bench.kernel.frames.pool.used();
    let memory = bench.memory(100);
    assert_eq!(bench.map(memory, 0, (0, 3), access::READ), Ok(3));
    assert_eq!(bench.map(memory, 10, (5, 2), access::WRITE), Ok(2));

    bench.call(Close { handle: memory }).map(|_| ()).expect("the handle is good");
    assert!(bench.page(0).is_some() && bench.page(11).is_some());
    assert_eq!(bench.kernel.memories.pool.used(), 1);

    assert_eq!(bench.unmap(0, 3), Ok(3));
    assert_eq!(bench.kernel.memories.pool.used(), 1);
    assert_eq!(bench.unmap(10, 2), Ok(2));
    assert_eq!(bench.kernel.memories.pool.used(), 0);
    assert_eq!(bench.kernel.frames.pool.used() - before, 2, "only tables stay");
    assert_eq!(bench.process.account.used(Resource::Memories), 0);
}

#[test]
fn closing_the_last_handle_of_an_unmapped_object_frees_it() {
    let bench = Bench::new(256);
    let before = bench.kernel.frames.pool.used();
    let memory = bench.memory(150);

    bench.call(Close { handle: memory }).map(|_| ()).expect("the handle is good");

    assert_eq!((bench.kernel.frames.pool.used(), bench.kernel.memories.pool.used()), (before, 0));
    let stale = Map { process: None, memory, address: BASE, offset: 0, pages: 1, access: access::READ };
    bench.refused(stale, Error::BadHandle);
    assert_eq!(bench.call(Unmap { process: None, address: BASE, pages: 1 }).map(|done| done.pages), Ok(0));
}
