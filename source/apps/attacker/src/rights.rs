//! More than a handle allows: derived, passed on twice, or claimed by the caller's word.

use nexus_abi::syscall::{
    AffinitySet, Bind, Close, ConsoleClaim, Derive, EndpointCreate, LogRead, Map, MemoryCreate, MemoryGrow, MemorySeal,
    NotificationCreate, Notify, QosSet, SharesSet, Wait, access, ipc,
};
use nexus_abi::{Deadline, Error, Handle, Rights};
use nexus_rt::memory::reserve;
use nexus_rt::{env, kernel::invoke, log};

use crate::accomplice::{call_with, given_handles, reply_with};
use crate::alike::Alike;
use crate::tell::{Accomplice, close, door, message};
use crate::{Failure, Tried, must};

/// A kind of overreach.
pub(crate) fn beyond(kind: &str) -> Tried {
    match kind {
        "derive" => derive(),
        "badge" => badge(),
        "two-hops" => two_hops(),
        "memory" => memory(),
        "signal" => signal(),
        "pass-on" => pass_on(),
        "receive" => receive(),
        "console" => console(),
        "class" => class(),
        "class-unknown" => class_unknown(),
        "shares" => shares(),
        "shares-unknown" => refused(&[&|| invoke(SharesSet { thread: None, shares: 1001 }).err()]),
        "affinity" => refused(&[&|| invoke(AffinitySet { thread: None, mask: 0 }).err()]),
        _ => Err(Failure::Wrong("there is no such overreach")),
    }
}

/// Calls that are all refused; each answers its error.
fn refused(calls: &[&dyn Fn() -> Option<Error>]) -> Tried {
    let mut alike = Alike::default();
    for (at, call) in calls.iter().enumerate() {
        alike.add("a call", call().map_or(Ok(()), Err)).inspect_err(|_| log!("it was number {at}"))?;
    }
    alike.outcome()
}

/// Each set of rights that is not part of the source's.
fn derive() -> Tried {
    let whole = invoke(NotificationCreate { process: None })?.notification;
    let mut alike = Alike::default();
    for bits in 0..15 {
        let rights = Rights::from_bits(bits).ok_or(Error::Invalid)?;
        let source = invoke(Derive { source: whole, rights, badge: 0 })?.handle;
        for more in (0..16).filter_map(Rights::from_bits).filter(|more| !rights.contains(*more)) {
            alike.add("Derive", invoke(Derive { source, rights: more, badge: 0 }))?;
        }
        close(&[source])?;
    }
    alike.outcome()
}

/// A badge where there is one, or without the right to set it.
fn badge() -> Tried {
    let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
    let badged = invoke(Derive { source: endpoint, rights: Rights::ALL, badge: 7 })?.handle;
    let plain = invoke(Derive { source: endpoint, rights: Rights::USE, badge: 0 })?.handle;
    let mut alike = Alike::default();
    for (source, badge) in [(badged, 8), (badged, 7), (plain, 7), (plain, u64::MAX)] {
        alike.add("Derive", invoke(Derive { source, rights: Rights::USE, badge }))?;
    }
    alike.outcome()
}

/// A read-only handle goes to an accomplice, who tries to get more, and comes back.
fn two_hops() -> Tried {
    let (endpoint, door) = door(0)?;
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    let rights = Rights::USE.union(Rights::TRANSFER);
    let lent = invoke(Derive { source: memory, rights, badge: 0 })?.handle;
    let accomplice = Accomplice::start(&["accomplice", "widen"], Some(door))?;
    message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    reply_with(lent)?;
    let back = message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    let [raw] = given_handles(&back).ok_or(Error::Protocol)?;
    let returned = Handle::from_raw(raw).ok_or(Error::Protocol)?;
    message(ipc::REPLY, 0, 0, [0; 8])?;
    let address = reserve(1);
    let map = Map { process: None, memory: returned, address, offset: 0, pages: 1, access: access::WRITE };
    let outcome = refused(&[
        &|| invoke(map).err(),
        &|| invoke(Derive { source: returned, rights: Rights::ALL, badge: 0 }).err(),
        &|| invoke(MemorySeal { memory: returned }).err(),
    ]);
    must(accomplice.end()? == nexus_proto::exec::Fate::Exited(0), "the accomplice got no more either")?;
    outcome
}

/// Memory: written, grown, sealed by a handle that may only read.
fn memory() -> Tried {
    let memory = invoke(MemoryCreate { process: None, pages: 2 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    let reader = invoke(Derive { source: memory, rights: Rights::USE, badge: 0 })?.handle;
    let map = Map { process: None, memory: reader, address: reserve(1), offset: 0, pages: 1, access: access::WRITE };
    refused(&[&|| invoke(map).err(), &|| invoke(MemoryGrow { memory: reader, pages: 1 }).err(), &|| {
        invoke(MemorySeal { memory: reader }).err()
    }])
}

/// Signals: waited for by who may only give them, and the other way round.
fn signal() -> Tried {
    let both = invoke(NotificationCreate { process: None })?.notification;
    let giver = invoke(Derive { source: both, rights: Rights::USE, badge: 0 })?.handle;
    let taker = invoke(Derive { source: both, rights: Rights::TAKE, badge: 0 })?.handle;
    refused(&[
        &|| invoke(Wait { notification: giver, deadline: Deadline(0) }).err(),
        &|| invoke(Bind { notification: Some(giver) }).err(),
        &|| invoke(Notify { notification: taker, bits: 1 }).err(),
    ])
}

/// A handle without the right to pass it on goes into messages of each kind.
fn pass_on() -> Tried {
    let (endpoint, _) = door(4)?;
    let kept = invoke(Derive { source: endpoint, rights: Rights::USE, badge: 0 })?.handle;
    refused(&[&|| call_with(endpoint.raw(), &[kept]).err(), &|| {
        message(ipc::SEND, endpoint.raw(), kept.raw(), [0; 8]).err()
    }])
}

/// Receives where it may only call: from its own endpoint by such a handle, and from init's.
fn receive() -> Tried {
    let (_, door) = door(0)?;
    let init = env::handle(env::INIT)?;
    refused(&[&|| message(ipc::RECV, door.raw(), 0, [0; 8]).err(), &|| message(ipc::RECV, init.raw(), 0, [0; 8]).err()])
}

/// The console ring: read and claimed by who may only write to it.
fn console() -> Tried {
    let (log, notification) = (env::handle("log")?, invoke(NotificationCreate { process: None })?.notification);
    let outcome = refused(&[&|| invoke(LogRead { log, cursor: 0 }).err(), &|| {
        invoke(ConsoleClaim { log, notification, bits: 1 }).err()
    }]);
    invoke(Close { handle: notification })?;
    outcome
}

/// A class above one's own, and anybody else's.
fn class() -> Tried {
    let mut alike = Alike::default();
    for class in [2, 3] {
        alike.add("QosSet", invoke(QosSet { class, target: 0 }))?;
    }
    for target in 1..5 {
        alike.add("QosSet", invoke(QosSet { class: 0, target })).inspect_err(|_| log!("of process {target}"))?;
    }
    alike.outcome()
}

/// Classes that do not exist.
fn class_unknown() -> Tried {
    let mut alike = Alike::default();
    for class in [4, 5, 128, 255] {
        alike.add("QosSet", invoke(QosSet { class, target: 0 }))?;
    }
    alike.outcome()
}

/// More weight than policy's leave gives.
fn shares() -> Tried {
    let mut alike = Alike::default();
    for shares in [501, 1000] {
        alike.add("SharesSet", invoke(SharesSet { thread: None, shares }))?;
    }
    alike.outcome()
}
