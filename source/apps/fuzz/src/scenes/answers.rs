//! Answers, deferred and direct, with a table that is full.

use alloc::boxed::Box;

use nexus_abi::message::Extent;
use nexus_abi::syscall::{Close, Defer, Derive, Grant, NotificationCreate, ProcessOpen, Revoke, SpawnMint, Wait, ipc};
use nexus_abi::{Deadline, Error, Handle, Rights, ServiceId};
use nexus_rt::sys::{Departure, ipc_page, poke};
use nexus_rt::{Instant, env, thread};

use super::{bare, endpoint};
use crate::fuzzer::{Fuzzer, plain};

/// More handles than a child's table holds.
const HANDLES: usize = 200;
/// Pages of a caller's stack.
const STACK_PAGES: u64 = 2;
/// Ticks after which a caller gives up, surely received by then.
const SOON: u64 = 1_000;
/// Ticks that a scene waits for its callers.
const PATIENCE: u64 = 20_000;

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let (door, mailbox, info) = (endpoint(fuzzer, 0)?, endpoint(fuzzer, 1)?, env::handle("info")?);
    let naked = bare(fuzzer, info)?;
    late(fuzzer, door)?;
    calling(fuzzer, door, ipc::CALL, u64::MAX)?;
    receive(fuzzer, door)?;
    circle(fuzzer, door);
    answer(fuzzer, 0, naked);
    let reply = fuzzer.ask(Defer {})?.reply;
    let _ = fuzzer.ask(Derive { source: reply, rights: Rights::NONE, badge: 0 });
    calling(fuzzer, door, ipc::CALL_UNTIL, u64::MAX)?;
    receive(fuzzer, door)?;
    let full = (0..HANDLES).any(|_| bare(fuzzer, info).is_err());
    if full {
        let _ = fuzzer.ask(Defer {});
        let process = env::handle("self")?;
        let _ = fuzzer.ask(Grant { process, source: info, rights: Rights::NONE, badge: 0 });
        let spawn = env::handle("spawn-root")?;
        let _ = fuzzer.ask(ProcessOpen { spawn, process: env::start()?.info().process });
        let _ = fuzzer.ask(SpawnMint { root: spawn, service: ServiceId::ANY_PROGRAM });
        fuzzer.make(&Departure { extent: info.raw(), ..plain(ipc::SEND, mailbox.raw()) });
        answer(fuzzer, 0, info);
        answer(fuzzer, reply.raw(), info);
    }
    fuzzer.ask(Revoke { handle: info })?;
    fuzzer.ask(Close { handle: mailbox })?;
    last_of(fuzzer, door)
}

/// Calls the endpoint at which nobody can receive: one of the two threads serves the other, and calls.
fn circle(fuzzer: &mut Fuzzer, door: Handle) {
    for number in [ipc::CALL_UNTIL, ipc::CALL_EXTENDED, ipc::CALL] {
        let deadline = Instant::now().ticks() + PATIENCE;
        fuzzer.make(&Departure { deadline, ..plain(number, door.raw()) });
    }
}

/// Waits at an endpoint that its caller closes.
fn last_of(fuzzer: &mut Fuzzer, door: Handle) -> Result<(), Error> {
    let mut other = fuzzer.twin();
    let body = move || {
        other.make(&plain(ipc::CALL, door.raw()));
        let _ = other.ask(Close { handle: door });
    };
    thread::spawn(STACK_PAGES, Box::new(body))?;
    receive(fuzzer, door)?;
    let number = fuzzer.dice.pick(&[ipc::REPLY_RECV, ipc::REPLY_RECV_UNTIL, ipc::REPLY_RECV_EXTENDED, ipc::RECV]);
    if number == ipc::RECV {
        fuzzer.make(&plain(ipc::REPLY, 0));
    }
    fuzzer.make(&Departure { deadline: u64::MAX, ..plain(number, door.raw()) });
    Ok(())
}

/// Answers callers who have given up, and receives while it owes an answer.
fn late(fuzzer: &mut Fuzzer, door: Handle) -> Result<(), Error> {
    let never = fuzzer.ask(NotificationCreate { process: None })?.notification;
    for number in [ipc::REPLY, ipc::REPLY_EXTENDED] {
        calling(fuzzer, door, ipc::CALL_UNTIL, Instant::now().ticks() + SOON)?;
        receive(fuzzer, door)?;
        let _ = receive(fuzzer, door);
        let _ = fuzzer.ask(Wait { notification: never, deadline: Deadline(Instant::now().ticks() + 2 * SOON) });
        fuzzer.make(&plain(number, 0));
    }
    fuzzer.ask(Close { handle: never }).map(drop)
}

/// Another thread calls, until a deadline.
fn calling(fuzzer: &mut Fuzzer, door: Handle, number: u64, deadline: u64) -> Result<(), Error> {
    let mut other = fuzzer.twin();
    let call = Departure { deadline, ..plain(number, door.raw()) };
    let body = move || {
        other.make(&call);
    };
    thread::spawn(STACK_PAGES, Box::new(body)).map(drop)
}

fn receive(fuzzer: &mut Fuzzer, door: Handle) -> Result<(), Error> {
    let deadline = Instant::now().ticks() + PATIENCE;
    let arrival = fuzzer.make(&Departure { deadline, ..plain(ipc::RECV, door.raw()) });
    arrival.status.error().map_or(Ok(()), Err)
}

/// Answers with one handle: to the open link if `reply` is 0.
fn answer(fuzzer: &mut Fuzzer, reply: u64, handle: Handle) {
    poke(ipc_page() + 8, handle.raw());
    let extent = Extent { handles: 1, ..Extent::default() }.to_word();
    fuzzer.make(&Departure { extent, ..plain(ipc::REPLY_EXTENDED, reply) });
}
