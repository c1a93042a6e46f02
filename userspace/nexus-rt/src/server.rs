//! The one receive loop.
//!
//! It waits for a request, a one-way message, a signal or the service's deadline, hands it to the service, sends the
//! answer and waits again: answer and next wait are one system call. Probes of init are answered here, so "up" means
//! that the loop runs.

use core::convert::Infallible;

use nexus_abi::message::{Status, WORDS};
use nexus_abi::syscall::{Bind, Close, Defer, ipc};
use nexus_abi::{Deadline, Error, Handle, ProcessId, ServiceId};
use nexus_ipc::{Call, Caller, Message, Notice, Port, Serve, Served, Signal, server};

use crate::channel::{put_extent, send, take_beside};
use crate::sys::{Arrival, Departure};
use crate::{aside, env, kernel::invoke, sys};

/// The identity whose probes are answered.
const INIT: ServiceId = ServiceId::service("init");

/// A service's endpoint and the loop over it.
#[derive(Debug)]
pub struct Server {
    endpoint: Handle,
}

impl Server {
    /// Over the endpoint that the service was started with.
    pub fn of_start_page() -> Result<Server, Error> {
        env::handle(env::SERVE).map(Server::over)
    }

    /// Over this endpoint.
    pub fn over(endpoint: Handle) -> Server {
        Server { endpoint }
    }

    /// Lets signals of a notification or wait set into the loop.
    pub fn bound_to(self, notification: Handle) -> Result<Server, Error> {
        invoke(Bind { notification: Some(notification) })?;
        Ok(self)
    }

    /// Logs `ready` and serves for ever; returns only if the endpoint is lost.
    pub fn run<S: Serve>(self, service: &mut S) -> Result<Infallible, Error> {
        crate::log!("ready");
        self.serve(service)
    }

    /// Serves for ever, without a word.
    pub fn serve<S: Serve>(self, service: &mut S) -> Result<Infallible, Error> {
        loop {
            self.serve_until(service, |_| false)?;
        }
    }

    /// Serves until the service is done; what it was about to answer last is answered.
    pub fn serve_until<S: Serve>(&self, service: &mut S, done: impl Fn(&S) -> bool) -> Result<(), Error> {
        let mut desk = Desk::default();
        let mut served = Served::Later;
        loop {
            let mut deadline = service.deadline();
            if deadline != Deadline::NEVER && deadline.passed(sys::time()) {
                service.expired(&mut KernelPort);
                deadline = service.deadline();
            }
            if done(service) {
                return if served != Served::Later { desk.finish() } else { Ok(()) };
            }
            if served != Served::Words {
                let from = self.exchange(&mut desk, served, deadline);
                served = desk.accept(service, from)?;
                continue;
            }
            let number = if deadline == Deadline::NEVER { ipc::REPLY_RECV } else { ipc::REPLY_RECV_UNTIL };
            let from = desk.lay(message(number, self.endpoint, deadline, 0, desk.answer.words));
            served = if from.status == Status::OK {
                desk.serve(service, from.caller)
            } else {
                let from = self.received(&mut desk, from, deadline);
                desk.accept(service, from)?
            };
        }
    }

    /// Sends an answer with something beside its words, if there is one, and waits for what comes next.
    #[cold]
    fn exchange(&self, desk: &mut Desk, served: Served, deadline: Deadline) -> From {
        if served == Served::Later {
            return self.next(desk, deadline);
        }
        let from = match self.answer(&desk.answer, deadline).map(|arrival| desk.lay(arrival)) {
            Ok(from) => self.received(desk, from, deadline),
            Err(_) => self.unanswered(desk, deadline),
        };
        desk.answer.strip();
        from
    }

    fn answer(&self, answer: &Message, deadline: Deadline) -> Result<Arrival, Error> {
        let extent = put_extent(answer)?;
        let number = match (answer.is_plain(), deadline) {
            (false, _) => ipc::REPLY_RECV_EXTENDED,
            (true, Deadline::NEVER) => ipc::REPLY_RECV,
            (true, _) => ipc::REPLY_RECV_UNTIL,
        };
        Ok(message(number, self.endpoint, deadline, extent, answer.words))
    }

    /// An answer that cannot be sent is the client's or the service's loss, never the loop's.
    #[cold]
    fn received(&self, desk: &mut Desk, from: From, deadline: Deadline) -> From {
        match from.status.error() {
            None | Some(Error::TimedOut) => from,
            Some(_) => self.unanswered(desk, deadline),
        }
    }

    /// Gives the answer to whom it was put aside for, or else closes the link with a refusal; and the loop goes on.
    fn unanswered(&self, desk: &mut Desk, deadline: Deadline) -> From {
        answer_aside(&desk.answer).unwrap_or_else(clear_link);
        self.next(desk, deadline)
    }

    /// A signal that came while the service received something else, or else what comes next.
    fn next(&self, desk: &mut Desk, deadline: Deadline) -> From {
        let signal = aside::take_signal().map(|Signal { bits, key }| {
            let words = [bits, key, 0, 0, 0, 0, 0, 0];
            Arrival { status: Status(Status::SIGNAL), words, ..Arrival::default() }
        });
        desk.lay(signal.unwrap_or_else(|| message(ipc::RECV, self.endpoint, deadline, 0, [0; WORDS])))
    }
}

/// Of what arrived, all but its words.
#[derive(Clone, Copy, Debug)]
struct From {
    status: Status,
    caller: Caller,
}

/// What the loop has before it: taken up once, not with each request.
#[derive(Debug, Default)]
struct Desk {
    request: Message,
    answer: Message,
}

impl Desk {
    /// Lays the words of what arrived where a request is served from.
    #[inline(always)]
    fn lay(&mut self, arrival: Arrival) -> From {
        self.request.words = arrival.words;
        let caller = Caller {
            service: ServiceId(arrival.service),
            process: ProcessId(arrival.process),
            badge: arrival.badge,
            trace: arrival.trace,
        };
        From { status: arrival.status, caller }
    }

    /// Sends the last answer.
    fn finish(&self) -> Result<(), Error> {
        let answered = KernelPort.answer_link(&self.answer);
        answered.or_else(|error| answer_aside(&self.answer).ok_or(error))
    }

    #[inline(always)]
    fn serve<S: Serve>(&mut self, service: &mut S, caller: Caller) -> Served {
        let mut call = Call { caller, port: &mut KernelPort, answer: &mut self.answer };
        server::serve(service, &mut call, &self.request)
    }

    /// Takes whatever came; an error is the end of the loop.
    #[cold]
    fn accept<S: Serve>(&mut self, service: &mut S, from: From) -> Result<Served, Error> {
        let From { status, caller } = from;
        match status.error() {
            Some(Error::TimedOut) => return Ok(Served::Later),
            Some(error) => return Err(error),
            None => {}
        }
        if status.has(Status::SIGNAL) {
            let signal = Signal { bits: self.request.words[0], key: self.request.words[1] };
            service.signal(&mut KernelPort, signal);
            return Ok(Served::Later);
        }
        if status.has(Status::FAULT) {
            // No service here asked for faults: let the faulting process end as it would have.
            drop_link();
            return Ok(Served::Later);
        }
        if status.has(Status::EXTENDED) {
            take_beside(&mut self.request);
        }
        let served = if status.has(Status::ONE_WAY) {
            self.notice(service, caller);
            Served::Later
        } else {
            self.serve(service, caller)
        };
        self.request.strip();
        Ok(served)
    }

    fn notice<S: Serve>(&mut self, service: &mut S, caller: Caller) {
        match Notice::from_message(&self.request) {
            Ok(Notice::Probe { nonce }) if caller.service == INIT => answer_probe(nonce),
            _ => {
                let mut call = Call { caller, port: &mut KernelPort, answer: &mut self.answer };
                service.notice(&mut call, &self.request);
            }
        }
    }
}

/// Tells init that the loop runs. If init's queue is full it will probe again.
fn answer_probe(nonce: u64) {
    if let Ok(init) = env::handle(env::INIT) {
        let _ = send(init, &Notice::Up { nonce }.to_message());
    }
}

/// Gives an answer that was put aside to whom it is owed, or a refusal that always fits. None: nothing was put aside.
fn answer_aside(answer: &Message) -> Option<()> {
    let reply = aside::take()?;
    let refusal = Message::refusal(Error::Protocol);
    // Whoever gave up waiting is not answered.
    let _ = KernelPort.reply(reply, answer).or_else(|_| KernelPort.reply(reply, &refusal));
    Some(())
}

/// Answers the open link with a refusal that always fits; an error means that there is none any more.
fn clear_link() {
    let refusal = Message::refusal(Error::Protocol);
    let out = Departure { number: ipc::REPLY, target: 0, deadline: 0, extent: 0, words: refusal.words };
    let _ = sys::message(&out);
}

/// Closes the open link unanswered.
fn drop_link() {
    if let Ok(deferred) = invoke(Defer {}) {
        let _ = invoke(Close { handle: deferred.reply });
    }
}

#[inline(always)]
fn message(number: u64, target: Handle, deadline: Deadline, extent: u64, words: [u64; WORDS]) -> Arrival {
    sys::message(&Departure { number, target: target.raw(), deadline: deadline.0, extent, words })
}

/// The server's side of conversations, by system calls.
#[derive(Clone, Copy, Debug)]
pub struct KernelPort;

impl KernelPort {
    /// Answers the open link without waiting for anything.
    fn answer_link(&mut self, answer: &Message) -> Result<(), Error> {
        let extent = put_extent(answer)?;
        let number = if answer.is_plain() { ipc::REPLY } else { ipc::REPLY_EXTENDED };
        let out = Departure { number, target: 0, deadline: u64::MAX, extent, words: answer.words };
        sys::message(&out).status.error().map_or(Ok(()), Err)
    }
}

impl Port for KernelPort {
    fn defer(&mut self) -> Result<Handle, Error> {
        aside::take().map_or_else(|| invoke(Defer {}).map(|deferred| deferred.reply), Ok)
    }

    fn reply(&mut self, reply: Handle, answer: &Message) -> Result<(), Error> {
        let extent = put_extent(answer)?;
        let number = if answer.is_plain() { ipc::REPLY } else { ipc::REPLY_EXTENDED };
        message(number, reply, Deadline::NEVER, extent, answer.words).status.error().map_or(Ok(()), Err)
    }

    fn close(&mut self, handle: Handle) {
        let _ = invoke(Close { handle });
    }

    fn now(&self) -> u64 {
        sys::time()
    }
}
