//! The in-process transport: a service and its clients in one process, with virtual time.
//!
//! A call dispatches straight into the service, through the same `serve` as on the target. If the service defers, time
//! moves to the service's next deadline, again and again, until the answer is there or the caller's deadline has come:
//! nothing sleeps, and the same calls give the same result. Handles are opaque numbers here and pass unchanged; what
//! was closed is on record.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::cell::{Ref, RefCell, RefMut};

use nexus_abi::message::{MAX_HANDLES, MAX_INLINE};
use nexus_abi::{Deadline, Error, Handle};

use crate::server::Served;
use crate::{Call, Caller, Message, Port, Serve, Signal, Transport, server};

/// How long a client waits that names no deadline, where the service lives in the same process.
const PATIENCE: u64 = 10_000_000;

/// A service that lives in this process.
pub struct Local<S> {
    host: Rc<RefCell<Host<S>>>,
}

struct Host<S> {
    service: S,
    port: LocalPort,
}

#[derive(Default)]
struct LocalPort {
    now: u64,
    deferred: u64,
    /// The reply handle of the request being served, once it is deferred.
    current: Option<Handle>,
    /// Reply handles whose client waits: none yet, or the answer.
    waiting: BTreeMap<u64, Option<Message>>,
    closed: Vec<Handle>,
}

impl Port for LocalPort {
    fn defer(&mut self) -> Result<Handle, Error> {
        if self.current.is_some() {
            return Err(Error::State);
        }
        self.deferred += 1;
        let reply = Handle::pack(0, 0, self.deferred).ok_or(Error::Exhausted)?;
        self.current = Some(reply);
        self.waiting.insert(reply.raw(), None);
        Ok(reply)
    }

    fn reply(&mut self, reply: Handle, answer: &Message) -> Result<(), Error> {
        answer.extent()?;
        let slot = self.waiting.get_mut(&reply.raw()).ok_or(Error::PeerClosed)?;
        if slot.is_some() {
            return Err(Error::BadHandle);
        }
        *slot = Some(answer.clone());
        Ok(())
    }

    fn close(&mut self, handle: Handle) {
        self.closed.push(handle);
    }

    fn now(&self) -> u64 {
        self.now
    }
}

impl<S: Serve> Local<S> {
    /// Hosts a service.
    pub fn new(service: S) -> Local<S> {
        Local { host: Rc::new(RefCell::new(Host { service, port: LocalPort::default() })) }
    }

    /// A client's connection, with the identity that the kernel would stamp.
    pub fn connect(&self, caller: Caller) -> LocalTransport<S> {
        LocalTransport { host: Rc::clone(&self.host), caller }
    }

    /// Delivers a signal.
    pub fn signal(&self, signal: Signal) {
        let host = &mut *self.host.borrow_mut();
        host.service.signal(&mut host.port, signal);
    }

    /// Moves time forward, firing what falls due on the way.
    pub fn advance(&self, ticks: u64) {
        let host = &mut *self.host.borrow_mut();
        let until = host.port.now.saturating_add(ticks);
        while host.step(until) {}
        host.port.now = until;
    }

    /// Looks at the service.
    pub fn service(&self) -> Ref<'_, S> {
        Ref::map(self.host.borrow(), |host| &host.service)
    }

    /// Changes the service behind its clients' backs.
    pub fn service_mut(&self) -> RefMut<'_, S> {
        RefMut::map(self.host.borrow_mut(), |host| &mut host.service)
    }

    /// The handles that the service closed so far.
    pub fn closed(&self) -> Vec<Handle> {
        self.host.borrow().port.closed.clone()
    }
}

impl<S: Serve> Host<S> {
    /// Fires the service's next deadline if it is due by `until`.
    fn step(&mut self, until: u64) -> bool {
        let deadline = self.service.deadline();
        if deadline == Deadline::NEVER || deadline.0 > until {
            return false;
        }
        self.port.now = self.port.now.max(deadline.0);
        self.service.expired(&mut self.port);
        self.service.deadline() != deadline
    }
}

/// One client's connection to a [`Local`] service.
pub struct LocalTransport<S> {
    host: Rc<RefCell<Host<S>>>,
    caller: Caller,
}

impl<S> Clone for LocalTransport<S> {
    fn clone(&self) -> Self {
        LocalTransport { host: Rc::clone(&self.host), caller: self.caller }
    }
}

impl<S: Serve> LocalTransport<S> {
    /// Lets time pass to the service's next deadline if that is due by this one; else to this one, and answers false.
    pub(crate) fn pass(&self, deadline: Deadline) -> bool {
        let host = &mut *self.host.borrow_mut();
        let stepped = host.step(deadline.0);
        if !stepped && deadline != Deadline::NEVER {
            host.port.now = host.port.now.max(deadline.0);
        }
        stepped
    }
}

impl<S: Serve> Transport for LocalTransport<S> {
    fn call(&mut self, request: &Message, deadline: Deadline) -> Result<Message, Error> {
        if request.payload.len() > MAX_INLINE || request.handles.len() > MAX_HANDLES {
            return Err(Error::OverLimit);
        }
        let host = &mut *self.host.borrow_mut();
        host.port.current = None;
        let mut answer = Message::default();
        let mut call = Call { caller: self.caller, port: &mut host.port, answer: &mut answer };
        if server::serve(&mut host.service, &mut call, request) != Served::Later {
            return answer.extent().map(|_| answer);
        }
        let reply = host.port.current.take().ok_or(Error::Protocol)?;
        while matches!(host.port.waiting.get(&reply.raw()), Some(None)) && host.step(deadline.0) {}
        match host.port.waiting.remove(&reply.raw()).flatten() {
            Some(answer) => Ok(answer),
            None => {
                host.port.now = host.port.now.max(if deadline == Deadline::NEVER { 0 } else { deadline.0 });
                Err(Error::TimedOut)
            }
        }
    }

    fn send(&mut self, message: &Message) -> Result<(), Error> {
        if !message.payload.is_empty() || message.handles.len() > 1 {
            return Err(Error::OverLimit);
        }
        let host = &mut *self.host.borrow_mut();
        let mut call = Call { caller: self.caller, port: &mut host.port, answer: &mut Message::default() };
        host.service.notice(&mut call, message);
        Ok(())
    }

    fn patience(&self) -> Deadline {
        Deadline(self.host.borrow().port.now.saturating_add(PATIENCE))
    }

    fn discard(&mut self, answer: &Message) {
        self.host.borrow_mut().port.closed.extend(answer.handles.iter());
    }
}
