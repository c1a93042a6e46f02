//! Part of a memory object, lent with a request: reached beyond, widened, used after it was given back.

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{Close, Derive, Map, MemoryCreate, MemoryGrow, MemorySeal, access, ipc};
use nexus_abi::{Error, Handle, Part, Rights};
use nexus_proto::exec::Fate;
use nexus_rt::env;
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, Lent, View, reserve};

use crate::accomplice::{call_with, given_handles, reply_with};
use crate::alike::Alike;
use crate::tell::{Accomplice, door, message};
use crate::{Failure, Outcome, Tried, must};

/// Pages of the object, and what of it is lent.
const PAGES: u64 = 4;
const MIDDLE: Part = Part { offset: 1, pages: 2 };
/// What its pages hold.
const MARK: u64 = 0x4d61_726b;
/// The fault of a load where nothing is mapped (privileged specification, "scause").
const LOAD_FAULT: u64 = 13;
/// Read, and pass on.
const READ: Rights = Rights::USE.union(Rights::TRANSFER);

/// A kind of misuse.
pub(crate) fn misused(kind: &str) -> Tried {
    match kind {
        "outside" => outside(),
        "wider" => wider(),
        "given-back" => given_back("borrow"),
        "given-back-mapped" => given_back("borrow-and-look"),
        _ => Err(Failure::Wrong("there is no such misuse")),
    }
}

fn object() -> Result<Handle, Error> {
    let memory = invoke(MemoryCreate { process: None, pages: PAGES })?.memory;
    invoke(MemoryGrow { memory, pages: PAGES })?;
    let view = View::map(memory, 0, PAGES, Access::Write)?;
    (0..PAGES as usize).try_for_each(|page| view.store_u64(page * PAGE_SIZE, MARK + page as u64))?;
    Ok(memory)
}

fn derive(source: Handle, rights: Rights, part: Part) -> Result<Handle, Error> {
    Ok(invoke(Derive { source, rights, badge: part.badge() })?.handle)
}

/// Pages that the source does not reach: derived, and mapped.
fn outside() -> Tried {
    let whole = object()?;
    let middle = derive(whole, READ, MIDDLE)?;
    let mut alike = Alike::default();
    for (offset, pages) in [(0, 3), (1, 2), (2, 1), (u32::MAX, 1), (u32::MAX, 2), (1, u32::MAX), (1, 0)] {
        alike.add("Derive", derive(middle, READ, Part { offset, pages }))?;
    }
    alike.add("Derive beyond the object", derive(whole, READ, Part { offset: PAGES as u32, pages: 1 }))?;
    for (offset, pages) in [(0, 3), (1, 2), (2, 1), (u64::MAX, 1), (u64::MAX - 1, 2), (1 << 32, 1)] {
        let address = reserve(pages);
        let map = Map { process: None, memory: middle, address, offset, pages, access: access::READ };
        alike.add("Map", invoke(map))?;
    }
    alike.outcome()
}

/// More rights than the source has, or than a part can have.
fn wider() -> Tried {
    let whole = object()?;
    let middle = derive(whole, READ, MIDDLE)?;
    let mut alike = Alike::default();
    alike.add("Derive with the right to the whole", derive(whole, Rights::ALL, MIDDLE))?;
    alike.add("Derive to write", derive(middle, READ.union(Rights::TAKE), MIDDLE))?;
    alike.add("Derive to write", derive(middle, READ.union(Rights::TAKE), Part { offset: 0, pages: 1 }))?;
    let map = Map { process: None, memory: middle, address: reserve(1), offset: 0, pages: 1, access: access::WRITE };
    alike.add("Map to write", invoke(map))?;
    alike.add("MemoryGrow", invoke(MemoryGrow { memory: middle, pages: 1 }))?;
    alike.add("MemorySeal", invoke(MemorySeal { memory: middle }))?;
    alike.outcome()
}

/// An accomplice borrows pages, keeps all that it can, and uses it once they were given back.
fn given_back(part: &str) -> Tried {
    let whole = object()?;
    let (endpoint, door) = door(0)?;
    let accomplice = Accomplice::start(&["accomplice", part], Some(door))?;
    message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    let lent = Lent::of(whole, MIDDLE, Access::Read)?;
    reply_with(lent.handle())?;
    let asked = message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    must(asked.words[0] == MARK + 1, "the borrower reads the first page that it was lent")?;
    drop(lent);
    message(ipc::REPLY, 0, 0, [0; 8])?;
    match accomplice.end()? {
        Fate::Faulted { cause: LOAD_FAULT, .. } => Ok(Outcome::Held),
        Fate::Exited(status) => {
            let error = u16::try_from(status).ok().and_then(Error::from_number);
            let mut alike = Alike::default();
            alike.add("the borrower", error.map_or(Ok(()), Err))?;
            must(View::map(whole, 0, PAGES, Access::Read)?.load_u64(0)? == MARK, "the lender has all that it had")?;
            alike.outcome()
        }
        _ => Err(Failure::Wrong("the borrower ends by itself, or by a load")),
    }
}

/// The accomplice: uses what it was lent, also through a mapping whose handle it closed, before and after.
pub(crate) fn borrow(then: Then) -> Tried {
    let judge = env::handle("stdin")?.raw();
    let answer = call_with(judge, &[])?;
    let [raw] = given_handles(&answer).ok_or(Error::Protocol)?;
    let lent = Handle::from_raw(raw).ok_or(Error::Protocol)?;
    let view = View::map(lent, 0, 2, Access::Read)?;
    let kept = derive(lent, READ, Part { offset: 1, pages: 1 })?;
    invoke(Close { handle: lent })?;
    message(ipc::CALL, judge, 0, [view.load_u64(0)?, 0, 0, 0, 0, 0, 0, 0])?;
    if then == Then::Look {
        view.load_u64(0)?;
        return Err(Failure::Wrong("what was given back is still mapped"));
    }
    let mut alike = Alike::default();
    let map = Map { process: None, memory: kept, address: reserve(1), offset: 0, pages: 1, access: access::READ };
    alike.add("Map", invoke(map))?;
    alike.add("Derive", derive(kept, READ, Part { offset: 0, pages: 1 }))?;
    alike.add("Close", invoke(Close { handle: kept }))?;
    alike.outcome()
}

/// What the borrower does when it was all taken back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// It asks for more.
    Ask,
    /// It reads where it was mapped.
    Look,
}
