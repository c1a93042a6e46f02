//! What another process of this program does for an attack: its part, by name.

use core::time::Duration;

use nexus_abi::message::{Extent, HEADER_BYTES, MAX_INLINE, Passing, WORDS};
use nexus_abi::syscall::{
    Derive, EndpointCreate, Map, MemoryCreate, MemoryGrow, MemorySeal, NotificationCreate, Notify, access, ipc,
};
use nexus_abi::{Error, Handle, Rights};
use nexus_rt::memory::{Access, View, reserve};
use nexus_rt::sys::{Arrival, fill_registers, read_page, write_page};
use nexus_rt::{Instant, env, kernel::invoke};

use crate::tell::{PATIENCE, message, message_until};
use crate::{Failure, Outcome, Tried, must, parts};

/// What a victim's memory and registers are full of. No other value in the system looks like it.
pub(crate) const SECRET: u64 = 0x5ec2_e75e_c2e7_5ec2;
/// How long who gives up waits for an answer: long enough to be received on any host.
const LATE: Duration = Duration::from_secs(3);
/// Times that a victim fills its registers and gives the CPU away.
const ROUNDS: u32 = 400;
/// Pages that a victim fills.
pub(crate) const PAGES: u64 = 32;

/// Plays a part.
pub(crate) fn act(part: &str) -> Tried {
    match part {
        "tell-handles" => tell_handles(),
        "give-and-go" => give_and_go(),
        "widen" => widen(),
        "borrow" => parts::borrow(parts::Then::Ask),
        "borrow-and-look" => parts::borrow(parts::Then::Look),
        "fill-registers" => fill(),
        "fill-memory" => fill_memory(),
        "long-then-short" => long_then_short(),
        "circle" => circle(),
        "reply-used" => reply_within(PATIENCE),
        "reply-late" => reply_within(LATE),
        "keep" => loop {
            crate::chains::rest();
        },
        _ => Err(Failure::Wrong("there is no such part")),
    }
}

fn judge() -> Result<u64, Error> {
    env::handle("stdin").map(Handle::raw)
}

/// Tells the numbers of its handles and stays until it is ended.
fn tell_handles() -> Tried {
    let mut words = [0; WORDS];
    for word in &mut words[..WORDS - 1] {
        *word = invoke(NotificationCreate { process: None })?.notification.raw();
    }
    words[WORDS - 1] = judge()?;
    // Nobody answers: it is ended first.
    let _ = message(ipc::CALL, judge()?, 0, words);
    Ok(Outcome::Held)
}

/// Passes on an endpoint, a notification and a memory object of its own, and ends.
fn give_and_go() -> Tried {
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    let handles = [
        invoke(EndpointCreate { process: None, queue: 1 })?.endpoint,
        invoke(NotificationCreate { process: None })?.notification,
        memory,
    ];
    call_with(judge()?, &handles)?;
    Ok(Outcome::Held)
}

/// Calls with handles.
pub(crate) fn call_with(target: u64, handles: &[Handle]) -> Result<Arrival, Error> {
    for (at, handle) in handles.iter().enumerate() {
        write_page(8 + 8 * at, &handle.raw().to_le_bytes());
    }
    let extent = Extent { length: 0, handles: handles.len(), passing: Passing::Lend };
    message(ipc::CALL_EXTENDED, target, extent.to_word(), [0; WORDS])
}

/// Answers with a handle.
pub(crate) fn reply_with(handle: Handle) -> Result<(), Error> {
    write_page(8, &handle.raw().to_le_bytes());
    let extent = Extent { handles: 1, ..Extent::default() };
    message(ipc::REPLY_EXTENDED, 0, extent.to_word(), [0; WORDS]).map(drop)
}

/// The first handles that came with a message.
pub(crate) fn given_handles<const N: usize>(arrival: &Arrival) -> Option<[u64; N]> {
    let extended = arrival.status.has(nexus_abi::message::Status::EXTENDED);
    let word = |at: usize| {
        let mut bytes = [0; 8];
        read_page(8 * at, &mut bytes);
        u64::from_le_bytes(bytes)
    };
    let count = Extent::from_word(word(0)).unwrap_or_default().handles;
    (extended && count >= N).then(|| core::array::from_fn(|at| word(1 + at)))
}

/// Gets a read-only memory handle, tries to get more out of it, and passes on what it then has.
fn widen() -> Tried {
    let answer = call_with(judge()?, &[])?;
    let [raw] = given_handles(&answer).ok_or(Error::Protocol)?;
    let memory = Handle::from_raw(raw).ok_or(Error::Protocol)?;
    let more = invoke(Derive { source: memory, rights: Rights::ALL, badge: 0 });
    must(more.err() == Some(Error::Permission), "a copy has no right that its source has not")?;
    let address = reserve(1);
    let map = Map { process: None, memory, address, offset: 0, pages: 1, access: access::WRITE };
    must(invoke(map).err() == Some(Error::Permission), "what was lent for reading is not written to")?;
    must(invoke(MemorySeal { memory }).err() == Some(Error::Permission), "what was lent for reading is not sealed")?;
    let same = invoke(Derive { source: memory, rights: Rights::USE.union(Rights::TRANSFER), badge: 0 })?.handle;
    call_with(judge()?, &[same])?;
    Ok(Outcome::Held)
}

/// Fills its registers again and again.
fn fill() -> Tried {
    for _ in 0..ROUNDS {
        fill_registers(SECRET);
    }
    Ok(Outcome::Held)
}

/// Fills pages, says so, and ends.
fn fill_memory() -> Tried {
    let memory = invoke(MemoryCreate { process: None, pages: PAGES })?.memory;
    while invoke(MemoryGrow { memory, pages: 16 })?.total < PAGES {}
    let view = View::map(memory, 0, PAGES, Access::Write)?;
    for at in (0..view.size()).step_by(8) {
        view.store_u64(at, SECRET)?;
    }
    invoke(Notify { notification: env::handle("stdin")?, bits: 1 })?;
    Ok(Outcome::Held)
}

/// Sends a whole page of the secret, then one byte of something else.
fn long_then_short() -> Tried {
    for at in (0..MAX_INLINE).step_by(8) {
        write_page(HEADER_BYTES + at, &SECRET.to_le_bytes());
    }
    let short = Extent { length: 1, handles: 0, passing: Passing::Lend };
    message(ipc::CALL_EXTENDED, judge()?, short.to_word(), [0; WORDS])?;
    Ok(Outcome::Held)
}

/// Gives its own endpoint away and calls; whoever serves the call and calls that endpoint closes a circle.
fn circle() -> Tried {
    let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
    let door = invoke(Derive { source: endpoint, rights: Rights::USE.union(Rights::TRANSFER), badge: 0 })?.handle;
    call_with(judge()?, &[door])?;
    Ok(Outcome::Held)
}

/// Calls once; its status says what it was answered.
fn reply_within(patience: Duration) -> Tried {
    match message_until(ipc::CALL_UNTIL, judge()?, 0, Instant::now().after(patience), [0; WORDS]) {
        Ok(_) => Ok(Outcome::Held),
        Err(error) => Ok(Outcome::Refused(error)),
    }
}
