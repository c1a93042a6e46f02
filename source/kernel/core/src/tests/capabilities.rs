//! Derive, grant, close, revoke; quotas.

use super::*;
use crate::process::quota::Resource;
use nexus_abi::syscall::{
    Close, Derive, EndpointCreate, Grant, Inspect, Map, MemoryCreate, MemoryGrow, NotificationCreate, Notify, Revoke,
    TimerCreate, WaitSetCreate, access, ipc,
};

const SIGNAL: Rights = Rights::USE;

#[test]
fn rights_only_shrink() {
    let stage = Stage::new(1);
    let root = stage.root;
    let source = stage.does(root, NotificationCreate { process: None }).notification;
    let two = Rights::USE.union(Rights::TRANSFER);
    let child = stage.does(root, Derive { source, rights: two, badge: 0 }).handle;
    assert_eq!(stage.does(root, Inspect { handle: child }).rights, two);

    stage.refuses(root, Derive { source: child, rights: Rights::ALL, badge: 0 }, Error::Permission);
    stage.refuses(root, Derive { source: child, rights: Rights::TAKE, badge: 0 }, Error::Permission);
    let last = stage.does(root, Derive { source: child, rights: Rights::NONE, badge: 0 }).handle;
    stage.refuses(root, Notify { notification: last, bits: 1 }, Error::Permission);
    stage.refuses(root, Derive { source: last, rights: Rights::USE, badge: 0 }, Error::Permission);
}

#[test]
fn a_badge_is_set_once_by_who_may_manage() {
    let stage = Stage::new(1);
    let root = stage.root;
    let source = stage.does(root, EndpointCreate { process: None, queue: 0 }).endpoint;
    let badged = stage.does(root, Derive { source, rights: Rights::ALL, badge: 9 }).handle;
    let plain = stage.does(root, Derive { source, rights: Rights::USE, badge: 0 }).handle;

    stage.refuses(root, Derive { source: badged, rights: Rights::USE, badge: 8 }, Error::Permission);
    stage.refuses(root, Derive { source: plain, rights: Rights::USE, badge: 8 }, Error::Permission);
    let copy = stage.does(root, Derive { source: badged, rights: Rights::USE, badge: 0 }).handle;
    assert_eq!(stage.does(root, Inspect { handle: copy }).badge, 9);
}

#[test]
fn a_closed_handle_never_comes_back() {
    let stage = Stage::new(1);
    let root = stage.root;
    let source = stage.does(root, NotificationCreate { process: None }).notification;
    let mut seen = Vec::new();
    for _ in 0..100 {
        let handle = stage.does(root, Derive { source, rights: SIGNAL, badge: 0 }).handle;
        assert!(!seen.contains(&handle));
        stage.does(root, Close { handle });
        seen.push(handle);
    }
    let living = stage.does(root, Derive { source, rights: SIGNAL, badge: 0 }).handle;
    assert_eq!(living.index(), seen[0].index(), "the place is used again");
    stage.refuses(root, Close { handle: seen[0] }, Error::BadHandle);
    stage.refuses(root, Derive { source: seen[99], rights: SIGNAL, badge: 0 }, Error::BadHandle);
    stage.refuses(root, Notify { notification: seen[50], bits: 1 }, Error::BadHandle);
    stage.refuses(root, Revoke { handle: seen[50] }, Error::BadHandle);
}

#[test]
fn revoking_reaches_grandchildren_in_other_processes_through_closed_parents() {
    let stage = Stage::new(1);
    let (one, two) = (stage.process("one"), stage.process("two"));
    let (first, second) = (stage.thread(one), stage.thread(two));
    let source = stage.does(stage.root, NotificationCreate { process: None }).notification;
    let middle = stage.grant(stage.root, source, one, (Rights::ALL, 0));
    let far = stage.grant(first, middle, two, (SIGNAL, 0));
    stage.does(second, Notify { notification: far, bits: 1 });
    stage.does(first, Close { handle: middle });
    stage.does(second, Notify { notification: far, bits: 1 });

    stage.does(stage.root, Revoke { handle: source });

    stage.refuses(second, Notify { notification: far, bits: 1 }, Error::BadHandle);
    stage.does(stage.root, Notify { notification: source, bits: 1 });
}

#[test]
fn revoking_takes_many_and_their_mappings() {
    let stage = Stage::new(1);
    let home = stage.process("borrower");
    let thread = stage.thread(home);
    let memory = stage.does(stage.root, MemoryCreate { process: None, pages: 2 }).memory;
    stage.does(stage.root, MemoryGrow { memory, pages: 2 });
    let lent = stage.grant(stage.root, memory, home, (Rights::ALL, 0));
    let map = Map { process: None, memory: lent, address: 0x5000_0000, offset: 0, pages: 2, access: access::READ };
    assert_eq!(stage.does(thread, map).pages, 2);
    for _ in 0..50 {
        stage.does(stage.root, Derive { source: memory, rights: SIGNAL, badge: 0 });
    }
    let (mappings, frames) = (stage.kernel.mappings.pool.used(), stage.kernel.frames.pool.used());

    stage.does(stage.root, Revoke { handle: memory });

    assert_eq!(stage.kernel.mappings.pool.used(), mappings - 1);
    assert!(stage.kernel.frames.pool.used() <= frames);
    stage.refuses(thread, map, Error::BadHandle);
}

#[test]
fn a_moved_mapping_outlives_the_handle_it_was_made_through() {
    let stage = Stage::new(1);
    let home = stage.process("owner");
    let thread = stage.thread(home);
    let memory = stage.does(thread, MemoryCreate { process: None, pages: 1 }).memory;
    stage.does(thread, MemoryGrow { memory, pages: 1 });
    let map = Map { process: None, memory, address: 0x5000_0000, offset: 0, pages: 1, access: access::READ };
    stage.does(thread, map);
    let other = stage.process("heir");
    let heir = stage.thread(other);
    let endpoint = stage.does(heir, EndpointCreate { process: None, queue: 0 }).endpoint;
    let door = stage.grant(heir, endpoint, home, (Rights::USE, 0));
    stage.page(thread, 1).set(memory.raw());

    stage.post(thread, ipc::CALL_EXTENDED, Mail::to(door).with(1 << 16 | 1 << 24));
    stage.posts(heir, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");

    assert_eq!(stage.kernel.mappings.pool.used(), 1);
    let theirs = Handle::from_raw(stage.page(heir, 1).get()).expect("a handle came");
    assert_eq!(stage.does(heir, Inspect { handle: theirs }).size, 1);
}

#[test]
fn grants_obey_the_same_rules_as_derivation() {
    let stage = Stage::new(1);
    let (root, home) = (stage.root, stage.process("one"));
    let process = home.handle;
    let source = stage.does(root, EndpointCreate { process: None, queue: 0 }).endpoint;
    let grant = |source, rights, badge| Grant { process, source, rights, badge };
    let kept = stage.does(root, Derive { source, rights: Rights::USE, badge: 0 }).handle;
    stage.refuses(root, grant(kept, Rights::USE, 0), Error::Permission);
    let some = Rights::USE.union(Rights::TRANSFER);
    let badged = stage.does(root, Derive { source, rights: some, badge: 4 }).handle;
    stage.refuses(root, grant(badged, Rights::ALL, 0), Error::Permission);
    stage.refuses(root, grant(badged, Rights::USE, 5), Error::Permission);
    stage.refuses(root, grant(Handle::from_raw(99).expect("not 0"), Rights::USE, 0), Error::BadHandle);
    let granted = stage.does(root, grant(source, Rights::ALL, 7)).handle;
    let thread = stage.thread(home);
    let got = stage.does(thread, Inspect { handle: granted });
    assert_eq!((got.badge, got.rights.contains(Rights::TAKE)), (7, false), "receiving stays with the owner");
}

/// Makes something until it is refused; how often it was made.
fn exhaust<S: Syscall + Copy + core::fmt::Debug>(stage: &Stage, thread: &'static Thread, call: S) -> u32 {
    let mut made = 0;
    while stage.asks(thread, call).is_ok() {
        made += 1;
        assert!(made < 1000, "nothing stops this");
    }
    stage.refuses(thread, call, Error::OverLimit);
    made
}

#[test]
fn every_quota_is_kept_to_the_last_and_refused_beyond() {
    let stage = Stage::new(1);
    let home = stage.process("poor");
    let thread = stage.thread(home);
    let account = &home.process.account;
    let notification = stage.does(thread, NotificationCreate { process: None }).notification;

    assert_eq!(exhaust(&stage, thread, TimerCreate { notification, bits: 1 }), 4);
    assert_eq!(exhaust(&stage, thread, NotificationCreate { process: None }), 7);
    stage.refuses(thread, WaitSetCreate { process: None }, Error::OverLimit);
    assert_eq!(exhaust(&stage, thread, EndpointCreate { process: None, queue: 3 }), 5);
    stage.refuses(thread, EndpointCreate { process: None, queue: 65 }, Error::OverLimit);
    assert_eq!(account.left(Resource::Messages), 1);
    assert_eq!(exhaust(&stage, thread, EndpointCreate { process: None, queue: 0 }), 3);
    assert_eq!(exhaust(&stage, thread, MemoryCreate { process: None, pages: 1 }), 4);
    let slots = exhaust(&stage, thread, Derive { source: notification, rights: SIGNAL, badge: 0 });
    assert_eq!(slots, 2 * 64 - 1 - 4 - 7 - 5 - 3 - 4);
    stage.refuses(thread, NotificationCreate { process: None }, Error::OverLimit);
}

#[test]
fn children_and_threads_are_carved_from_the_quota_or_refused() {
    let stage = Stage::new(1);
    let home = stage.process("parent");
    let thread = stage.thread(home);
    let spawn = testing::give(stage.kernel, home.process, Kind::Spawn, 0, Rights::ALL);
    let name = Name::new("child").expect("a short name");
    let create = |quota| ProcessCreate { spawn, service: ServiceId::service("child"), name, quota, shard: None };
    let little = Quota { frames: 4, ..Quota::default() };
    for quota in [
        Quota { frames: 49, ..Quota::default() },
        Quota { threads: 8, ..little },
        Quota { messages: 17, ..little },
        Quota { slot_blocks: 2, ..little },
        Quota { processes: 2, ..little },
        Quota { endpoints: 9, ..little },
        Quota { notifications: 9, ..little },
        Quota { memories: 5, ..little },
        Quota { mappings: 9, ..little },
        Quota { timers: 5, ..little },
        Quota { irqs: 2, ..little },
        Quota::default(),
    ] {
        stage.refuses(thread, create(quota), Error::OverLimit);
    }
    stage.does(thread, create(little));
    stage.does(thread, create(little));
    stage.refuses(thread, create(little), Error::OverLimit);
    for _ in 0..7 {
        stage.new_thread(home);
    }
    let more = ThreadCreate { process: None, entry: USER_START, stack: 0, a0: 0, a1: 0, ipc_page: 0x7000_0000 };
    stage.refuses(thread, more, Error::OverLimit);
    stage.refuses(thread, ThreadCreate { entry: USER_START + 1, ..more }, Error::Invalid);
    stage.refuses(thread, ThreadCreate { stack: 8, ..more }, Error::Invalid);
    stage.refuses(thread, ThreadCreate { ipc_page: 0x7000_0008, ..more }, Error::Invalid);
    stage.refuses(thread, ThreadCreate { entry: 0, ..more }, Error::BadAddress);
    stage.refuses(thread, ThreadCreate { ipc_page: 0, ..more }, Error::BadAddress);
}

#[test]
fn a_child_that_takes_the_last_slot_block_needs_a_free_slot_for_its_handle() {
    let stage = Stage::new(1);
    let home = stage.process("parent");
    let thread = stage.thread(home);
    let spawn = testing::give(stage.kernel, home.process, Kind::Spawn, 0, Rights::ALL);
    for _ in 0..63 {
        stage.does(thread, Derive { source: spawn, rights: Rights::USE, badge: 0 });
    }
    let name = Name::new("child").expect("a short name");
    let quota = Quota { frames: 4, slot_blocks: 1, ..Quota::default() };
    let create = ProcessCreate { spawn, service: ServiceId::service("child"), name, quota, shard: None };

    stage.refuses(thread, create, Error::OverLimit);

    let none = Quota { slot_blocks: 0, ..quota };
    stage.does(thread, ProcessCreate { quota: none, ..create });
}
