//! The server's side of a conversation.
//!
//! A service implements [`Serve`]; one loop (in `nexus-rt` on the target, [`crate::local`] on the host) feeds it. A
//! handler never waits: it answers, refuses, or defers and keeps a [`Ticket`] with which the answer is given later.
//!
//! Handles that arrive with a request belong to the handler if it answers or defers, and are closed for it if it
//! refuses: a refused request changes nothing.

use core::marker::PhantomData;

use nexus_abi::{Deadline, Error, Handle, ProcessId, ServiceId};

use crate::Message;
use crate::interface::{Answer, Beside};
use crate::wire::Writer;

/// In a badge that the manifest gave, permissions stand below this bit and the owner's interface above it.
pub const INTERFACE_SHIFT: u32 = 56;
const PERMISSIONS: u64 = (1 << INTERFACE_SHIFT) - 1;

/// Who asks, by the kernel's own record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Stable hash of its name.
    pub service: ServiceId,
    /// Its process.
    pub process: ProcessId,
    /// The badge of the capability it used: what the endpoint's owner wrote there.
    pub badge: u64,
    /// Trace id of its work, 0 for none.
    pub trace: u64,
}

impl Caller {
    /// True if the badge has every one of these permission bits.
    pub fn may(&self, permissions: u64) -> bool {
        self.badge & PERMISSIONS & permissions == permissions
    }

    /// Which of its owner's interfaces the capability is for, counted from 1 in the manifest's order; 0: not said.
    pub fn interface(&self) -> u64 {
        self.badge >> INTERFACE_SHIFT
    }
}

/// What a server can do to conversations; the two implementations are the kernel and the in-process transport.
pub trait Port {
    /// Turns the request being served into a reply handle.
    fn defer(&mut self) -> Result<Handle, Error>;

    /// Answers a deferred request. `EPEERCLOSED`: the client is gone.
    fn reply(&mut self, reply: Handle, answer: &Message) -> Result<(), Error>;

    /// Closes a handle that came with a message.
    fn close(&mut self, handle: Handle);

    /// The time, in ticks.
    fn now(&self) -> u64;
}

/// The request being served.
pub struct Call<'a> {
    /// Who asks.
    pub caller: Caller,
    /// The way to defer, and to answer others.
    pub port: &'a mut dyn Port,
    /// Where the answer is written; nothing stands beside its words when a call begins.
    pub answer: &'a mut Message,
}

impl Call<'_> {
    /// Writes the answer; the proof that it stands is what a service returns.
    #[inline(always)]
    pub fn answer<A: Answer>(&mut self, answer: &A) -> Outcome<Answered> {
        let mut writer = Writer::over(self.answer, 0);
        answer.write(&mut writer)?;
        writer.finish();
        Ok(Answered(A::BESIDE))
    }

    /// Answers with a message that was made elsewhere.
    pub fn pass_on(&mut self, answer: Message) -> Outcome<Answered> {
        *self.answer = answer;
        Ok(Answered(Beside::Perhaps))
    }

    /// Keeps the request to answer it later: `let (ticket, deferred) = call.defer()?; …; Err(deferred.into())`.
    pub fn defer<A: Answer>(&mut self) -> Result<(Ticket<A>, Deferred), Error> {
        let reply = self.port.defer()?;
        Ok((Ticket { reply, answer: PhantomData }, Deferred(())))
    }
}

/// The duty to answer one deferred request, once.
#[derive(Debug)]
#[must_use = "a client waits for this answer"]
pub struct Ticket<A> {
    reply: Handle,
    answer: PhantomData<fn(A)>,
}

impl<A: Answer> Ticket<A> {
    /// Answers. `EPEERCLOSED`: nobody waits any more, which a server may ignore unless the answer carried something.
    pub fn answer(self, port: &mut dyn Port, result: Result<A, Error>) -> Result<(), Error> {
        let message = match result.and_then(|answer| answer.encode()) {
            Ok(message) => message,
            Err(error) => Message::refusal(error),
        };
        port.reply(self.reply, &message)
    }
}

/// Proof that the request was deferred; only [`Call::defer`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Deferred(());

/// Proof that the answer was written; only [`Call`] makes one.
#[derive(Debug, PartialEq, Eq)]
pub struct Answered(Beside);

/// Why a handler has no answer now.
#[derive(Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The request is refused; nothing changed.
    Refused(Error),
    /// The answer comes later, through a [`Ticket`].
    Deferred(Deferred),
}

impl From<Error> for NoAnswer {
    fn from(error: Error) -> NoAnswer {
        NoAnswer::Refused(error)
    }
}

impl From<Deferred> for NoAnswer {
    fn from(deferred: Deferred) -> NoAnswer {
        NoAnswer::Deferred(deferred)
    }
}

/// What a handler returns.
pub type Outcome<T> = Result<T, NoAnswer>;

/// Bits that arrived at a server's bound notification or wait set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// The bits.
    pub bits: u64,
    /// Of a wait set: the member's key.
    pub key: u64,
}

/// A service: a state machine over requests, one-way messages, signals and time.
pub trait Serve {
    /// Serves a request; interfaces generate `dispatch` functions to do it with.
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered>;

    /// Takes a one-way message. Its handles, if any, are the service's to close.
    fn notice(&mut self, call: &mut Call<'_>, message: &Message) {
        message.handles.iter().for_each(|handle| call.port.close(handle));
    }

    /// Takes a signal.
    fn signal(&mut self, _port: &mut dyn Port, _signal: Signal) {}

    /// Until when the loop may wait.
    fn deadline(&self) -> Deadline {
        Deadline::NEVER
    }

    /// The time named by [`Serve::deadline`] has come.
    fn expired(&mut self, _port: &mut dyn Port) {}
}

/// Whether an answer waits to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a client waits for this answer"]
pub enum Served {
    /// It stands in [`Call::answer`], and words say it all.
    Words,
    /// It stands in [`Call::answer`], and may have bytes or handles.
    Now,
    /// The request was deferred.
    Later,
}

/// Serves one request. Handles of a refused request are closed.
#[inline(always)]
pub fn serve<S: Serve + ?Sized>(service: &mut S, call: &mut Call<'_>, request: &Message) -> Served {
    match service.call(call, request) {
        Ok(Answered(Beside::Never)) => Served::Words,
        Ok(Answered(Beside::Perhaps)) => Served::Now,
        Err(NoAnswer::Deferred(_)) => Served::Later,
        Err(NoAnswer::Refused(error)) => {
            refuse(call, request, error);
            Served::Words
        }
    }
}

#[cold]
fn refuse(call: &mut Call<'_>, request: &Message, error: Error) {
    request.handles.iter().for_each(|handle| call.port.close(handle));
    *call.answer = Message::refusal(error);
}
