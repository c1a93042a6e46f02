//! Calls, answers, one-way messages: words, badge, stamp, order.

use super::*;
use nexus_abi::syscall::{EndpointCreate, ipc};

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
    let stage = Stage::new(1);
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
