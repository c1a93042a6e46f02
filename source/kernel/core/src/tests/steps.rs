//! What is larger than one step of the kernel: more waiters, members, threads, children and tables than a step takes.

use super::*;
use nexus_abi::syscall::{
    Bind, Close, Derive, EndpointCreate, Inspect, Map, MemoryCreate, MemoryGrow, MemorySeal, NotificationCreate,
    ProcessKill, Revoke, Wait, WaitSetAdd, WaitSetCreate, access, ipc,
};

/// More than any step of these tests takes.
const MANY: usize = 20;
const BIG: Quota = Quota {
    frames: 260,
    threads: 24,
    messages: 4,
    slot_blocks: 3,
    processes: 0,
    endpoints: 2,
    notifications: 24,
    memories: 2,
    mappings: 90,
    timers: 0,
    irqs: 0,
};

fn many(stage: &Stage, home: Home) -> Vec<&'static Thread> {
    (0..MANY).map(|_| stage.thread(home)).collect()
}

/// The error that ended each thread's wait.
fn told(stage: &Stage, threads: &[&'static Thread], error: Error) {
    for thread in threads {
        assert_eq!(stage.got(thread).status.error(), Some(error));
    }
}

#[test]
fn all_waiters_hear_of_the_end_of_what_they_wait_for() {
    let stage = Stage::new(1);
    let (owner, home) = (stage.process("owner"), stage.process_with("crowd", BIG));
    let maker = stage.thread(owner);
    let endpoint = stage.does(maker, EndpointCreate { process: None, queue: 0 }).endpoint;
    let notification = stage.does(maker, NotificationCreate { process: None }).notification;
    let door = stage.grant(maker, endpoint, home, (Rights::USE, 0));
    let signal = stage.grant(maker, notification, home, (Rights::TAKE, 0));
    let callers = many(&stage, home);
    callers.iter().for_each(|caller| stage.post(caller, ipc::CALL, Mail::to(door)));
    stage.does(stage.root, ProcessKill { process: owner.handle, status: 0 });
    told(&stage, &callers, Error::PeerClosed);

    let owner = stage.process("next");
    let maker = stage.thread(owner);
    let notification = stage.does(maker, NotificationCreate { process: None }).notification;
    let other = stage.grant(maker, notification, home, (Rights::TAKE, 0));
    callers.iter().for_each(|caller| stage.ask(caller, Wait { notification: other, deadline: Deadline::NEVER }));
    stage.does(stage.root, ProcessKill { process: owner.handle, status: 0 });
    told(&stage, &callers, Error::PeerClosed);
    stage.refuses(callers[0], Wait { notification: signal, deadline: Deadline::NEVER }, Error::PeerClosed);
}

#[test]
fn a_wait_set_lets_go_of_all_its_members() {
    let stage = Stage::new(1);
    let home = stage.process_with("sets", BIG);
    let thread = stage.thread(home);
    let set = stage.does(thread, WaitSetCreate { process: None }).wait_set;
    let members: Vec<Handle> =
        (0..MANY).map(|_| stage.does(thread, NotificationCreate { process: None }).notification).collect();
    for (key, &notification) in members.iter().enumerate() {
        stage.does(thread, WaitSetAdd { wait_set: set, notification, key: key as u64 });
    }
    stage.does(thread, Close { handle: set });
    for &notification in &members {
        stage.refuses(thread, Wait { notification, deadline: Deadline::POLL }, Error::TimedOut);
    }
}

#[test]
fn a_process_of_many_threads_ends_and_so_do_its_killers_waits() {
    let stage = Stage::new(1);
    let (home, killers) = (stage.process_with("victim", BIG), stage.process_with("killers", BIG));
    many(&stage, home);
    let object = stage.place(stage.root, home.handle);
    let process = testing::give(stage.kernel, killers.process, Kind::Process, object, Rights::ALL);
    let mourners = many(&stage, killers);
    for mourner in &mourners {
        stage.focus_only(mourner);
        stage.enter_once(mourner, &[(reg::T2, ProcessKill::NUMBER), (reg::T3, process.raw())]);
    }
    stage.run_dry();
    for mourner in mourners {
        assert_eq!(stage.answer::<ProcessKill>(mourner).map(|_| ()), Ok(()));
    }
}

#[test]
fn a_killer_that_is_killed_mourns_no_longer() {
    let stage = Stage::new(1);
    let (home, killers) = (stage.process("victim"), stage.process("killers"));
    stage.thread(home);
    let object = stage.place(stage.root, home.handle);
    let process = testing::give(stage.kernel, killers.process, Kind::Process, object, Rights::ALL);
    let mourner = stage.thread(killers);
    stage.focus_only(mourner);
    stage.enter_once(mourner, &[(reg::T2, ProcessKill::NUMBER), (reg::T3, process.raw())]);
    assert_eq!(mourner.state(), State::Mourning);
    stage.focus_only(stage.root);
    stage.enter_once(stage.root, &[(reg::T2, ProcessKill::NUMBER), (reg::T3, killers.handle.raw())]);
    stage.run_dry();
    assert!(stage.kernel.processes.get(object).is_none_or(Process::gone));
    assert_eq!(mourner.state(), State::Dead);
}

#[test]
fn a_capability_with_many_children_closes_and_they_stand_under_its_parent() {
    let stage = Stage::new(1);
    let home = stage.process_with("family", BIG);
    let thread = stage.thread(home);
    let notification = stage.does(thread, NotificationCreate { process: None }).notification;
    let derive = |source| stage.does(thread, Derive { source, rights: Rights::USE, badge: 0 }).handle;
    let parent = derive(notification);
    let children: Vec<Handle> = (0..100).map(|_| derive(parent)).collect();
    stage.does(thread, Close { handle: parent });
    for &handle in &children {
        stage.does(thread, Inspect { handle });
    }
    stage.does(thread, Revoke { handle: notification });
    for handle in children {
        stage.refuses(thread, Inspect { handle }, Error::BadHandle);
    }
}

#[test]
fn many_tables_and_a_large_mapping_come_back() {
    let stage = Stage::new(1);
    let home = stage.process_with("wide", BIG);
    let thread = stage.thread(home);
    let before = stage.kernel.frames.pool.used();
    let memory = stage.does(thread, MemoryCreate { process: None, pages: 96 }).memory;
    while stage.does(thread, MemoryGrow { memory, pages: 96 }).total < 96 {}
    let map = |address, offset, pages| Map { process: None, memory, address, offset, pages, access: 3 };
    assert_eq!(u32::from(access::READ | access::WRITE), 3);
    // A last-level table each: 2 MiB apart.
    for at in 0..70 {
        stage.does(thread, map(0x10_0000_0000 + at * (1 << 21), 0, 1));
    }
    let mapped = stage.does(thread, map(0x20_0000_0000, 0, 96)).pages;
    stage.does(thread, map(0x20_0000_0000 + mapped * PAGE_SIZE as u64, mapped, 96 - mapped));
    stage.does(thread, MemorySeal { memory });
    stage.does(thread, Bind { notification: None });
    stage.does(stage.root, ProcessKill { process: home.handle, status: 0 });
    assert!(stage.kernel.frames.pool.used() < before);
}
