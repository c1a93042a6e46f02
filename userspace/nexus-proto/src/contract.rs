//! What each interface promises, as functions that check it.
//!
//! A function takes connected clients and nothing else, so the same code runs against a service in this process and
//! against one behind the kernel. It stops at the first broken promise and says which in words.

use alloc::vec;

use nexus_abi::{Error, Handle, ProcessId};
use nexus_ipc::{Message, Transport};

use crate::{console, exec, stream, supervisor};

/// The promise that was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken(pub &'static str);

/// How a check ends.
pub type Kept = Result<(), Broken>;

/// Ends the check if a promise is broken.
macro_rules! promise {
    ($kept:expr, $text:literal) => {
        if !$kept {
            return Err($crate::contract::Broken($text));
        }
    };
}

pub mod logs;
pub mod policy;
pub mod timer;

/// What every interface promises of requests that are none: an unknown method is `ENOSYS`, a message with the wrong
/// shape `EMALFORMED`, `EINVAL`, `ETOOLONG` or `EBADHANDLE`, and the service goes on.
pub fn malformed<T: Transport>(transport: &mut T, interface: &str, methods: &[nexus_ipc::interface::Method]) -> Kept {
    let mut ask = |message: &Message| {
        let deadline = transport.patience();
        transport.call(message, deadline).and_then(|answer| answer.accepted())
    };
    let tag = |number| nexus_ipc::interface::tag(interface, number);
    promise!(ask(&Message::tagged(0)) == Err(Error::NoCall), "a request of no interface is ENOSYS");
    promise!(ask(&Message::tagged(tag(u16::MAX))) == Err(Error::NoCall), "an unknown method is ENOSYS");
    for method in methods {
        let mut surplus = Message::tagged(tag(method.number));
        surplus.payload = vec![0xff; 16];
        surplus.words[1..].fill(u64::MAX);
        let refused =
            matches!(ask(&surplus), Err(Error::Malformed | Error::Invalid | Error::TooLong | Error::BadHandle));
        promise!(refused, "a malformed request is EMALFORMED, EINVAL, ETOOLONG or EBADHANDLE");
    }
    Ok(())
}

/// A stream whose two ends are `writer` and `reader`: bytes arrive once, in order, and then the end.
pub fn stream<W: Transport, R: Transport>(writer: W, reader: R) -> Kept {
    let (mut writer, mut reader) = (stream::Client::new(writer), stream::Client::new(reader));
    malformed(writer.transport(), stream::NAME, stream::METHODS)?;
    promise!(reader.read(0).err() == Some(Error::Invalid), "a read of nothing is EINVAL");
    let sent: [u8; 200] = core::array::from_fn(|at| at as u8);
    let mut rest = &sent[..];
    while !rest.is_empty() {
        let taken = writer.write(rest).map_or(0, |written| written.length as usize);
        promise!((1..=rest.len()).contains(&taken), "a write takes at least one byte and no more than there are");
        rest = &rest[taken..];
    }
    let mut got = vec![];
    while got.len() < sent.len() {
        let data = reader.read(64).map(|chunk| chunk.data).unwrap_or_default();
        promise!((1..=64).contains(&data.len()), "a read gives at least one byte and no more than asked");
        got.extend(data);
    }
    promise!(got == sent, "bytes arrive once and in order");
    promise!(writer.close().is_ok(), "a stream can be closed");
    promise!(reader.read(64).is_ok_and(|chunk| chunk.data.is_empty()), "after a close comes the end");
    promise!(writer.close().is_ok(), "closing again means the same");
    promise!(writer.write(b"x").err() == Some(Error::PeerClosed), "a write after the end is EPEERCLOSED");
    Ok(())
}

/// Programs: `caller` may start them; `program` ends with status 0 when it is given no arguments.
pub fn exec<T: Transport>(caller: T, program: &str) -> Kept {
    let mut caller = exec::Client::new(caller);
    malformed(caller.transport(), exec::NAME, exec::METHODS)?;
    let absent = caller.start("no-such-program", &[], None, None, None).err();
    promise!(absent == Some(Error::NotFound), "a program that is not there is ENOENT");
    let unpacked = caller.start(program, b"unterminated", None, None, None).err();
    promise!(unpacked == Some(Error::Invalid), "arguments that are not packed are EINVAL");

    let started = caller.start(program, &[], None, None, None).map_err(|_| Broken("a program starts"))?;
    let ended = caller.wait(started.process).map_err(|_| Broken("a wait ends with the program"))?;
    promise!(ended.fate() == Ok(exec::Fate::Exited(0)), "the exit status is the program's");
    let again = caller.wait(started.process).err();
    promise!(again == Some(Error::NotFound), "a record is gone once it was waited for");
    Ok(())
}

/// A stranger has a handle without permissions: it starts nothing, and learns nothing of what others started.
pub fn exec_denied<T: Transport>(stranger: T, program: &str, other: ProcessId) -> Kept {
    let mut stranger = exec::Client::new(stranger);
    let start = stranger.start(program, &[], None, None, None).err();
    promise!(start == Some(Error::Permission), "a caller without the right is refused with EPERM");
    let state = stranger.state(other).err();
    promise!(state == Some(Error::Permission), "a stranger learns nothing about a program");
    let kill = stranger.kill(other, 1).err();
    promise!(kill == Some(Error::Permission), "a stranger ends no program");
    Ok(())
}

/// Killing: `program` runs until it is killed.
pub fn exec_kill<T: Transport>(caller: T, program: &str) -> Kept {
    let mut caller = exec::Client::new(caller);
    let started = caller.start(program, &[], None, None, None).map_err(|_| Broken("a program starts"))?;
    let fate = caller.state(started.process).and_then(|stated| stated.fate());
    promise!(fate == Ok(exec::Fate::Running), "it runs");
    promise!(caller.kill(started.process, 9).is_ok(), "it can be killed");
    promise!(caller.kill(started.process, 10).is_ok(), "killing again means the same");
    let fate = caller.wait(started.process).and_then(|ended| ended.fate());
    promise!(fate == Ok(exec::Fate::Killed(9)), "the record says it was killed, and with what");
    Ok(())
}

/// Services: the list ends and names no service twice.
pub fn supervisor<T: Transport>(caller: T) -> Kept {
    let mut caller = supervisor::Client::new(caller);
    malformed(caller.transport(), supervisor::NAME, supervisor::METHODS)?;
    let mut names = vec![];
    let end = loop {
        match caller.list(names.len() as u32) {
            Ok(service) => {
                promise!(supervisor::State::from_wire(service.state).is_some(), "every state has a name");
                promise!(!names.contains(&service.name), "no service is listed twice");
                names.push(service.name);
            }
            Err(error) => break error,
        }
    };
    promise!(end == Error::NotFound && !names.is_empty(), "the list has an end, which is ENOENT");
    Ok(())
}

/// Services: a handle without the permission changes nothing.
pub fn supervisor_denied<T: Transport>(reader: T, service: &str) -> Kept {
    let mut reader = supervisor::Client::new(reader);
    promise!(reader.kill(service).err() == Some(Error::Permission), "a reader kills no service");
    promise!(reader.restart(service).err() == Some(Error::Permission), "a reader restarts no service");
    Ok(())
}

/// The console: its session reads and writes; `stranger` is not it.
pub fn console<A: Transport, B: Transport>(session: A, stranger: B, events: Handle) -> Kept {
    console_session(session, events)?;
    console_held(stranger, events)
}

/// The console for the one who holds it from then on.
pub fn console_session<T: Transport>(session: T, events: Handle) -> Kept {
    let mut session = console::Client::new(session);
    promise!(session.claim(events, 1).is_ok(), "the console can be claimed");
    promise!(session.claim(events, 1).is_ok(), "claiming again means the same");
    promise!(session.write(b"\r").is_ok_and(|written| written.length == 1), "the session writes");
    promise!(session.flush().is_ok(), "what was written is sent");
    Ok(())
}

/// The console while another holds it.
pub fn console_held<T: Transport>(stranger: T, events: Handle) -> Kept {
    let mut stranger = console::Client::new(stranger);
    malformed(stranger.transport(), console::NAME, console::METHODS)?;
    promise!(stranger.claim(events, 1).err() == Some(Error::Again), "while it is held nobody else gets it");
    promise!(stranger.write(b"x").err() == Some(Error::Permission), "only the session writes");
    promise!(stranger.read(1).err() == Some(Error::Permission), "only the session reads");
    promise!(stranger.lend().err() == Some(Error::Permission), "only the session lends");
    promise!(stranger.retake().err() == Some(Error::Permission), "only the session ends a loan");
    Ok(())
}
