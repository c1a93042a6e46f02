//! Calls made while serving a call: their depth, and circles.

use super::*;
use nexus_abi::message::MAX_CALL_DEPTH;
use nexus_abi::syscall::{Defer, EndpointCreate, ipc};

/// One who serves and calls: its home, its thread, its endpoint.
#[derive(Clone, Copy)]
struct Station {
    home: Home,
    thread: &'static Thread,
    endpoint: Handle,
}

/// A stage with so many processes of one thread each.
fn line(length: usize) -> (Stage, Vec<Station>) {
    let stage = Stage::new(1);
    let quota = Quota { frames: 8, threads: 2, slot_blocks: 1, endpoints: 1, mappings: 2, ..Quota::default() };
    let stations = (0..length).map(|_| {
        let home = stage.process_with("station", quota);
        let thread = stage.thread(home);
        let endpoint = stage.does(thread, EndpointCreate { process: None, queue: 0 }).endpoint;
        Station { home, thread, endpoint }
    });
    let stations = stations.collect();
    (stage, stations)
}

/// The way from one station to another's endpoint.
fn door(stage: &Stage, from: &Station, to: &Station) -> Handle {
    stage.grant(to.thread, to.endpoint, from.home, (Rights::USE, 0))
}

/// `to` waits for a call, `from` makes it, and `to` serves it.
fn call(stage: &Stage, from: &Station, to: &Station) {
    let door = door(stage, from, to);
    stage.post(to.thread, ipc::RECV, Mail::to(to.endpoint));
    stage.post(from.thread, ipc::CALL, Mail::to(door));
    assert_eq!(from.thread.state(), State::Awaiting);
    stage.got(to.thread);
}

/// A process of so many threads, each with an endpoint that all may call.
fn crowd(length: usize) -> (Stage, Vec<Station>) {
    let stage = Stage::new(1);
    let home = stage.process_with("crowd", Quota { threads: 32, endpoints: 32, frames: 64, ..SMALL });
    let threads: Vec<_> = (0..length).map(|_| stage.thread(home)).collect();
    let endpoint = |thread| stage.does(thread, EndpointCreate { process: None, queue: 0 }).endpoint;
    let stations = threads.into_iter().map(|thread| Station { home, thread, endpoint: endpoint(thread) }).collect();
    (stage, stations)
}

#[test]
fn calls_nest_as_deep_as_the_bound_and_no_deeper() {
    let (stage, stations) = crowd(MAX_CALL_DEPTH + 2);
    for pair in stations[..=MAX_CALL_DEPTH].windows(2) {
        stage.post(pair[1].thread, ipc::RECV, Mail::to(pair[1].endpoint));
        stage.post(pair[0].thread, ipc::CALL, Mail::to(pair[1].endpoint));
        assert_eq!(pair[0].thread.state(), State::Awaiting);
    }
    let (last, beyond) = (&stations[MAX_CALL_DEPTH], &stations[MAX_CALL_DEPTH + 1]);

    stage.refuses_post(last.thread, ipc::CALL, Mail::to(beyond.endpoint), Error::OverLimit);
    stage.post(beyond.thread, ipc::RECV, Mail::to(beyond.endpoint));
    stage.refuses_post(last.thread, ipc::CALL_UNTIL, Mail::to(beyond.endpoint), Error::OverLimit);

    stage.posts(last.thread, ipc::REPLY, Mail { to: 0, ..Mail::to(last.endpoint) }).expect("its caller waits");
    stage.got(stations[MAX_CALL_DEPTH - 1].thread);
}

#[test]
fn a_call_that_closes_a_circle_is_refused() {
    let (stage, stations) = line(3);
    let [first, second, third] = stations[..] else { unreachable!() };
    call(&stage, &first, &second);
    call(&stage, &second, &third);

    for earlier in [&first, &second] {
        let back = door_while_away(&stage, &third, earlier);
        stage.refuses_post(third.thread, ipc::CALL, Mail::to(back), Error::Deadlock);
        stage.refuses_post(third.thread, ipc::CALL_UNTIL, Mail::to(back).until(5000), Error::Deadlock);
    }
}

/// As [`door`], while the endpoint's own thread cannot run: the root process lends it.
fn door_while_away(stage: &Stage, from: &Station, to: &Station) -> Handle {
    let object = stage.place(to.thread, to.endpoint);
    testing::give(stage.kernel, from.home.process, Kind::Endpoint, object, Rights::USE)
}

#[test]
fn a_server_with_a_thread_left_is_waited_for() {
    let (stage, stations) = line(2);
    let [first, second] = stations[..] else { unreachable!() };
    let spare = stage.thread(first.home);
    call(&stage, &first, &second);
    let back = door_while_away(&stage, &second, &first);

    stage.post(second.thread, ipc::CALL, Mail::to(back).saying([4; 8]));

    assert_eq!(second.thread.state(), State::Calling);
    assert_eq!(stage.posts(spare, ipc::RECV, Mail::to(first.endpoint)).map(|got| got.words), Ok([4; 8]));
}

#[test]
fn who_defers_its_caller_is_at_no_end_of_a_chain() {
    let (stage, stations) = line(2);
    let [first, second] = stations[..] else { unreachable!() };
    call(&stage, &first, &second);
    let back = door_while_away(&stage, &second, &first);
    stage.does(second.thread, Defer {});

    stage.post(second.thread, ipc::CALL_UNTIL, Mail::to(back).until(5000));

    assert_eq!(second.thread.state(), State::Calling);
}
