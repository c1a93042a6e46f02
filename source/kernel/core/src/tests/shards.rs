//! Homes: what a process makes lives in its shard, and what crosses shards holds those it touches.
//!
//! [`Stage`] gives every process another home than the one before, so all other tests of messages cross shards too.

use super::{calls::Pair, calls::pair, *};
use nexus_abi::{
    message::{Extent, Passing},
    syscall::{
        Bind, Close, EndpointCreate, Inspect, MemoryCreate, NotificationCreate, Notify, ProcessKill, Revoke,
        TimerCreate, Wait, WaitSetAdd, WaitSetCreate, ipc,
    },
};

/// A process in each of two shards: the first waits, the second's notification is a member of its set under key 9.
struct Apart {
    stage: Stage,
    waiter: &'static Thread,
    other: &'static Thread,
    set: Handle,
    signal: Handle,
}

fn apart() -> Apart {
    let stage = Stage::new(1);
    let (home, far) = (stage.process("waiter"), stage.process("other"));
    let (waiter, other) = (stage.thread(home), stage.thread(far));
    let signal = stage.does(other, NotificationCreate { process: None }).notification;
    let member = stage.grant(other, signal, home, (Rights::TAKE, 0));
    let set = stage.does(waiter, WaitSetCreate { process: None }).wait_set;
    stage.does(waiter, WaitSetAdd { wait_set: set, notification: member, key: 9 });
    assert_ne!(set.shard(), signal.shard());
    Apart { stage, waiter, other, set, signal }
}

#[test]
fn a_process_lives_where_its_maker_says_or_where_its_maker_lives() {
    let stage = Stage::new(1);
    let create = |shard| {
        let (name, quota) = (Name::new("child").expect("a short name"), Quota { frames: 2, ..Quota::default() });
        ProcessCreate { spawn: stage.spawn, service: ServiceId::service("child"), name, quota, shard }
    };
    let home = |made: Handle| (made.shard(), stage.kernel.processes.get(stage.place(stage.root, made)));
    for number in 0..SHARDS {
        let shard = Shard::new(number as u8);
        let (shard, process) = home(stage.does(stage.root, create(shard)).process);
        assert_eq!((shard, process.map(|process| process.header.shard())), (number, Some(number)));
    }
    let own = stage.root.header.shard();
    assert_eq!(home(stage.does(stage.root, create(None)).process).0, own);
    assert_eq!(Shard::new(SHARDS as u8), None);
}

#[test]
fn a_home_that_does_not_exist_is_refused() {
    let stage = Stage::new(1);
    stage.focus(stage.root);
    let name = Name::new("child").expect("a short name").to_words();
    for wrong in [SHARDS as u64 + 1, 256, u64::MAX] {
        let mut registers = Vec::from([(reg::T2, ProcessCreate::NUMBER), (reg::T3, stage.spawn.raw())]);
        let words = [ServiceId::service("child").0].into_iter().chain(name).chain(SMALL.to_words()).chain([wrong]);
        registers.extend(words.enumerate().map(|(at, word)| (reg::A0 + at, word)));
        journal::begin();
        stage.enter(stage.root, &registers);
        assert_eq!(stage.got(stage.root).status.error(), Some(Error::Invalid));
        assert_untouched(stage.kernel, stage.root, &journal::end(), "a shard that is none");
    }
}

#[test]
fn everything_that_a_process_makes_lives_in_its_home() {
    let stage = Stage::new(1);
    let home = stage.process("maker");
    let maker = stage.thread(home);
    let shard = home.process.header.shard();
    let notification = stage.does(maker, NotificationCreate { process: None }).notification;
    let made = [
        notification,
        stage.does(maker, EndpointCreate { process: None, queue: 1 }).endpoint,
        stage.does(maker, WaitSetCreate { process: None }).wait_set,
        stage.does(maker, MemoryCreate { process: None, pages: 1 }).memory,
        stage.does(maker, TimerCreate { notification, bits: 1 }).timer,
        stage.does(stage.root, EndpointCreate { process: Some(home.handle), queue: 0 }).endpoint,
    ];
    assert_ne!(shard, stage.root.header.shard());
    assert_eq!(made.map(Handle::shard), [shard; 6]);
    assert_eq!(maker.header.shard(), shard);
}

#[test]
fn a_wait_takes_what_a_member_of_another_shard_has() {
    let Apart { stage, waiter, other, set, signal } = apart();
    stage.does(other, Notify { notification: signal, bits: 6 });

    let got = stage.does(waiter, Wait { notification: set, deadline: Deadline::POLL });

    assert_eq!((got.bits, got.key), (6, 9));
    stage.refuses(waiter, Wait { notification: set, deadline: Deadline::POLL }, Error::TimedOut);
}

#[test]
fn a_waiter_wakes_for_a_member_of_another_shard() {
    let Apart { stage, waiter, other, set, signal } = apart();
    stage.ask(waiter, Wait { notification: set, deadline: Deadline::NEVER });

    stage.does(other, Notify { notification: signal, bits: 6 });

    assert_eq!(stage.answer::<Wait>(waiter).map(|got| (got.bits, got.key)), Ok((6, 9)));
}

#[test]
fn a_receive_takes_what_a_member_of_another_shard_has() {
    let Apart { stage, waiter, other, set, signal } = apart();
    let endpoint = stage.does(waiter, EndpointCreate { process: None, queue: 0 }).endpoint;
    stage.does(waiter, Bind { notification: Some(set) });
    for bits in [1, 2] {
        stage.does(other, Notify { notification: signal, bits });
        let got = stage.posts(waiter, ipc::RECV, Mail::to(endpoint)).expect("a signal is there");
        assert_eq!((got.status.0, got.words[..2].to_vec()), (Status::SIGNAL, Vec::from([bits, 9])));
    }
    stage.post(waiter, ipc::RECV, Mail::to(endpoint));
    stage.does(other, Notify { notification: signal, bits: 4 });
    assert_eq!(stage.got(waiter).words[..2], [4, 9]);
}

#[test]
fn an_answer_takes_the_next_signal_of_another_shard() {
    let Pair { stage, home, server, endpoint, client, door, .. } = pair();
    let signal = stage.does(client, NotificationCreate { process: None }).notification;
    let member = stage.grant(client, signal, home, (Rights::TAKE, 0));
    let set = stage.does(server, WaitSetCreate { process: None }).wait_set;
    stage.does(server, WaitSetAdd { wait_set: set, notification: member, key: 5 });
    stage.does(server, Bind { notification: Some(set) });
    let second = stage.thread(stage.process("third"));
    stage.post(client, ipc::CALL, Mail::to(door));
    stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
    let process = stage.kernel.processes.at(client.process.get() as u32);
    let found = stage.kernel.slot(process, signal).expect("the client's own");
    let their = Home { process: stage.kernel.processes.at(second.process.get() as u32), ..home };
    let capability = stage.kernel.transferable(found, their.process).expect("every right");
    let far = stage.kernel.insert(their.process, &capability, found.place.get()).expect("there is room");
    stage.does(second, Notify { notification: far, bits: 3 });

    let got = stage.posts(server, ipc::REPLY_RECV, Mail::to(endpoint)).expect("a signal is there");

    assert_eq!((got.status.0, got.words[..2].to_vec()), (Status::SIGNAL, Vec::from([3, 5])));
    assert_eq!(stage.got(client).status, Status::OK);
}

#[test]
fn a_handle_that_crosses_shards_works_is_revoked_and_dies_with_its_owner() {
    let Pair { stage, server, endpoint, client, client_home, door, .. } = pair();
    let signal = stage.does(client, NotificationCreate { process: None }).notification;
    let lend = |reply: u64| {
        stage.page(client, 1).set(signal.raw());
        let extent = Extent { length: 0, handles: 1, passing: Passing::Lend }.to_word();
        stage.post(client, ipc::CALL_EXTENDED, Mail::to(door).with(extent));
        stage.posts(server, ipc::RECV, Mail::to(endpoint)).expect("a caller waits");
        let lent = Handle::from_raw(stage.page(server, 1).get()).expect("a handle came");
        stage.posts(server, ipc::REPLY, Mail { to: 0, ..Mail::to(door) }.saying([reply; 8])).expect("it waits");
        lent
    };
    let lent = lend(1);
    assert_eq!(lent.shard(), client_home.process.header.shard());
    assert_ne!(lent.shard(), endpoint.shard());
    stage.does(server, Notify { notification: lent, bits: 8 });
    assert_eq!(stage.does(client, Wait { notification: signal, deadline: Deadline::POLL }).bits, 8);

    stage.does(client, Revoke { handle: signal });
    stage.refuses(server, Notify { notification: lent, bits: 8 }, Error::BadHandle);

    let lent = lend(2);
    stage.does(stage.root, ProcessKill { process: client_home.handle, status: 0 });
    stage.refuses(server, Notify { notification: lent, bits: 8 }, Error::PeerClosed);
    stage.refuses(server, Inspect { handle: lent }, Error::PeerClosed);
    stage.does(server, Close { handle: lent });
}
