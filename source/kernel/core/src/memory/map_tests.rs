//! Map, unmap, protect, seal: what the tables say afterwards, and every refusal.

use super::{
    bench::{BASE, Bench, PAGE},
    stash::Stash,
};
use crate::{
    process::quota::Resource,
    testing::{self, WIDE, give, machine},
};
use std::vec::Vec;

use nexus_abi::{
    Error, Handle, Kind, Quota, Rights,
    layout::{USER_END, USER_START},
    start::ExitKind,
    syscall::{Close, Map, MemorySeal, Protect, Unmap, WindowMint, access},
};

const READ: u8 = access::READ;
const WRITE: u8 = access::WRITE;
const BOTH: u8 = access::READ | access::WRITE;
const EXECUTE: u8 = access::EXECUTE;

fn map(memory: Handle) -> Map {
    Map { process: None, memory, address: BASE, offset: 0, pages: 1, access: READ }
}

fn unmap(at: u64, pages: u64) -> Unmap {
    Unmap { process: None, address: BASE + at * PAGE, pages }
}

fn protect(at: u64, pages: u64, access: u8) -> Protect {
    Protect { process: None, address: BASE + at * PAGE, pages, access }
}

impl Bench {
    fn seal(&self, memory: Handle) {
        self.call(MemorySeal { memory }).map(|_| ()).expect("it is open");
    }

    fn narrow(&self, at: u64, pages: u64, access: u8) -> Result<u64, Error> {
        self.call(protect(at, pages, access)).map(|done| done.pages)
    }

    /// Makes a thread whose IPC page is here; which frame that is.
    fn ipc_page(&self, at: u64) -> Result<u32, Error> {
        let (entry, ipc_page) = (nexus_abi::layout::USER_START, BASE + at * PAGE);
        let new = nexus_abi::syscall::ThreadCreate { process: None, entry, stack: BASE, a0: 0, a1: 0, ipc_page };
        let frames = self.kernel.frames_for_thread(self.process, &new)?;
        let mut stash = Stash::of(&self.kernel.frames, frames)?;
        Ok(self.kernel.new_thread(self.process, 0, &new, &mut stash).ipc_frame.get())
    }

    fn records(&self) -> u32 {
        self.process.account.used(Resource::Mappings)
    }

    fn access(&self, at: u64) -> Option<u8> {
        self.page(at).map(|(_, access)| access)
    }
}

#[test]
fn a_mapping_shows_the_pages_of_its_object_with_user_access() {
    let bench = Bench::new(128);
    let memory = bench.memory(4);

    assert_eq!(bench.map(memory, 0, (1, 3), WRITE), Ok(3));

    let object = bench.kernel.memories.at(1);
    for at in 0..3 {
        let address = bench.kernel.page_address(object, at + 1).expect("it has the page");
        assert_eq!(bench.page(at.into()), Some((address, BOTH)));
    }
    let entry = bench.kernel.entry(bench.process.tree(), 0, (BASE / PAGE) as u32).expect("its tables are there");
    assert_eq!(entry.get() & 0x3ff, 0b1101_0111, "D A U W R V, not G, not X");
    assert_eq!(bench.page(3), None);
    assert_eq!(
        bench.kernel.entry(bench.process.tree(), 2, 300 << 18).map(|entry| entry.get()),
        Some(300),
        "the kernel's half is untouched"
    );
}

#[test]
fn a_call_maps_one_batch_and_neighbours_share_a_record() {
    let bench = Bench::new(256);
    let memory = bench.memory(100);

    assert_eq!(bench.map(memory, 0, (0, 100), READ), Ok(64));
    assert_eq!(bench.map(memory, 64, (64, 36), READ), Ok(36));
    assert_eq!(bench.records(), 1);
    assert_eq!(bench.map(memory, 200, (1, 1), READ), Ok(1));
    assert_eq!(bench.map(memory, 199, (0, 1), READ), Ok(1));
    assert_eq!(bench.records(), 2, "a record grows at its front too");
    assert_eq!(bench.map(memory, 300, (0, 1), WRITE), Ok(1));
    assert_eq!(bench.records(), 3);
}

#[test]
fn a_batch_ends_with_its_table() {
    let bench = Bench::new(128);
    let memory = bench.memory(20);
    let border = (1 << 18) - 10;
    assert_eq!(bench.map(memory, border, (0, 20), READ), Ok(10));
    assert!(bench.page(border + 9).is_some() && bench.page(border + 10).is_none());
    assert_eq!(bench.map(memory, border + 10, (10, 10), READ), Ok(10));
    assert_eq!(bench.records(), 1, "neighbours share a record across tables");
    assert_eq!(bench.narrow(border, 20, READ), Ok(10));
    assert_eq!((bench.unmap(border, 20), bench.unmap(border + 10, 20)), (Ok(10), Ok(10)));
    assert!(bench.page(border).is_none() && bench.page(border + 19).is_none());
}

#[test]
fn mapping_into_a_child_is_charged_to_the_child() {
    let bench = Bench::new(128);
    let child = Bench::with(bench.kernel, &WIDE);
    let process = give(bench.kernel, bench.process, Kind::Process, child.process.header.me(), Rights::USE);
    let memory = bench.memory(2);
    let before = (bench.records(), child.process.account.used(Resource::Frames));

    let request = Map { process: Some(process), ..map(memory) };
    assert_eq!(bench.call(request).map(|done| done.pages), Ok(1));

    assert_eq!((bench.records(), child.records()), (before.0, 1));
    assert_eq!(child.process.account.used(Resource::Frames), before.1 + 2);
    assert!(child.page(0).is_some() && bench.page(0).is_none());
    assert_eq!(bench.call(Unmap { process: Some(process), ..unmap(0, 1) }).map(|done| done.pages), Ok(1));
    assert!(child.page(0).is_none());
}

#[test]
fn map_refuses_bad_arguments() {
    let bench = Bench::new(128);
    let memory = bench.memory(4);
    let good = map(memory);
    let cases = [
        (Map { address: BASE + 8, ..good }, Error::Invalid),
        (Map { pages: 0, ..good }, Error::Invalid),
        (Map { access: 0, ..good }, Error::Invalid),
        (Map { access: 8, ..good }, Error::Invalid),
        (Map { access: WRITE | EXECUTE, ..good }, Error::Permission),
        (Map { offset: 4, ..good }, Error::Invalid),
        (Map { offset: 1, pages: 4, ..good }, Error::Invalid),
        (Map { offset: u64::MAX, ..good }, Error::Invalid),
        (Map { address: USER_START - PAGE, ..good }, Error::BadAddress),
        (Map { address: 0, ..good }, Error::BadAddress),
        (Map { address: USER_END, ..good }, Error::BadAddress),
        (Map { address: USER_END - PAGE, pages: 2, ..good }, Error::BadAddress),
        (Map { address: u64::MAX - PAGE + 1, ..good }, Error::BadAddress),
        (Map { pages: u64::MAX, ..good }, Error::BadAddress),
        (Map { address: 1 << 63, ..good }, Error::BadAddress),
    ];
    for (request, error) in cases {
        bench.refused(request, error);
    }
    assert_eq!(bench.call(Map { address: USER_END - PAGE, ..good }).map(|done| done.pages), Ok(1));
    assert_eq!(bench.call(Map { address: USER_START, ..good }).map(|done| done.pages), Ok(1));
}

#[test]
fn map_refuses_what_capabilities_do_not_allow() {
    let bench = Bench::new(128);
    let memory = bench.memory(4);
    let read_only = bench.weaker(memory, Rights::USE);
    let write_only = bench.weaker(memory, Rights::TAKE);
    let good = map(memory);
    let process = give(bench.kernel, bench.process, Kind::Process, bench.process.header.me(), Rights::TAKE);
    let stale = bench.weaker(memory, Rights::USE);
    bench.call(Close { handle: stale }).map(|_| ()).expect("the handle is good");

    bench.refused(Map { memory: read_only, access: WRITE, ..good }, Error::Permission);
    bench.refused(Map { memory: write_only, ..good }, Error::Permission);
    bench.refused(Map { access: EXECUTE, ..good }, Error::Permission);
    bench.refused(Map { memory: bench.root, ..good }, Error::WrongKind);
    bench.refused(Map { memory: stale, ..good }, Error::BadHandle);
    bench.refused(Map { process: Some(process), ..good }, Error::Permission);
    bench.refused(Map { process: Some(memory), ..good }, Error::WrongKind);
    bench.refused(Map { process: Some(stale), ..good }, Error::BadHandle);
    assert_eq!(bench.call(Map { memory: read_only, ..good }).map(|done| done.pages), Ok(1));
}

#[test]
fn map_refuses_overlap_and_leaves_ipc_pages_alone() {
    let bench = Bench::new(128);
    let memory = bench.memory(8);
    bench.map(memory, 10, (0, 4), READ).expect("nothing is there");
    let frame = bench.ipc_page(20).expect("nothing is there");

    for (at, pages) in [(10, 1), (13, 1), (9, 2), (13, 4), (8, 8), (20, 1), (19, 3)] {
        bench.refused(Map { address: BASE + at * PAGE, pages, ..map(memory) }, Error::Exists);
    }
    assert_eq!(bench.unmap(20, 1), Ok(0));
    bench.refused(protect(20, 1, READ), Error::BadAddress);
    assert_eq!(bench.page(20), Some((bench.kernel.frames.address(frame), BOTH)));
    assert_eq!(bench.ipc_page(10), Err(Error::Exists), "an IPC page hides no mapping either");
}

#[test]
fn map_refuses_without_quota_arena_or_frames() {
    let bench = Bench::with(machine(1, 64), &Quota { mappings: 1, ..WIDE });
    let memory = bench.memory(4);
    bench.map(memory, 0, (0, 1), READ).expect("one fits");
    bench.refused(Map { address: BASE + 5 * PAGE, ..map(memory) }, Error::OverLimit);
    assert_eq!(bench.map(memory, 1, (1, 1), READ), Ok(1), "a neighbour needs no record");

    let bench = Bench::with(machine(1, 64), &Quota { frames: 8, ..WIDE });
    let memory = bench.memory(4);
    bench.refused(map(memory), Error::OverLimit);

    let bench = Bench::new(8);
    let memory = bench.memory(4);
    bench.refused(map(memory), Error::Exhausted);

    let bench = Bench::with(machine(1, 64), &Quota { mappings: 600, ..WIDE });
    let memory = bench.memory(1);
    for at in 0..u64::from(bench.kernel.mappings.pool.capacity) {
        testing::call(bench.kernel, bench.thread, Map { address: BASE + 2 * at * PAGE, ..map(memory) })
            .map(|_| ())
            .expect("the arena has room");
    }
    bench.refused(Map { address: USER_START, ..map(memory) }, Error::Exhausted);
}

#[test]
fn unmap_and_protect_refuse_a_hole_when_the_arena_is_full() {
    let bench = Bench::with(machine(1, 64), &Quota { mappings: 600, ..WIDE });
    let memory = bench.memory(4);
    bench.map(memory, 0, (0, 4), READ | WRITE).expect("nothing is there");
    for at in 1..u64::from(bench.kernel.mappings.pool.capacity) {
        testing::call(bench.kernel, bench.thread, Map { address: BASE + 8 * at * PAGE, ..map(memory) })
            .map(|_| ())
            .expect("the arena has room");
    }
    bench.refused(unmap(1, 1), Error::Exhausted);
    bench.refused(protect(1, 1, READ), Error::Exhausted);
    bench.refused(protect(0, 1, READ), Error::Exhausted);
    assert_eq!(bench.unmap(0, 1), Ok(1), "an end needs no record");
}

#[test]
fn calls_on_a_space_refuse_stale_handles_and_weak_ones() {
    let bench = Bench::new(64);
    let own = give(bench.kernel, bench.process, Kind::Process, bench.process.header.me(), Rights::ALL);
    let weak = bench.weaker(own, Rights::TAKE);
    let stale = bench.weaker(own, Rights::ALL);
    bench.call(Close { handle: stale }).map(|_| ()).expect("the handle is good");
    for (process, error) in [(weak, Error::Permission), (stale, Error::BadHandle)] {
        bench.refused(Unmap { process: Some(process), ..unmap(0, 1) }, error);
        bench.refused(Protect { process: Some(process), ..protect(0, 1, READ) }, error);
    }
}

#[test]
fn nothing_is_done_with_memory_that_is_gone() {
    let bench = Bench::new(64);
    let other = Bench::with(bench.kernel, &WIDE);
    other.memory(1);
    let object = bench.kernel.memories.at(1);
    let memory = give(bench.kernel, bench.process, Kind::Memory, object.header.me(), Rights::ALL);
    object.header.die();
    bench.refused(map(memory), Error::PeerClosed);
    bench.refused(MemorySeal { memory }, Error::PeerClosed);
    bench.refused(nexus_abi::syscall::MemoryGrow { memory, pages: 1 }, Error::PeerClosed);
}

#[test]
fn nothing_is_mapped_into_a_dying_process() {
    let bench = Bench::new(128);
    let child = Bench::with(bench.kernel, &WIDE);
    let process = give(bench.kernel, bench.process, Kind::Process, child.process.header.me(), Rights::ALL);
    let memory = bench.memory(1);
    child.process.state.set(ExitKind::Dying as u64);
    bench.refused(Map { process: Some(process), ..map(memory) }, Error::PeerClosed);
    bench.refused(Unmap { process: Some(process), ..unmap(0, 1) }, Error::PeerClosed);
    bench.refused(Protect { process: Some(process), ..protect(0, 1, READ) }, Error::PeerClosed);
}

#[test]
fn unmap_takes_head_tail_middle_and_all() {
    let bench = Bench::new(128);
    let memory = bench.memory(10);
    bench.map(memory, 0, (0, 10), READ).expect("nothing is there");

    assert_eq!(bench.unmap(0, 2), Ok(2));
    assert_eq!(bench.records(), 1);
    assert_eq!(bench.unmap(8, 5), Ok(2), "up to the end of what is mapped");
    assert_eq!(bench.records(), 1);
    assert_eq!(bench.unmap(4, 1), Ok(1));
    assert_eq!(bench.records(), 2);
    assert_eq!(bench.unmap(4, 3), Ok(0), "nothing is mapped there");
    assert_eq!(bench.unmap(2, 2), Ok(2));
    assert_eq!(bench.unmap(5, 64), Ok(3));
    assert_eq!(bench.records(), 0);
    assert!((0..10).all(|at| bench.page(at).is_none()));
}

#[test]
fn unmap_refuses() {
    let bench = Bench::with(machine(1, 128), &Quota { mappings: 1, ..WIDE });
    let memory = bench.memory(4);
    bench.map(memory, 0, (0, 4), READ).expect("nothing is there");
    let good = unmap(0, 1);

    bench.refused(Unmap { address: BASE + 1, ..good }, Error::Invalid);
    bench.refused(Unmap { pages: 0, ..good }, Error::Invalid);
    bench.refused(Unmap { address: 0, ..good }, Error::BadAddress);
    bench.refused(Unmap { address: USER_END, ..good }, Error::BadAddress);
    bench.refused(Unmap { pages: u64::MAX / PAGE, ..good }, Error::BadAddress);
    bench.refused(Unmap { process: Some(memory), ..good }, Error::WrongKind);
    bench.refused(unmap(1, 1), Error::OverLimit);
    assert_eq!(bench.unmap(3, 1), Ok(1), "an end needs no record");
}

#[test]
fn protect_takes_access_away_from_part_of_a_mapping() {
    let bench = Bench::new(128);
    let memory = bench.memory(10);
    bench.map(memory, 0, (0, 10), WRITE).expect("nothing is there");

    assert_eq!(bench.narrow(4, 2, READ), Ok(2));
    assert_eq!(bench.records(), 3);
    assert_eq!((3..7).map(|at| bench.access(at)).collect::<Vec<_>>(), [BOTH, READ, READ, BOTH].map(Some));
    assert_eq!(bench.narrow(0, 4, READ), Ok(4));
    assert_eq!(bench.records(), 2, "what is alike and next to each other is one record");
    assert_eq!(bench.narrow(4, 6, READ), Ok(2), "one record a call; nothing to take away");
    assert_eq!(bench.narrow(8, 2, READ), Ok(2));
    assert_eq!(bench.narrow(6, 2, BOTH), Ok(2), "the same access is no change");
    assert_eq!((6..10).map(|at| bench.access(at)).collect::<Vec<_>>(), [BOTH, BOTH, READ, READ].map(Some));
}

#[test]
fn protect_refuses() {
    let bench = Bench::with(machine(1, 128), &Quota { mappings: 2, ..WIDE });
    let memory = bench.memory(4);
    bench.map(memory, 0, (0, 4), WRITE).expect("nothing is there");
    bench.map(memory, 10, (0, 2), READ).expect("nothing is there");
    let good = protect(0, 1, READ);

    bench.refused(Protect { address: BASE + 1, ..good }, Error::Invalid);
    bench.refused(Protect { pages: 0, ..good }, Error::Invalid);
    bench.refused(Protect { access: 0, ..good }, Error::Invalid);
    bench.refused(Protect { access: 16, ..good }, Error::Invalid);
    bench.refused(Protect { access: WRITE | EXECUTE, ..good }, Error::Permission);
    bench.refused(protect(10, 1, WRITE), Error::Permission);
    bench.refused(protect(0, 1, EXECUTE), Error::Permission);
    bench.refused(protect(5, 1, READ), Error::BadAddress);
    bench.refused(Protect { address: 0, ..good }, Error::BadAddress);
    bench.refused(Protect { process: Some(memory), ..good }, Error::WrongKind);
    bench.refused(protect(1, 2, READ), Error::OverLimit);
    bench.refused(protect(0, 2, READ), Error::OverLimit);
    assert_eq!(bench.narrow(0, 4, READ), Ok(4), "a whole mapping needs no record");
}

#[test]
fn a_seal_removes_writable_mappings_everywhere_and_lets_the_object_run() {
    let bench = Bench::new(512);
    let child = Bench::with(bench.kernel, &WIDE);
    let process = give(bench.kernel, bench.process, Kind::Process, child.process.header.me(), Rights::USE);
    let memory = bench.memory(150);
    for start in [0, 64, 128] {
        bench.map(memory, start, (start, (150 - start).min(64)), WRITE).expect("nothing is there");
    }
    bench.map(memory, 300, (0, 5), READ).expect("nothing is there");
    bench.call(Map { process: Some(process), access: WRITE, ..map(memory) }).map(|_| ()).expect("nothing is there");

    bench.seal(memory);

    assert_eq!(bench.kernel.cpus[0].at_rest().requests.fence_instructions.get(), 1);
    assert!(bench.page(0).is_none() && bench.page(149).is_none() && child.page(0).is_none());
    assert_eq!(bench.access(304), Some(READ), "readers stay");
    bench.refused(Map { access: WRITE, ..map(memory) }, Error::Permission);
    assert_eq!(bench.map(memory, 400, (0, 5), EXECUTE), Ok(5));
    assert_eq!(bench.access(400), Some(READ | EXECUTE));
    bench.refused(MemorySeal { memory }, Error::State);
}

#[test]
fn seal_refuses() {
    let bench = Bench::new(64);
    let memory = bench.memory(1);
    let weak = bench.weaker(memory, Rights::USE.union(Rights::TAKE).union(Rights::TRANSFER));
    let mint = WindowMint { root: bench.root, address: 0x1000_0000, pages: 1 };
    let window = bench.call(mint).expect("nobody has it").window;
    bench.refused(MemorySeal { memory: weak }, Error::Permission);
    bench.refused(MemorySeal { memory: window }, Error::WrongKind);
    bench.refused(MemorySeal { memory: bench.root }, Error::WrongKind);
    bench.call(Close { handle: weak }).map(|_| ()).expect("the handle is good");
    bench.refused(MemorySeal { memory: weak }, Error::BadHandle);
}

#[test]
fn every_change_of_a_space_asks_for_its_fence() {
    let bench = Bench::new(128);
    let memory = bench.memory(4);
    let asked = || bench.kernel.cpus[0].fence.get();
    let wanted = 1 + u64::from(bench.process.index());

    bench.map(memory, 0, (0, 4), WRITE).expect("nothing is there");
    assert_eq!(asked(), wanted, "map");
    bench.narrow(0, 2, READ).expect("it is mapped");
    assert_eq!(asked(), wanted, "protect");
    bench.unmap(1, 1).expect("there is room for a record");
    assert_eq!(asked(), wanted, "unmap of a part");
    bench.refused(unmap(0, 0), Error::Invalid);
    assert_eq!(asked(), 0, "nothing changed");
}
