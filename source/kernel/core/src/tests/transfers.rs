//! What messages carry beside words: bytes and handles.

use super::{calls::Pair, calls::pair, *};
use nexus_abi::{
    message::{Extent, MAX_INLINE, Passing},
    syscall::{Close, Derive, Inspect, NotificationCreate, ipc},
};

const LEND: Passing = Passing::Lend;
const MOVE: Passing = Passing::Move;

fn extent(length: usize, handles: usize, passing: Passing) -> u64 {
    Extent { length, handles, passing }.to_word()
}

impl Pair {
    /// The client calls with what its page holds, the server receives.
    fn carries(&self, extent: u64) -> Result<Got, Error> {
        self.stage.post(self.client, ipc::CALL_EXTENDED, Mail::to(self.door).with(extent));
        if self.client.state() != State::Calling {
            return Err(self.stage.got(self.client).status.error().expect("a call has no answer yet"));
        }
        self.stage.post(self.server, ipc::RECV, Mail::to(self.endpoint).until(0));
        if self.client.state() != State::Awaiting {
            return Err(self.stage.got(self.client).status.error().expect("a call has no answer yet"));
        }
        Ok(self.stage.got(self.server))
    }

    fn notification(&self) -> Handle {
        self.stage.does(self.client, NotificationCreate { process: None }).notification
    }

    fn put(&self, at: usize, handle: Handle) {
        self.stage.page(self.client, 1 + at).set(handle.raw());
    }

    fn received(&self, at: usize) -> Handle {
        Handle::from_raw(self.stage.page(self.server, 1 + at).get()).expect("a handle came")
    }
}

#[test]
fn bytes_arrive_to_the_last_and_nothing_behind_them() {
    for length in [0, 1, 7, 8, 9, 4031, MAX_INLINE] {
        let pair = pair();
        for at in 0..512 {
            pair.stage.page(pair.client, at).set(0x1111_1111_1111_1111 * (1 + at as u64 % 15));
            pair.stage.page(pair.server, at).set(u64::MAX);
        }

        let got = pair.carries(extent(length, 0, LEND)).expect("bytes need no rights");

        assert_eq!(got.status.has(Status::EXTENDED), length > 0);
        let bytes = |thread, byte: usize| pair.stage.page(thread, 8 + byte / 8).get() >> (8 * (byte % 8)) & 0xff;
        assert!((0..length).all(|byte| bytes(pair.server, byte) == bytes(pair.client, byte)), "{length} bytes");
        let tail = (length..length.next_multiple_of(8)).all(|byte| bytes(pair.server, byte) == 0);
        assert!(tail, "what stands behind {length} bytes is not told");
        let rest = (length.next_multiple_of(8)..MAX_INLINE).all(|byte| bytes(pair.server, byte) == 0xff);
        assert!(rest, "the rest of the page is the receiver's own");
        if length > 0 {
            assert_eq!(pair.stage.page(pair.server, 0).get(), length as u64);
            assert!((1..8).all(|at| pair.stage.page(pair.server, at).get() == 0), "no handle came");
        }
    }
}

#[test]
fn a_lent_handle_hangs_on_the_senders() {
    let pair = pair();
    let mine = pair.notification();
    pair.put(0, mine);

    let got = pair.carries(extent(0, 1, LEND)).expect("it may be passed on");

    assert!(got.status.has(Status::EXTENDED));
    assert_eq!(pair.stage.page(pair.server, 0).get(), 1 << 16);
    let theirs = pair.received(0);
    assert_eq!(pair.stage.does(pair.server, Inspect { handle: theirs }).kind, Kind::Notification);
    pair.stage.does(pair.stage.root, syscall::ProcessKill { process: pair.client_home.handle, status: 0 });
    pair.stage.refuses(pair.server, Inspect { handle: theirs }, Error::PeerClosed);
}

#[test]
fn revoking_takes_a_lent_handle_back() {
    let pair = pair();
    let mine = pair.notification();
    pair.put(0, mine);
    pair.carries(extent(0, 1, LEND)).expect("it may be passed on");
    let theirs = pair.received(0);
    pair.stage.posts(pair.server, ipc::REPLY, Mail { to: 0, ..Mail::to(mine) }).expect("the caller waits");

    pair.stage.does(pair.client, syscall::Revoke { handle: mine });

    pair.stage.refuses(pair.server, Inspect { handle: theirs }, Error::BadHandle);
    pair.stage.does(pair.client, Inspect { handle: mine });
}

#[test]
fn a_moved_handle_leaves_its_sender() {
    let pair = pair();
    let (mine, more) = (pair.notification(), pair.notification());
    pair.put(0, mine);
    pair.put(1, more);

    pair.carries(extent(3, 2, MOVE)).expect("they may be passed on");

    for at in [0, 1] {
        let got = pair.stage.does(pair.server, Inspect { handle: pair.received(at) });
        assert_eq!((got.kind, got.rights), (Kind::Notification, Rights::ALL));
    }
    assert_ne!(pair.received(0), pair.received(1));
    pair.stage.posts(pair.server, ipc::REPLY, Mail { to: 0, ..Mail::to(mine) }).expect("the caller waits");
    pair.stage.refuses(pair.client, Inspect { handle: mine }, Error::BadHandle);
    pair.stage.refuses(pair.client, Close { handle: more }, Error::BadHandle);
}

#[test]
fn handles_that_may_not_travel_stop_a_call_to_a_waiting_server() {
    let pair = pair();
    let mine = pair.notification();
    let kept = pair.stage.does(pair.client, Derive { source: mine, rights: Rights::USE, badge: 0 }).handle;
    let stale = pair.notification();
    pair.stage.does(pair.client, Close { handle: stale });
    pair.stage.post(pair.server, ipc::RECV, Mail::to(pair.endpoint));
    let refuses = |handles: &[u64], passing, error| {
        for (at, handle) in handles.iter().enumerate() {
            pair.stage.page(pair.client, 1 + at).set(*handle);
        }
        let mail = Mail::to(pair.door).with(extent(0, handles.len(), passing));
        pair.stage.refuses_post(pair.client, ipc::CALL_EXTENDED, mail, error);
    };

    refuses(&[kept.raw()], LEND, Error::Permission);
    refuses(&[kept.raw(), mine.raw()], MOVE, Error::Permission);
    refuses(&[stale.raw()], LEND, Error::BadHandle);
    refuses(&[0], LEND, Error::BadHandle);
    refuses(&[mine.raw()], MOVE, Error::State);
    let fresh = pair.notification();
    refuses(&[fresh.raw(), fresh.raw()], MOVE, Error::State);
    assert_eq!(pair.server.state(), State::Receiving);
}

#[test]
fn a_queued_caller_hears_of_its_handles_before_it_waits_or_when_it_is_received() {
    let pair = pair();
    let mine = pair.notification();
    let kept = pair.stage.does(pair.client, Derive { source: mine, rights: Rights::USE, badge: 0 }).handle;
    pair.put(0, kept);
    assert_eq!(pair.carries(extent(0, 1, LEND)).err(), Some(Error::Permission));
    pair.stage.page(pair.client, 1).set(77);
    assert_eq!(pair.carries(extent(0, 1, LEND)).err(), Some(Error::BadHandle));

    pair.put(0, mine);
    assert_eq!(pair.carries(extent(0, 1, MOVE)).err(), Some(Error::State), "it has children");
    pair.stage.page(pair.server, 0).set(0);
    assert_eq!(pair.server.link.get(), 0);
}

#[test]
fn the_same_handle_can_be_lent_twice() {
    let pair = pair();
    let mine = pair.notification();
    pair.put(0, mine);
    pair.put(1, mine);

    pair.carries(extent(0, 2, LEND)).expect("lending takes nothing away");

    assert_ne!(pair.received(0), pair.received(1));
}

/// Fills a process's table to its limit, all but `free` places.
fn fill(pair: &Pair, thread: &'static Thread, free: usize) -> Vec<Handle> {
    let source = pair.stage.does(thread, NotificationCreate { process: None }).notification;
    let mut all = Vec::new();
    while let Ok(made) = pair.stage.asks(thread, Derive { source, rights: Rights::USE, badge: 0 }) {
        all.push(made.handle);
    }
    for _ in 0..free {
        pair.stage.does(thread, Close { handle: all.pop().expect("a table has room for more") });
    }
    all
}

#[test]
fn a_receiver_without_room_refuses_handles_and_nothing_moves() {
    let pair = pair();
    fill(&pair, pair.server, 1);
    let mine = [pair.notification(), pair.notification()];
    pair.put(0, mine[0]);
    pair.put(1, mine[1]);
    pair.stage.post(pair.server, ipc::RECV, Mail::to(pair.endpoint));

    let mail = Mail::to(pair.door).with(extent(0, 2, MOVE));
    pair.stage.refuses_post(pair.client, ipc::CALL_EXTENDED, mail, Error::OverLimit);

    pair.stage.post(pair.client, ipc::CALL_EXTENDED, Mail::to(pair.door).with(extent(0, 1, MOVE)));
    assert_eq!(pair.client.state(), State::Awaiting, "one fits");
}

#[test]
fn a_caller_without_room_for_an_answers_handles_is_told_and_the_server_goes_on() {
    let pair = pair();
    let given = pair.stage.does(pair.server, NotificationCreate { process: None }).notification;
    fill(&pair, pair.client, 0);
    pair.stage.post(pair.client, ipc::CALL, Mail::to(pair.door));
    pair.stage.posts(pair.server, ipc::RECV, Mail::to(pair.endpoint)).expect("a caller waits");
    pair.stage.page(pair.server, 1).set(given.raw());

    let mail = Mail { to: 0, ..Mail::to(pair.door) }.with(extent(0, 1, MOVE));
    pair.stage.posts(pair.server, ipc::REPLY_EXTENDED, mail).expect("the server did nothing wrong");

    assert_eq!(pair.stage.got(pair.client).status.error(), Some(Error::OverLimit));
    pair.stage.does(pair.server, Inspect { handle: given });
}

#[test]
fn an_answer_whose_handles_are_not_the_servers_is_refused_and_the_link_stays_open() {
    let pair = pair();
    pair.stage.post(pair.client, ipc::CALL, Mail::to(pair.door));
    pair.stage.posts(pair.server, ipc::RECV, Mail::to(pair.endpoint)).expect("a caller waits");
    pair.stage.page(pair.server, 1).set(1 << 60 | 5);
    let mail = Mail { to: 0, ..Mail::to(pair.door) }.with(extent(0, 1, LEND));

    pair.stage.refuses_post(pair.server, ipc::REPLY_EXTENDED, mail, Error::BadHandle);
    let to_endpoint = Mail::to(pair.endpoint).with(extent(0, 1, LEND));
    pair.stage.refuses_post(pair.server, ipc::REPLY_RECV_EXTENDED, to_endpoint, Error::BadHandle);

    pair.stage.posts(pair.server, ipc::REPLY, mail).expect("the link is open");
    assert_eq!(pair.stage.got(pair.client).status, Status::OK);
}

#[test]
fn a_one_way_message_brings_its_handle() {
    let pair = pair();
    let mine = pair.notification();
    pair.stage.posts(pair.client, ipc::SEND, Mail::to(pair.door).with(mine.raw())).expect("there is a place");

    let got = pair.stage.posts(pair.server, ipc::RECV, Mail::to(pair.endpoint)).expect("one is queued");

    assert_eq!(got.status.0, Status::ONE_WAY | Status::EXTENDED);
    assert_eq!(pair.stage.does(pair.server, Inspect { handle: pair.received(0) }).kind, Kind::Notification);
    let kept = pair.stage.does(pair.client, Derive { source: mine, rights: Rights::USE, badge: 0 }).handle;
    pair.stage.refuses_post(pair.client, ipc::SEND, Mail::to(pair.door).with(kept.raw()), Error::Permission);
    pair.stage.refuses_post(pair.client, ipc::SEND, Mail::to(pair.door).with(9), Error::BadHandle);
}

#[test]
fn handles_of_messages_that_nobody_receives_go_with_the_endpoint() {
    let pair = pair();
    let mine = pair.notification();
    let table = |pair: &Pair| -> u32 { pair.home.process.free_slots.iter().map(|bits| bits.get().count_ones()).sum() };
    let before = table(&pair);
    pair.stage.posts(pair.client, ipc::SEND, Mail::to(pair.door).with(mine.raw())).expect("there is a place");
    assert_eq!(table(&pair), before - 1);
    pair.stage.does(pair.server, syscall::Revoke { handle: pair.endpoint });

    pair.stage.does(pair.server, Close { handle: pair.endpoint });

    assert_eq!(table(&pair), before + 1);
}

#[test]
fn the_right_to_receive_does_not_travel() {
    let pair = pair();
    let theirs = pair.stage.does(pair.client, syscall::EndpointCreate { process: None, queue: 0 }).endpoint;
    pair.put(0, theirs);

    pair.carries(extent(0, 1, LEND)).expect("it may be passed on");

    let got = pair.stage.does(pair.server, Inspect { handle: pair.received(0) });
    assert_eq!(got.rights, Rights::USE.union(Rights::MANAGE).union(Rights::TRANSFER));
    pair.stage.posts(pair.server, ipc::REPLY, Mail { to: 0, ..Mail::to(theirs) }).expect("the caller waits");
    pair.stage.refuses_post(pair.server, ipc::RECV, Mail::to(pair.received(0)), Error::Permission);
}
