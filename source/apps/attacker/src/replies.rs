//! Answers given twice, never, late, or by somebody else.

use nexus_abi::message::{Extent, Passing};
use nexus_abi::syscall::{Close, Defer, Derive, ipc};
use nexus_abi::{Deadline, Error, Handle, Rights};
use nexus_proto::exec::Fate;
use nexus_rt::kernel::invoke;
use nexus_rt::sys::write_page;

use crate::accomplice::call_with;
use crate::alike::Alike;
use crate::tell::{Accomplice, door, message, message_until};
use crate::{Failure, Outcome, Tried, must};

/// A kind of abuse.
pub(crate) fn abused(kind: &str) -> Tried {
    match kind {
        "none" => none(),
        "twice" => twice(),
        "twice-linked" => twice_linked(),
        "while-open" => while_open(),
        "passed-on" => passed_on(),
        "moved" => moved(),
        "nowhere" => nowhere(),
        "late" => late(),
        "kept" => kept(),
        "dropped" => dropped(),
        _ => Err(Failure::Wrong("there is no such abuse")),
    }
}

/// An endpoint, and an accomplice whose call was received.
fn caller(part: &str) -> Result<(Handle, Accomplice), Error> {
    let (endpoint, door) = door(0)?;
    let accomplice = Accomplice::start(&["accomplice", part], Some(door))?;
    message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    Ok((endpoint, accomplice))
}

fn ends_with(accomplice: Accomplice, status: i64) -> Result<(), Failure> {
    must(accomplice.end()? == Fate::Exited(status), "the caller hears what it must")
}

/// Answers nobody.
fn none() -> Tried {
    let (endpoint, _) = door(0)?;
    let mut alike = Alike::default();
    alike.add("Reply", message(ipc::REPLY, 0, 0, [0; 8]))?;
    alike.add("ReplyRecv", message(ipc::REPLY_RECV_UNTIL, endpoint.raw(), 0, [0; 8]))?;
    alike.add("Defer", invoke(Defer {}))?;
    alike.outcome()
}

/// Uses a reply handle again.
fn twice() -> Tried {
    let (_, accomplice) = caller("reply-used")?;
    let reply = invoke(Defer {})?.reply;
    message(ipc::REPLY, reply.raw(), 0, [0; 8])?;
    let mut alike = Alike::default();
    for number in [ipc::REPLY, ipc::REPLY_EXTENDED] {
        alike.add("a second answer", message(number, reply.raw(), 0, [1; 8]))?;
    }
    ends_with(accomplice, 0)?;
    alike.outcome()
}

/// Answers a link again, or defers what is answered.
fn twice_linked() -> Tried {
    let (_, accomplice) = caller("reply-used")?;
    message(ipc::REPLY, 0, 0, [0; 8])?;
    let mut alike = Alike::default();
    alike.add("a second answer", message(ipc::REPLY, 0, 0, [1; 8]))?;
    alike.add("a late deferral", invoke(Defer {}))?;
    ends_with(accomplice, 0)?;
    alike.outcome()
}

/// Receives while it owes an answer.
fn while_open() -> Tried {
    let (endpoint, accomplice) = caller("reply-used")?;
    let mut alike = Alike::default();
    alike.add("Recv", message(ipc::RECV, endpoint.raw(), 0, [0; 8]))?;
    message(ipc::REPLY, 0, 0, [0; 8])?;
    ends_with(accomplice, 0)?;
    alike.outcome()
}

/// Sends the right to answer to somebody else, in each kind of message, and derives from it.
fn passed_on() -> Tried {
    let (_, accomplice) = caller("reply-used")?;
    let reply = invoke(Defer {})?.reply;
    let (other, _) = door(1)?;
    let mut alike = Alike::default();
    alike.add("a call", call_with(other.raw(), &[reply]))?;
    alike.add("a one-way message", message(ipc::SEND, other.raw(), reply.raw(), [0; 8]))?;
    let derived = invoke(Derive { source: reply, rights: Rights::USE, badge: 0 });
    must(derived.err() == Some(Error::WrongKind), "no copy is made of the right to answer")?;
    message(ipc::REPLY, reply.raw(), 0, [0; 8])?;
    ends_with(accomplice, 0)?;
    alike.outcome()
}

/// Likewise, giving it away instead of lending it.
fn moved() -> Tried {
    let (_, accomplice) = caller("reply-used")?;
    let reply = invoke(Defer {})?.reply;
    let (other, _) = door(0)?;
    write_page(8, &reply.raw().to_le_bytes());
    let extent = Extent { length: 0, handles: 1, passing: Passing::Move };
    let mut alike = Alike::default();
    alike.add("a call", message(ipc::CALL_EXTENDED, other.raw(), extent.to_word(), [0; 8]))?;
    message(ipc::REPLY, reply.raw(), 0, [0; 8])?;
    ends_with(accomplice, 0)?;
    alike.outcome()
}

/// Answers, and receives through what may not be received through any more, and through no handle at all.
fn nowhere() -> Tried {
    let (endpoint, door) = door(0)?;
    let handle = invoke(Derive { source: endpoint, rights: Rights::ALL, badge: 0 })?.handle;
    let accomplice = Accomplice::start(&["accomplice", "reply-used"], Some(door))?;
    message(ipc::RECV, handle.raw(), 0, [0; 8])?;
    invoke(Close { handle })?;
    let mut alike = Alike::default();
    for nowhere in [handle.raw(), 0, u64::MAX] {
        alike.add("ReplyRecv", message(ipc::REPLY_RECV, nowhere, 0, [1; 8]))?;
    }
    message(ipc::REPLY, 0, 0, [0; 8])?;
    ends_with(accomplice, 0)?;
    alike.outcome()
}

/// Answers who has given up: the link, and the handle that another became.
fn late() -> Tried {
    let mut alike = Alike::default();
    for part in 0..2 {
        let (_, accomplice) = caller("reply-late")?;
        let reply = if part == 0 { 0 } else { invoke(Defer {})?.reply.raw() };
        // The caller's own deadline is what ends this wait.
        ends_with(accomplice, Error::TimedOut.number().into())?;
        alike.add("a late answer", message(ipc::REPLY, reply, 0, [0; 8]))?;
    }
    alike.outcome()
}

/// Keeps callers for ever, and ends: `EPEERCLOSED` to each is the kernel's part, seen by the judge.
fn kept() -> Tried {
    caller("reply-used")?;
    invoke(Defer {})?;
    caller("reply-used")?;
    Ok(Outcome::Held)
}

/// Closes the right to answer unused.
fn dropped() -> Tried {
    let (endpoint, accomplice) = caller("reply-used")?;
    invoke(Close { handle: invoke(Defer {})?.reply })?;
    ends_with(accomplice, Error::PeerClosed.number().into())?;
    let nothing = message_until(ipc::RECV, endpoint.raw(), 0, Deadline(0), [0; 8]);
    must(nothing.err() == Some(Error::TimedOut), "no trace of the call is left")?;
    Ok(Outcome::Held)
}
