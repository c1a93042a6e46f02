//! Revoke, close, destroy, and what the death of a process leaves.

use super::bench::{BASE, Bench, PAGE};
use crate::{
    caps::revoke::More,
    cpu::Next,
    process::quota::Resource,
    testing::{self, give, honour},
};
use nexus_abi::{
    Error, Handle, Kind, Quota, Rights,
    syscall::{Close, Derive, Grant, Map, ProcessKill, Protect, Revoke, Unmap, access},
};

const CHILD: Quota = Quota {
    frames: 1000,
    threads: 4,
    slot_blocks: 2,
    notifications: 4,
    memories: 8,
    mappings: 16,
    irqs: 2,
    messages: 0,
    processes: 0,
    endpoints: 0,
    timers: 0,
};

impl Bench {
    /// A process whose quota is carved from this one's, as a created one's is.
    fn child(&self) -> (Bench, Handle) {
        let child = Bench::with(self.kernel, &CHILD);
        self.kernel.own(self.process, Kind::Process, &child.process.header);
        self.process.account.carve(&child.process.account);
        let handle = self.capability_to(&child);
        (child, handle)
    }

    fn capability_to(&self, other: &Bench) -> Handle {
        give(self.kernel, self.process, Kind::Process, other.process.header.me(), Rights::ALL)
    }

    fn close(&self, handle: Handle) {
        self.call(Close { handle }).map(|_| ()).expect("the handle is good");
    }
}

/// Lets CPU 0 take back what died, with every invariant checked after each step.
fn reap_all(bench: &Bench) {
    for _ in 0..10_000 {
        let kernel = bench.kernel;
        honour(kernel);
        kernel.cpus[0].current.set(0);
        if kernel.next(kernel.cpus[0].here()) != Next::Reap {
            return;
        }
        let used = kernel.frames.pool.used();
        kernel.reap(kernel.cpus[0].here(), 0);
        let fenced = kernel.cpus[0].fence.get() != 0;
        assert!(!fenced || kernel.frames.pool.used() == used, "a frame is freed before its fence");
        testing::check(kernel);
    }
    panic!("a dead process is never gone");
}

#[test]
fn revoking_takes_the_mappings_made_through_what_is_revoked() {
    let bench = Bench::new(512);
    let memory = bench.memory(150);
    let derive = Derive { source: memory, rights: Rights::ALL, badge: 0 };
    let derived = bench.call(derive).expect("rights are equal").handle;
    for start in [0, 64, 128] {
        bench.map(derived, start, (start, (150 - start).min(64)), access::WRITE).expect("nothing is there");
    }
    bench.map(memory, 300, (0, 4), access::READ).expect("nothing is there");

    bench.call(Revoke { handle: memory }).map(|_| ()).expect("the handle is good");

    assert!((0..150).all(|at| bench.page(at).is_none()));
    assert!(bench.page(303).is_some(), "what was mapped through the handle itself stays");
    bench.refused(Close { handle: derived }, Error::BadHandle);
}

#[test]
fn closing_a_derived_handle_hangs_its_mappings_on_the_parent() {
    let bench = Bench::new(128);
    let memory = bench.memory(4);
    let derive =
        |source| bench.call(Derive { source, rights: Rights::ALL, badge: 0 }).expect("rights are equal").handle;
    let child = derive(memory);
    let grandchild = derive(child);
    bench.map(grandchild, 0, (0, 2), access::WRITE).expect("nothing is there");

    bench.close(grandchild);
    assert!(bench.page(0).is_some());
    bench.close(child);
    assert!(bench.page(0).is_some());
    let other = derive(memory);
    bench.call(Revoke { handle: memory }).map(|_| ()).expect("the handle is good");

    assert!(bench.page(0).is_some(), "it came to hang on the handle that revokes, which keeps its own");
    let _ = other;
}

#[test]
fn nothing_is_mapped_through_a_handle_while_it_is_revoked() {
    let bench = Bench::new(256);
    let memory = bench.memory(80);
    let derived =
        bench.call(Derive { source: memory, rights: Rights::ALL, badge: 0 }).expect("rights are equal").handle;
    bench.map(derived, 0, (0, 64), access::READ).expect("nothing is there");
    bench.map(derived, 64, (64, 16), access::READ).expect("nothing is there");

    testing::first_step(bench.kernel, bench.thread, Revoke { handle: memory });

    assert!(bench.page(0).is_none() && bench.page(79).is_some(), "one batch is gone");
    let again = Map { process: None, memory: derived, address: BASE + 100 * PAGE, offset: 0, pages: 1, access: 1 };
    bench.refused(again, Error::State);
    bench.call(Revoke { handle: memory }).map(|_| ()).expect("the handle is good");
    bench.refused(again, Error::BadHandle);
    assert_eq!(bench.map(memory, 0, (0, 64), access::READ), Ok(64), "the revoker's own handle is free again");
}

#[test]
fn nothing_stands_where_an_object_is_being_given_back() {
    let bench = Bench::new(256);
    let (memory, other) = (bench.memory(4), bench.memory(1));
    bench.map(memory, 0, (0, 4), access::READ).expect("nothing is there");
    bench.close(memory);

    testing::first_step(bench.kernel, bench.thread, Unmap { process: None, address: BASE, pages: 4 });

    assert_eq!((bench.page(0), bench.kernel.memories.pool.used()), (None, 2), "unmapped, and not yet given back");
    let anew =
        Map { process: None, memory: other, address: BASE + 2 * PAGE, offset: 0, pages: 1, access: access::READ };
    bench.refused(anew, Error::Exists);
    bench.refused(Protect { process: None, address: BASE, pages: 1, access: access::READ }, Error::BadAddress);
    assert_eq!(bench.unmap(0, 4), Ok(4));
    assert_eq!(bench.kernel.memories.pool.used(), 1);
    assert_eq!(bench.call(anew).map(|mapped| mapped.pages), Ok(1), "the place is free again");
}

#[test]
fn what_a_closed_handle_left_to_its_parent_goes_when_the_parent_is_revoked() {
    let bench = Bench::new(128);
    let memory = bench.memory(4);
    let derive =
        |source| bench.call(Derive { source, rights: Rights::ALL, badge: 0 }).expect("rights are equal").handle;
    let grandchild = derive(derive(memory));
    bench.map(grandchild, 0, (0, 2), access::WRITE).expect("nothing is there");
    bench.close(grandchild);
    assert!(bench.page(0).is_some());

    bench.call(Revoke { handle: memory }).map(|_| ()).expect("the handle is good");

    assert!(bench.page(0).is_none() && bench.page(1).is_none());
}

#[test]
fn revoking_reaches_into_other_processes() {
    let bench = Bench::new(256);
    let (child, process) = bench.child();
    let memory = bench.memory(80);
    let grant = Grant { process, source: memory, rights: Rights::USE.union(Rights::TAKE), badge: 0 };
    let granted = bench.call(grant).expect("it may be passed on").handle;
    child.map(granted, 0, (0, 64), access::WRITE).expect("nothing is there");
    child.map(granted, 64, (64, 16), access::WRITE).expect("nothing is there");

    bench.call(Revoke { handle: memory }).map(|_| ()).expect("the handle is good");

    assert!((0..80).all(|at| child.page(at).is_none()));
    assert_eq!(child.process.account.used(Resource::Mappings), 0);
    child.refused(
        Map { process: None, memory: granted, address: BASE, offset: 0, pages: 1, access: access::READ },
        Error::BadHandle,
    );
}

#[test]
fn a_dead_process_gives_back_its_memory_even_where_it_was_shared() {
    let bench = Bench::new(1024);
    let before = bench.kernel.frames.pool.used();
    let (child, process) = bench.child();
    let shared = child.memory(100);
    let object = child.kernel.slot(child.process, shared).expect("the handle is good").object.get();
    let mine = give(bench.kernel, bench.process, Kind::Memory, object, Rights::ALL);
    bench.map(mine, 0, (0, 64), access::WRITE).expect("nothing is there");
    bench.map(mine, 64, (64, 36), access::READ).expect("nothing is there");
    child.map(shared, 0, (0, 50), access::WRITE).expect("nothing is there");
    let closed = child.memory(70);
    child.map(closed, 500, (0, 64), access::READ).expect("nothing is there");
    child.close(closed);

    let kill = testing::call_at(bench.kernel, bench.thread, ProcessKill { process, status: 1 }, 0);
    assert_eq!(kill, testing::Outcome::Waits);
    reap_all(&bench);

    assert!(child.process.gone());
    assert!((0..100).all(|at| bench.page(at).is_none()), "its memory is unmapped from everybody");
    assert_eq!(bench.kernel.frames.pool.used(), before + 2, "all but the survivor's tables is back");
    assert_eq!((bench.kernel.memories.pool.used(), bench.kernel.mappings.pool.used()), (0, 0));
    assert!(child.process.account.empty());
    let stale = Map { process: None, memory: mine, address: BASE, offset: 0, pages: 1, access: access::READ };
    bench.refused(stale, Error::PeerClosed);
}

#[test]
fn a_dead_process_gives_back_what_it_only_mapped() {
    let bench = Bench::new(512);
    let (_child, process) = bench.child();
    let memory = bench.memory(90);
    let request =
        |at| Map { process: Some(process), memory, address: BASE + at * PAGE, offset: 0, pages: 64, access: 1 };
    for at in [0, 64, 200, 1 << 18] {
        bench.call(request(at)).map(|_| ()).expect("nothing is there");
    }
    bench.close(memory);
    assert_eq!(bench.kernel.memories.pool.used(), 1, "the child's mappings keep it");

    let kill = testing::call_at(bench.kernel, bench.thread, ProcessKill { process, status: 1 }, 0);
    assert_eq!(kill, testing::Outcome::Waits);
    reap_all(&bench);

    assert_eq!((bench.kernel.memories.pool.used(), bench.kernel.mappings.pool.used()), (0, 0));
    assert_eq!(bench.process.account.used(Resource::Memories), 0);
}

/// A bench on a machine of two CPUs.
fn two_cpus() -> Bench {
    Bench::with(testing::machine(2, 256), &testing::WIDE)
}

#[test]
fn nothing_is_freed_while_a_cpu_has_a_fence_outstanding() {
    let bench = two_cpus();
    let memory = bench.memory(4);
    let index = bench.kernel.memories.iter().find(|(_, memory)| memory.header.alive()).map(|(index, _)| index);
    let found = bench.kernel.memories.at(index.expect("it was just made"));
    let used = bench.kernel.frames.pool.used();
    bench.kernel.cpus[1].at_rest().ask_fence(3);
    assert_eq!(bench.kernel.free_pages_step(found), Err(More));
    assert_eq!(bench.kernel.frames.pool.used(), used, "a frame is freed before its fence");
    bench.kernel.cpus[1].fence.set(0);
    bench.close(memory);
    assert!(bench.kernel.frames.pool.used() < used);
}

#[test]
fn no_address_space_is_taken_back_while_a_cpu_has_it_loaded() {
    let bench = two_cpus();
    let (child, _) = bench.child();
    let (cpu, other) = (bench.kernel.cpus[0].here(), bench.kernel.cpus[1].here());
    let satp = child.process.satp.get();
    other.space.set(satp);
    assert_eq!(bench.kernel.unmap_process_step(cpu, child.process), Err(More));
    assert_eq!((child.process.satp.get(), cpu.fence.get()), (satp, 0), "it is taken back under a CPU");
    assert_eq!(other.kicked.get(), 1, "that CPU is not told to leave it");
    other.space.set(0);
    assert_eq!(bench.kernel.unmap_process_step(cpu, child.process), Err(More));
    assert_eq!((child.process.satp.get(), cpu.fence.get()), (0, 1 + u64::from(child.process.index())));
}
