//! Calls, answers, one-way messages: words, badge, stamp, order.

use super::*;
use nexus_abi::syscall::{Defer, EndpointCreate, ipc};

/// A server with an endpoint, and a client that may call it with badge 7.
pub(super) struct Pair {
    pub stage: Stage,
    pub home: Home,
    pub server: &'static Thread,
    pub endpoint: Handle,
    pub client_home: Home,
    pub client: &'static Thread,
    pub door: Handle,
}

pub(super) fn pair() -> Pair {
    pair_on(testing::machine(1, 512))
}

pub(super) fn pair_on(kernel: &'static Kernel) -> Pair {
    let stage = Stage::on(kernel);
    let (home, client_home) = (stage.process("server"), stage.process("client"));
    let (server, client) = (stage.thread(home), stage.thread(client_home));
    let endpoint = stage.does(server, EndpointCreate { process: None, queue: 2 }).endpoint;
    let door = stage.grant(server, endpoint, client_home, (Rights::USE.union(Rights::TRANSFER), 7));
    Pair { stage, home, server, endpoint, client_home, client, door }
}

const WORDS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, u64::MAX];
const ANSWER: [u64; 8] = [8, 7, 6, 5, 4, 3, 2, 0];

#[test]
fn a_call_to_a_waiting_server_carries_words_badge_and_stamp_and_comes_back() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();

    stage.post(server, ipc::RECV, Mail::to(endpoint));
    assert_eq!(server.state(), State::Receiving);
    stage.post(client, ipc::CALL, Mail::to(door).saying(WORDS));

    let got = stage.got(server);
    assert_eq!((got.status, got.badge, got.words), (Status::OK, 7, WORDS));
    assert_eq!((got.service, got.process), (ServiceId::service("client").0, client.process.get()));
    assert_eq!(client.state(), State::Awaiting);
    let replied = stage.posts(server, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }.saying(ANSWER));
    assert_eq!(replied.map(|got| got.words), Ok([0; 8]));
    let answer = stage.got(client);
    assert_eq!((answer.status, answer.badge, answer.words), (Status::OK, 0, ANSWER));
    assert_eq!((answer.service, answer.process), (ServiceId::service("server").0, server.process.get()));
}

#[test]
fn a_call_waits_in_the_queue_until_the_server_receives() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();

    stage.post(client, ipc::CALL, Mail::to(door).saying(WORDS));
    assert_eq!(client.state(), State::Calling);

    let got = stage.posts(server, ipc::RECV, Mail::to(endpoint));
    assert_eq!(got.map(|got| (got.badge, got.words)), Ok((7, WORDS)));
    assert_eq!(client.state(), State::Awaiting);
}

#[test]
fn the_receive_loop_answers_one_caller_and_takes_the_next() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    let second = stage.thread(client_home);
    stage.post(server, ipc::RECV, Mail::to(endpoint));
    stage.post(client, ipc::CALL, Mail::to(door).saying([1; 8]));
    stage.post(second, ipc::CALL, Mail::to(door).saying([2; 8]));

    let got = stage.posts(server, ipc::REPLY_RECV, Mail::to(endpoint).saying(ANSWER));

    assert_eq!(got.map(|got| got.words), Ok([2; 8]));
    assert_eq!(stage.got(client).words, ANSWER);
    stage.post(server, ipc::REPLY_RECV, Mail::to(endpoint).saying([9; 8]));
    assert_eq!(server.state(), State::Receiving);
    assert_eq!(stage.got(second).words, [9; 8]);
}

#[test]
fn a_deferred_call_is_answered_once_by_its_reply_handle() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    let second = stage.thread(client_home);
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    let reply = stage.does(server, Defer {}).reply;
    stage.post(second, ipc::CALL, Mail::to(door).saying([3; 8]));
    assert_eq!(stage.posts(server, ipc::RECV, Mail::to(endpoint)).map(|got| got.words), Ok([3; 8]));

    stage.posts(server, ipc::REPLY, Mail::to(reply).saying(ANSWER)).expect("the caller waits");

    assert_eq!(stage.got(client).words, ANSWER);
    assert_eq!(second.state(), State::Awaiting);
    stage.refuses_post(server, ipc::REPLY, Mail::to(reply), Error::BadHandle);
}

#[test]
fn closing_a_reply_handle_tells_the_caller() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    let reply = stage.does(server, Defer {}).reply;

    stage.does(server, syscall::Close { handle: reply });

    assert_eq!(stage.got(client).status.error(), Some(Error::PeerClosed));
}

#[test]
fn callers_hear_when_their_endpoint_closes_queued_or_served() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    let second = stage.thread(client_home);
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    stage.post(second, ipc::CALL, Mail::to(door));
    stage.focus(server);
    stage.does(server, syscall::Revoke { handle: endpoint });

    stage.does(server, syscall::Close { handle: endpoint });

    assert_eq!(stage.got(second).status.error(), Some(Error::PeerClosed));
    assert_eq!(client.state(), State::Awaiting, "the server still owes this answer");
    stage.posts(server, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }.saying(ANSWER)).expect("the caller waits");
    assert_eq!(stage.got(client).words, ANSWER);
    stage.refuses_post(client, ipc::CALL, Mail::to(door), Error::BadHandle);
}

#[test]
fn the_death_of_a_server_wakes_callers_in_every_state() {
    let Pair { stage, home, server, endpoint, client, door, client_home, .. } = pair();
    let (queued, deferred) = (stage.thread(client_home), stage.thread(client_home));
    stage.post(deferred, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    stage.does(server, Defer {});
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    stage.post(queued, ipc::CALL, Mail::to(door));

    stage.does(stage.root, syscall::ProcessKill { process: home.handle, status: 3 });

    for caller in [client, queued, deferred] {
        assert_eq!(stage.got(caller).status.error(), Some(Error::PeerClosed));
    }
    stage.refuses_post(client, ipc::CALL, Mail::to(door), Error::PeerClosed);
    stage.refuses_post(client, ipc::SEND, Mail::to(door).with(0), Error::PeerClosed);
}

#[test]
fn an_answer_to_a_dead_caller_says_so_and_closes_the_link() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    stage.does(stage.root, syscall::ProcessKill { process: client_home.handle, status: 0 });

    let none = Mail { to: 0, ..Mail::to(door) };
    assert_eq!(stage.posts(server, ipc::REPLY, none).err(), Some(Error::PeerClosed));
    stage.refuses_post(server, ipc::REPLY, none, Error::State);
}

#[test]
fn one_way_messages_queue_up_to_the_bound_and_arrive_in_order() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    for word in [1, 2] {
        stage.posts(client, ipc::SEND, Mail::to(door).saying([word; 8])).expect("there is a place");
    }
    stage.refuses_post(client, ipc::SEND, Mail::to(door), Error::Again);

    for word in [1, 2] {
        let got = stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("one is queued");
        assert_eq!((got.status.0, got.badge, got.words), (Status::ONE_WAY, 7, [word; 8]));
        assert_eq!((got.service, got.process), (ServiceId::service("client").0, client.process.get()));
    }
    stage.refuses_post(server, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }, Error::State);
    stage.refuses(server, Defer {}, Error::State);
}

#[test]
fn a_one_way_message_reaches_a_waiting_server_at_once() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    stage.post(server, ipc::RECV, Mail::to(endpoint));

    stage.posts(client, ipc::SEND, Mail::to(door).saying(WORDS)).expect("the server waits");

    assert_eq!((stage.got(server).status.0, stage.got(server).words), (Status::ONE_WAY, WORDS));
}

#[test]
fn calls_and_one_way_messages_take_turns() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    let (one, two) = (stage.thread(client_home), stage.thread(client_home));
    for _ in 0..2 {
        stage.posts(client, ipc::SEND, Mail::to(door)).expect("there is a place");
    }
    stage.post(one, ipc::CALL, Mail::to(door));
    stage.post(two, ipc::CALL, Mail::to(door));

    let order: Vec<bool> = (0..4)
        .map(|_| {
            let got = stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("something waits");
            if !got.status.has(Status::ONE_WAY) {
                stage.posts(server, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }).expect("the caller waits");
            }
            got.status.has(Status::ONE_WAY)
        })
        .collect();

    assert_eq!(order, [true, false, true, false]);
}

#[test]
fn a_server_with_an_open_link_cannot_receive() {
    let Pair { stage, server, endpoint, client, door, .. } = pair();
    stage.refuses_post(server, ipc::REPLY_RECV, Mail::to(endpoint), Error::State);
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");

    stage.refuses_post(server, ipc::RECV, Mail::to(endpoint), Error::State);
}

#[test]
fn message_calls_refuse_handles_that_do_not_allow_them() {
    let Pair { stage, server, endpoint, client, door, client_home, .. } = pair();
    let other = stage.does(client, syscall::NotificationCreate { process: None }).notification;
    let mute = stage.grant(server, endpoint, client_home, (Rights::TRANSFER, 0));
    for number in [ipc::CALL, ipc::CALL_UNTIL, ipc::CALL_EXTENDED, ipc::SEND] {
        stage.refuses_post(client, number, Mail { to: 0, ..Mail::to(door) }, Error::BadHandle);
        stage.refuses_post(client, number, Mail { to: door.raw() + 1, ..Mail::to(door) }, Error::BadHandle);
        stage.refuses_post(client, number, Mail::to(other), Error::WrongKind);
        stage.refuses_post(client, number, Mail::to(mute), Error::Permission);
    }
    for number in [ipc::RECV, ipc::REPLY_RECV, ipc::REPLY_RECV_UNTIL, ipc::REPLY_RECV_EXTENDED] {
        stage.refuses_post(client, number, Mail { to: 0, ..Mail::to(door) }, Error::BadHandle);
        stage.refuses_post(client, number, Mail { to: u64::MAX, ..Mail::to(door) }, Error::BadHandle);
        stage.refuses_post(client, number, Mail::to(other), Error::WrongKind);
        stage.refuses_post(client, number, Mail::to(door), Error::Permission);
    }
    stage.refuses_post(client, ipc::REPLY, Mail::to(other), Error::WrongKind);
    stage.refuses_post(client, ipc::REPLY, Mail { to: 99, ..Mail::to(door) }, Error::BadHandle);
    for number in [ipc::CALL_EXTENDED, ipc::REPLY_RECV_EXTENDED, ipc::REPLY_EXTENDED] {
        for extent in [4033, 8 << 16, 1 << 25, u64::MAX] {
            stage.refuses_post(client, number, Mail::to(door).with(extent), Error::OverLimit);
        }
    }
    for number in [10, 15, 21, 23, 124, u64::MAX] {
        stage.refuses_post(client, number, Mail::to(door), Error::NoCall);
    }
}
