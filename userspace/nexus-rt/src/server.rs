//! The one receive loop.
//!
//! It waits for a request, a one-way message, a signal or the service's deadline, hands it to the service, sends the
//! answer and waits again: answer and next wait are one system call. Probes of init are answered here, so "up" means
//! that the loop runs.

use core::convert::Infallible;

use nexus_abi::message::Status;
use nexus_abi::syscall::{Bind, Close, Defer, ipc};
use nexus_abi::{Deadline, Error, Handle, ProcessId, ServiceId};
use nexus_ipc::{Call, Caller, Message, Notice, Port, Serve, Signal, server};

use crate::channel::{arrived, put_extent, send};
use crate::sys::{Arrival, Departure};
use crate::{env, kernel::invoke, sys};

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
        let mut answer: Option<Message> = None;
        loop {
            if done(service) {
                return answer.map_or(Ok(()), |answer| KernelPort.answer_link(&answer));
            }
            answer = match self.exchange(answer.take(), service.deadline()) {
                Ok(arrival) => self.accept(service, &arrival),
                Err(Error::TimedOut) => None,
                Err(error) => return Err(error),
            };
            if service.deadline().passed(sys::time()) {
                service.expired(&mut KernelPort);
            }
        }
    }

    /// Sends the answer, if there is one, and waits. An answer that cannot be sent is the client's or the service's
    /// loss, never the loop's: the link is closed with a refusal, and the loop goes on.
    fn exchange(&self, answer: Option<Message>, deadline: Deadline) -> Result<Arrival, Error> {
        if let Some(answer) = answer {
            match self.answer_and_receive(&answer, deadline) {
                Err(Error::TimedOut) => return Err(Error::TimedOut),
                Err(_) => clear_link(),
                Ok(arrival) => return Ok(arrival),
            }
        }
        message(ipc::RECV, self.endpoint, deadline, 0, [0; 8])
    }

    fn answer_and_receive(&self, answer: &Message, deadline: Deadline) -> Result<Arrival, Error> {
        let extent = put_extent(answer)?;
        let number = match (answer.is_plain(), deadline) {
            (false, _) => ipc::REPLY_RECV_EXTENDED,
            (true, Deadline::NEVER) => ipc::REPLY_RECV,
            (true, _) => ipc::REPLY_RECV_UNTIL,
        };
        message(number, self.endpoint, deadline, extent, answer.words)
    }

    fn accept<S: Serve>(&self, service: &mut S, arrival: &Arrival) -> Option<Message> {
        let status = arrival.status;
        if status.has(Status::SIGNAL) {
            let signal = Signal { bits: arrival.words[0], key: arrival.words[1] };
            service.signal(&mut KernelPort, signal);
            return None;
        }
        let caller = Caller {
            service: ServiceId(arrival.service),
            process: ProcessId(arrival.process),
            badge: arrival.badge,
            trace: arrival.trace,
        };
        if status.has(Status::FAULT) {
            // No service here asked for faults: let the faulting process end as it would have.
            drop_link();
            return None;
        }
        let message = arrived(arrival);
        let mut call = Call { caller, port: &mut KernelPort };
        if !status.has(Status::ONE_WAY) {
            return server::serve(service, &mut call, &message);
        }
        match Notice::from_message(&message) {
            Ok(Notice::Probe { nonce }) if caller.service == INIT => answer_probe(nonce),
            _ => service.notice(&mut call, &message),
        }
        None
    }
}

/// Tells init that the loop runs. If init's queue is full it will probe again.
fn answer_probe(nonce: u64) {
    if let Ok(init) = env::handle(env::INIT) {
        let _ = send(init, &Notice::Up { nonce }.to_message());
    }
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

fn message(number: u64, target: Handle, deadline: Deadline, extent: u64, words: [u64; 8]) -> Result<Arrival, Error> {
    let arrival = sys::message(&Departure { number, target: target.raw(), deadline: deadline.0, extent, words });
    arrival.status.error().map_or(Ok(arrival), Err)
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
        invoke(Defer {}).map(|deferred| deferred.reply)
    }

    fn reply(&mut self, reply: Handle, answer: &Message) -> Result<(), Error> {
        let extent = put_extent(answer)?;
        let number = if answer.is_plain() { ipc::REPLY } else { ipc::REPLY_EXTENDED };
        message(number, reply, Deadline::NEVER, extent, answer.words).map(|_| ())
    }

    fn close(&mut self, handle: Handle) {
        let _ = invoke(Close { handle });
    }

    fn now(&self) -> u64 {
        sys::time()
    }
}
