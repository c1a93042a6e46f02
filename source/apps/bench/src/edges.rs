//! Calls with as much as they take at once: what keeps the kernel busy for longest.
//!
//! Nothing is measured here; whoever looks at each instruction of the run sees how long it was.

use crate::pair::{self, Kind};
use crate::partner::{Client, Server};
use nexus_abi::layout::{GROW_BATCH, MAP_BATCH, SHARED_START};
use nexus_abi::message::MAX_INLINE;
use nexus_abi::syscall::{
    Close, Derive, Map, MemoryCreate, MemoryGrow, MemorySeal, NotificationCreate, Protect, Revoke, TimerCreate,
    TimerSet, Unmap, Wait, WaitSetAdd, WaitSetCreate, access,
};
use nexus_abi::{Error, Rights};
use nexus_rt::kernel::invoke;
use nexus_rt::time::deadline_in;

/// Where no table is yet, so that a batch needs one of each level.
const PLACE: u64 = SHARED_START + (1 << 36);
/// Handles derived from one, and members of a wait set.
const MANY: u64 = 8;
const LONGEST: Kind =
    Kind::extended(MAX_INLINE, ["call, longest", "reply and receive, longest", "round trip, longest"]);

/// The client's half.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    pair::ask(client, &LONGEST, || ())
}

/// The server's half.
pub(crate) fn serve(server: &Server) -> Result<(), Error> {
    pair::converse(server, &LONGEST)?;
    memory()?;
    signals()
}

/// Batches of pages, and a revocation that has to find what was derived and what is mapped.
fn memory() -> Result<(), Error> {
    let (process, pages) = (None, MAP_BATCH);
    let memory = invoke(MemoryCreate { process, pages })?.memory;
    while invoke(MemoryGrow { memory, pages: GROW_BATCH })?.total < pages {}
    let map = Map { process, memory, address: PLACE, offset: 0, pages, access: access::WRITE };
    invoke(map)?;
    invoke(Protect { process, address: PLACE, pages, access: access::READ })?;
    invoke(Unmap { process, address: PLACE, pages })?;
    let lent = invoke(Derive { source: memory, rights: Rights::ALL, badge: 0 })?.handle;
    for _ in 0..MANY {
        invoke(Derive { source: lent, rights: Rights::ALL, badge: 0 })?;
    }
    invoke(Map { memory: lent, ..map })?;
    invoke(Revoke { handle: memory })?;
    invoke(map)?;
    invoke(MemorySeal { memory })?;
    invoke(Unmap { process, address: PLACE, pages })?;
    invoke(Close { handle: memory }).map(drop)
}

/// A wait set's members ring at one instant.
fn signals() -> Result<(), Error> {
    let wait_set = invoke(WaitSetCreate { process: None })?.wait_set;
    let deadline = deadline_in(core::time::Duration::from_millis(1));
    for key in 0..MANY / 2 {
        let notification = invoke(NotificationCreate { process: None })?.notification;
        invoke(WaitSetAdd { wait_set, notification, key })?;
        let timer = invoke(TimerCreate { notification, bits: 1 })?.timer;
        invoke(TimerSet { timer, deadline })?;
    }
    for _ in 0..MANY / 2 {
        invoke(Wait { notification: wait_set, deadline: nexus_abi::Deadline::NEVER })?;
    }
    Ok(())
}
