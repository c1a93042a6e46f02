//! Donation: who is waited for runs in the class of who waits, no longer and no shorter.
//!
//! That every thread's class is what its donors make it is an invariant, looked at after every event of every test here:
//! the random events of `tests/random.rs` are its property test.

use super::*;
use nexus_abi::QosClass::{self, Idle, Interactive, Normal};
use nexus_abi::syscall::{Defer, EndpointCreate, ProcessKill, ThreadExit, ipc};

/// A process with one thread and an endpoint.
#[derive(Clone, Copy)]
struct Post {
    home: Home,
    thread: &'static Thread,
    endpoint: Handle,
}

const QUOTA: Quota =
    Quota { frames: 12, threads: 3, slot_blocks: 1, processes: 0, endpoints: 1, notifications: 0, ..SMALL };

/// Its thread has a CPU of its own.
fn post(stage: &Stage, class: QosClass, cpu: u32) -> Post {
    let home = stage.process_with("post", QUOTA);
    let thread = thread(stage, home, class, cpu);
    let endpoint = stage.does(thread, EndpointCreate { process: None, queue: 0 }).endpoint;
    Post { home, thread, endpoint }
}

fn posts<const N: usize>(stage: &Stage, classes: [QosClass; N]) -> [Post; N] {
    core::array::from_fn(|at| post(stage, classes[at], 1 + at as u32))
}

fn thread(stage: &Stage, home: Home, class: QosClass, cpu: u32) -> &'static Thread {
    let (handle, thread) = stage.new_thread(home);
    thread.set_cpu(cpu);
    thread.set_base_class(class);
    stage.does(stage.root, ThreadStart { thread: handle });
    thread
}

/// A call that is received at once if its server waits.
fn call(stage: &Stage, from: Post, to: Post, deadline: u64) {
    let door = stage.grant_while_waiting(to.thread, to.endpoint, from.home);
    stage.post(from.thread, ipc::CALL_UNTIL, Mail { deadline, ..Mail::to(door) });
}

fn receive(stage: &Stage, at: Post) {
    stage.post(at.thread, ipc::RECV, Mail::to(at.endpoint));
}

/// An Idle server holds the call of an Idle client, and calls another Idle server itself; an Interactive client queues.
fn chain(stage: &Stage, deadline: u64) -> [Post; 4] {
    let [far, near, client, urgent] = posts(stage, [Idle, Idle, Idle, Interactive]);
    receive(stage, far);
    receive(stage, near);
    call(stage, client, near, NEVER);
    call(stage, near, far, NEVER);
    assert_eq!((near.thread.class(), far.thread.class()), (Idle, Idle));
    call(stage, urgent, near, deadline);
    assert_eq!(urgent.thread.state(), State::Calling);
    [far, near, client, urgent]
}

#[test]
fn a_queued_caller_lifts_whom_it_waits_for_along_the_chain() {
    let stage = Stage::new(6);
    let [far, near, client, _] = chain(&stage, NEVER);
    assert_eq!([far, near, client].map(|post| post.thread.class()), [Interactive, Interactive, Idle]);

    stage.post(far.thread, ipc::REPLY_RECV, Mail::to(far.endpoint));
    assert_eq!([far, near].map(|post| post.thread.class()), [Idle, Interactive]);
    stage.post(near.thread, ipc::REPLY_RECV, Mail::to(near.endpoint));
    assert_eq!(near.thread.class(), Interactive, "it serves the queued one now");
    stage.post(near.thread, ipc::REPLY_RECV, Mail::to(near.endpoint));
    assert_eq!(near.thread.class(), Idle);
}

#[test]
fn a_caller_that_gives_up_takes_its_class_along() {
    let stage = Stage::new(6);
    let [far, near, ..] = chain(&stage, stage.now.get() + 500);
    stage.pass_to(stage.now.get() + 500);
    assert_eq!([far, near].map(|post| post.thread.class()), [Idle, Idle]);
}

#[test]
fn a_caller_that_dies_takes_its_class_along() {
    let stage = Stage::new(6);
    let [far, near, _, urgent] = chain(&stage, NEVER);
    stage.ask(stage.root, ProcessKill { process: urgent.home.handle, status: 0 });
    assert_eq!([far, near].map(|post| post.thread.class()), [Idle, Idle]);
}

#[test]
fn a_served_caller_that_gives_up_takes_its_class_along() {
    let stage = Stage::new(6);
    let [server, client] = posts(&stage, [Idle, Interactive]);
    receive(&stage, server);
    call(&stage, client, server, stage.now.get() + 500);
    assert_eq!(server.thread.class(), Interactive);
    stage.pass_to(stage.now.get() + 500);
    assert_eq!(server.thread.class(), Idle);
}

#[test]
fn a_change_of_class_reaches_whom_the_thread_waits_for() {
    let stage = Stage::new(6);
    let [far, near, client, _] = chain(&stage, stage.now.get() + 100);
    stage.pass_to(stage.now.get() + 100);
    stage.root.service.set(testing::RAISER.0);
    stage.does(stage.root, syscall::QosSet { class: Normal as u8, target: client.home.process.index() });
    assert_eq!([far, near].map(|post| post.thread.class()), [Normal, Normal]);
    stage.does(stage.root, syscall::QosSet { class: Idle as u8, target: client.home.process.index() });
    assert_eq!([far, near].map(|post| post.thread.class()), [Idle, Idle]);
}

#[test]
fn who_is_deferred_donates_nothing() {
    let stage = Stage::new(6);
    let [server, client] = posts(&stage, [Idle, Interactive]);
    receive(&stage, server);
    call(&stage, client, server, NEVER);
    stage.does(server.thread, Defer {});
    assert_eq!(server.thread.class(), Idle);
}

#[test]
fn a_server_that_leaves_its_pool_leaves_its_callers_to_another() {
    let stage = Stage::new(6);
    let [server, first, second, urgent] = posts(&stage, [Idle, Idle, Idle, Interactive]);
    let pool = thread(&stage, server.home, Idle, 5);
    for thread in [server.thread, pool] {
        receive(&stage, Post { thread, ..server });
    }
    call(&stage, first, server, NEVER);
    call(&stage, second, server, NEVER);
    call(&stage, urgent, server, NEVER);
    let lifted = |class| [server.thread, pool].into_iter().filter(move |thread| thread.class() == class).count();
    assert_eq!((lifted(Interactive), lifted(Idle)), (1, 1));
    let heir = if pool.class() == Interactive { pool } else { server.thread };
    stage.ask(heir, ThreadExit {});
    let other = if core::ptr::eq(heir, pool) { server.thread } else { pool };
    assert_eq!(other.class(), Interactive);
}

#[test]
fn two_that_wait_in_each_others_queue_are_refused_the_second_call() {
    let stage = Stage::new(6);
    let [one, two, first, second] = posts(&stage, [Normal; 4]);
    for (server, client) in [(one, first), (two, second)] {
        receive(&stage, server);
        call(&stage, client, server, NEVER);
    }
    call(&stage, one, two, NEVER);
    assert_eq!(one.thread.state(), State::Calling);
    let back = stage.grant_while_waiting(one.thread, one.endpoint, two.home);
    stage.refuses_post(two.thread, ipc::CALL, Mail::to(back), Error::Deadlock);
}

#[test]
fn who_waits_for_itself_and_gives_up_is_in_no_list() {
    let stage = Stage::new(6);
    let [server] = posts(&stage, [Idle]);
    let soon = stage.now.get() + 10;
    stage.post(server.thread, ipc::RECV, Mail { deadline: soon, ..Mail::to(server.endpoint) });
    stage.pass_to(soon);
    let until = stage.now.get() + 500;
    stage.post(server.thread, ipc::CALL_UNTIL, Mail { deadline: until, ..Mail::to(server.endpoint) });
    stage.root.service.set(testing::RAISER.0);
    for class in [Normal, Idle] {
        stage.does(stage.root, syscall::QosSet { class: class as u8, target: server.home.process.index() });
    }
    assert_eq!((server.thread.state(), server.thread.class()), (State::Calling, Normal), "it lifts itself");
    stage.pass_to(until);
    assert_eq!((server.thread.state(), server.thread.class()), (State::Running, Idle));
}
