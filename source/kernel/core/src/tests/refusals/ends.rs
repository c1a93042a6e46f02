//! How waits end: what a thread is told that was not refused at once.

use super::scene::Scene;
use super::*;
use nexus_abi::{
    Error::{BadHandle, Exhausted, OverLimit, Permission, TimedOut},
    message::{Extent, Passing},
    syscall::{Close, ProcessKill, ipc},
};

/// When waits of these tests end.
const SOON: u64 = 50_000;

fn told(scene: &Scene) -> Option<Error> {
    scene.stage.got(scene.caller).status.error()
}

fn carrying(passing: Passing) -> u64 {
    Extent { length: 0, handles: 1, passing }.to_word()
}

/// The caller calls the peer, who dies.
fn peer_dies(scene: &Scene, number: u64) -> Option<Error> {
    scene.stage.post(scene.caller, number, Mail::to(scene.door).with(8));
    scene.stage.does(scene.stage.root, ProcessKill { process: scene.peer_home.handle, status: 0 });
    told(scene)
}

/// The caller calls the peer, who answers with a handle for which there is no room.
fn no_room(scene: &Scene, number: u64, narrow: fn(&Scene)) -> Option<Error> {
    scene.stage.post(scene.caller, number, Mail::to(scene.door).with(8));
    scene.stage.posts(scene.peer, ipc::RECV, Mail::to(scene.peer_endpoint)).expect("a caller waits");
    scene.stage.page(scene.peer, 1).set(scene.peer_endpoint.raw());
    narrow(scene);
    let reply = Mail { to: 0, ..Mail::to(scene.door) }.with(carrying(Passing::Lend));
    scene.stage.posts(scene.peer, ipc::REPLY_EXTENDED, reply).expect("the server has done its part");
    told(scene)
}

fn narrow(scene: &Scene) {
    scene.fill(scene.home.process);
}

fn starve(scene: &Scene) {
    scene.starve_slots(scene.home.process);
}

/// The caller calls with a handle, which changes before the peer receives.
fn changed(scene: &Scene, passing: Passing, change: fn(&Scene)) -> Option<Error> {
    scene.carry(scene.own("notification"));
    scene.stage.post(scene.caller, ipc::CALL_EXTENDED, Mail::to(scene.door).with(carrying(passing)));
    assert_eq!(scene.caller.state(), State::Calling);
    change(scene);
    scene.stage.post(scene.peer, ipc::RECV, Mail::to(scene.peer_endpoint).until(0));
    told(scene)
}

/// What a call that the peer never takes comes to.
fn late(scene: &Scene, number: u64) -> Option<Error> {
    scene.stage.post(scene.caller, number, Mail::to(scene.door).until(SOON).with(8));
    scene.stage.pass_to(SOON);
    told(scene)
}

/// The caller receives, having answered if the call does that, and nobody comes.
fn nobody(scene: &Scene, number: u64) -> Option<Error> {
    if number != ipc::RECV {
        scene.serve();
    }
    scene.stage.post(scene.caller, number, Mail::to(scene.own("endpoint")).until(SOON));
    scene.stage.pass_to(SOON);
    told(scene)
}

/// The caller receives at an endpoint of its child, which is killed.
fn endpoint_dies(scene: &Scene, number: u64) -> Option<Error> {
    let child = scene.own("child");
    let endpoint = scene.does(syscall::EndpointCreate { process: Some(child), queue: 0 }).endpoint;
    if number != ipc::RECV {
        scene.serve();
    }
    scene.stage.post(scene.caller, number, Mail::to(endpoint));
    assert_eq!(scene.caller.state(), State::Receiving);
    scene.stage.does(scene.second, ProcessKill { process: child, status: 0 });
    told(scene)
}

/// The caller answers somebody who has given up.
fn given_up(scene: &Scene, number: u64) -> Option<Error> {
    scene.serve();
    scene.stage.does(scene.stage.root, ProcessKill { process: scene.peer_home.handle, status: 0 });
    scene.stage.posts(scene.caller, number, Mail { to: 0, ..Mail::to(scene.door) }.with(8)).err()
}

/// How a wait comes to its end.
type Course = fn(&Scene) -> Option<Error>;

/// Call, error, and how it comes.
#[rustfmt::skip]
pub(super) const ROWS: &[(&str, Error, Course)] = &[
    ("Call", Error::PeerClosed, |s| peer_dies(s, ipc::CALL)),
    ("CallUntil", Error::PeerClosed, |s| peer_dies(s, ipc::CALL_UNTIL)),
    ("CallExtended", Error::PeerClosed, |s| peer_dies(s, ipc::CALL_EXTENDED)),
    ("Call", OverLimit, |s| no_room(s, ipc::CALL, narrow)),
    ("CallUntil", OverLimit, |s| no_room(s, ipc::CALL_UNTIL, narrow)),
    ("CallExtended", OverLimit, |s| no_room(s, ipc::CALL_EXTENDED, narrow)),
    ("Call", Exhausted, |s| no_room(s, ipc::CALL, starve)),
    ("CallUntil", Exhausted, |s| no_room(s, ipc::CALL_UNTIL, starve)),
    ("CallExtended", Exhausted, |s| no_room(s, ipc::CALL_EXTENDED, starve)),
    ("CallUntil", TimedOut, |s| late(s, ipc::CALL_UNTIL)),
    ("CallExtended", TimedOut, |s| late(s, ipc::CALL_EXTENDED)),
    ("CallExtended", BadHandle, |s| changed(s, Passing::Lend, |s| { s.stage.does(s.second, Close { handle: s.own("notification") }); })),
    ("CallExtended", Permission, |s| changed(s, Passing::Lend, |s| s.carry(s.muted_by_second("notification")))),
    ("CallExtended", Error::State, |s| changed(s, Passing::Move, |s| { s.muted_by_second("notification"); })),
    ("CallExtended", OverLimit, |s| changed(s, Passing::Lend, |s| s.fill(s.peer_home.process))),
    ("CallExtended", Exhausted, |s| changed(s, Passing::Lend, |s| s.starve_slots(s.peer_home.process))),
    ("CallExtended", Error::PeerClosed, |s| changed(s, Passing::Lend, |s| s.carry(s.dead(Kind::Notification)))),
    ("ReplyRecv", Error::PeerClosed, |s| endpoint_dies(s, ipc::REPLY_RECV)),
    ("ReplyRecvUntil", Error::PeerClosed, |s| endpoint_dies(s, ipc::REPLY_RECV_UNTIL)),
    ("ReplyRecvExtended", Error::PeerClosed, |s| endpoint_dies(s, ipc::REPLY_RECV_EXTENDED)),
    ("Recv", Error::PeerClosed, |s| endpoint_dies(s, ipc::RECV)),
    ("ReplyRecvUntil", TimedOut, |s| nobody(s, ipc::REPLY_RECV_UNTIL)),
    ("ReplyRecvExtended", TimedOut, |s| nobody(s, ipc::REPLY_RECV_EXTENDED)),
    ("Recv", TimedOut, |s| nobody(s, ipc::RECV)),
    ("Reply", Error::PeerClosed, |s| given_up(s, ipc::REPLY)),
    ("ReplyExtended", Error::PeerClosed, |s| given_up(s, ipc::REPLY_EXTENDED)),
    ("Wait", TimedOut, |s| {
        s.stage.ask(s.caller, syscall::Wait { notification: s.own("notification"), deadline: Deadline(SOON) });
        s.stage.pass_to(SOON);
        told(s)
    }),
    ("Wait", Error::PeerClosed, |s| {
        let child = s.own("child");
        let notification = s.does(syscall::NotificationCreate { process: Some(child) }).notification;
        s.stage.ask(s.caller, syscall::Wait { notification, deadline: Deadline::NEVER });
        s.stage.does(s.second, ProcessKill { process: child, status: 0 });
        told(s)
    }),
];
