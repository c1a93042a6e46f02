//! The use of a capability while its children are being revoked: a race that one hart only has at a timer interrupt.
//!
//! A thread of the lowest class revokes, step by step; this one wakes in between, by a deadline.

use alloc::boxed::Box;

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{
    Close, Derive, Grant, Map, NotificationCreate, Notify, QosSet, Revoke, Unmap, Wait, access, ipc,
};
use nexus_abi::{Deadline, Error, Handle, QosClass, Rights};
use nexus_rt::sys::Departure;
use nexus_rt::{Instant, env, thread};

use super::{endpoint, memory};
use crate::fuzzer::{Fuzzer, plain};
use crate::generate::ARENA;

/// How often it is tried.
const ATTEMPTS: u64 = 12;
/// Children of the capability, and how many of them are mapped.
const CHILDREN: u64 = 40;
const MAPPED: u64 = 8;
/// Where they are mapped.
const PLACE: u64 = ARENA + (1 << 22);
/// Ticks that the revoking thread is waited for.
const PATIENCE: u64 = 200_000;

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let source = memory(fuzzer, 1)?;
    let mailbox = endpoint(fuzzer, 1)?;
    let begun = fuzzer.ask(NotificationCreate { process: None })?.notification;
    let never = fuzzer.ask(NotificationCreate { process: None })?.notification;
    let mut other = fuzzer.twin();
    let body = move || {
        let _ = other.ask(QosSet { class: QosClass::Idle as u8, target: 0 });
        while revoke(&mut other, source, begun).is_ok() {}
    };
    thread::spawn(3, Box::new(body))?;
    for attempt in 0..ATTEMPTS {
        fuzzer.ask(Wait { notification: begun, deadline: Deadline(Instant::now().ticks() + PATIENCE) })?;
        let moment = Deadline(Instant::now().ticks() + 100 + 100 * (attempt % 6));
        let _ = fuzzer.ask(Wait { notification: never, deadline: moment });
        if attempt_all(fuzzer, source, mailbox) {
            break;
        }
    }
    // The other thread ends with its source.
    fuzzer.ask(Close { handle: source }).map(drop)
}

/// Derives children, maps some of them, says so, and revokes.
fn revoke(fuzzer: &mut Fuzzer, source: Handle, begun: Handle) -> Result<(), Error> {
    for at in 0..CHILDREN {
        let memory = fuzzer.ask(Derive { source, rights: Rights::USE, badge: 0 })?.handle;
        if at < MAPPED {
            let address = PLACE + 2 * at * PAGE_SIZE as u64;
            let map = Map { process: None, memory, address, offset: 0, pages: 1, access: access::READ };
            let _ = fuzzer.ask(map);
        }
    }
    fuzzer.ask(Notify { notification: begun, bits: 1 })?;
    fuzzer.ask(Revoke { handle: source }).map(drop)
}

/// Everything that a capability under revocation refuses; true if it did.
fn attempt_all(fuzzer: &mut Fuzzer, source: Handle, mailbox: Handle) -> bool {
    let derived = fuzzer.ask(Derive { source, rights: Rights::USE, badge: 0 });
    let process = env::handle("self").unwrap_or(source);
    let _ = fuzzer.ask(Grant { process, source, rights: Rights::USE, badge: 0 });
    let map = Map { process: None, memory: source, address: PLACE - 4096, offset: 0, pages: 1, access: access::READ };
    if fuzzer.ask(map).is_ok() {
        let _ = fuzzer.ask(Unmap { process: None, address: PLACE - 4096, pages: 1 });
    }
    fuzzer.make(&Departure { extent: source.raw(), ..plain(ipc::SEND, mailbox.raw()) });
    fuzzer.make(&plain(ipc::RECV, mailbox.raw()));
    derived.is_err_and(|error| error == Error::State)
}
