//! Inboxes of the in-process transport: where one-way answers arrive.
//!
//! A [`Post`] knows every inbox of the process by its handle; services send through it what they would send through the
//! kernel. An inbox is bounded, as an endpoint's queue is: a message for a full one is refused. Waiting moves the
//! service's time forward, from deadline to deadline, until something arrives or the wait is over.

use alloc::{
    collections::{BTreeMap, VecDeque},
    rc::Rc,
};
use core::cell::RefCell;

use nexus_abi::{Deadline, Error, Handle, Name, ServiceId};

use crate::local::LocalTransport;
use crate::{Message, Notice, RouteAnswer, RouteLink, Serve, Transport};

#[derive(Debug, Default)]
struct Boxes {
    made: u64,
    open: BTreeMap<u64, Queue>,
    closed: alloc::vec::Vec<Handle>,
}

#[derive(Debug)]
struct Queue {
    room: usize,
    messages: VecDeque<(ServiceId, Message)>,
}

/// The inboxes of a process.
#[derive(Clone, Debug, Default)]
pub struct Post {
    boxes: Rc<RefCell<Boxes>>,
}

impl Post {
    /// Puts a message of `sender` into an inbox. `EAGAIN`: it is full. `EPEERCLOSED`: it is gone.
    pub fn send(&self, sender: ServiceId, inbox: Handle, message: Message) -> Result<(), Error> {
        if !message.payload.is_empty() || message.handles.len() > 1 {
            return Err(Error::OverLimit);
        }
        let boxes = &mut *self.boxes.borrow_mut();
        let queue = boxes.open.get_mut(&inbox.raw()).ok_or(Error::PeerClosed)?;
        if queue.messages.len() == queue.room {
            return Err(Error::Again);
        }
        queue.messages.push_back((sender, message));
        Ok(())
    }

    /// The handles that were dropped with messages nobody took.
    pub fn closed(&self) -> alloc::vec::Vec<Handle> {
        self.boxes.borrow().closed.clone()
    }

    /// Opens an inbox with room for so many messages, for answers of the service behind `way`.
    pub fn open<S: Serve>(&self, way: LocalTransport<S>, from: ServiceId, room: usize) -> Result<LocalInbox<S>, Error> {
        let boxes = &mut *self.boxes.borrow_mut();
        boxes.made += 1;
        let inbox = Handle::pack(1, 0, boxes.made).ok_or(Error::Exhausted)?;
        boxes.open.insert(inbox.raw(), Queue { room, messages: VecDeque::new() });
        Ok(LocalInbox { post: self.clone(), inbox, way, from })
    }
}

/// A bounded inbox, and the way to the service that answers into it.
pub struct LocalInbox<S> {
    post: Post,
    inbox: Handle,
    way: LocalTransport<S>,
    /// Whose answers count, by the sender's identity.
    from: ServiceId,
}

impl<S> LocalInbox<S> {
    /// What others send to.
    pub fn handle(&self) -> Handle {
        self.inbox
    }

    fn take(&self) -> Option<(ServiceId, Message)> {
        self.post.boxes.borrow_mut().open.get_mut(&self.inbox.raw())?.messages.pop_front()
    }
}

impl<S> Drop for LocalInbox<S> {
    fn drop(&mut self) {
        let boxes = &mut *self.post.boxes.borrow_mut();
        if let Some(queue) = boxes.open.remove(&self.inbox.raw()) {
            boxes.closed.extend(queue.messages.iter().flat_map(|(_, message)| message.handles.iter()));
        }
    }
}

impl<S: Serve> RouteLink for LocalInbox<S> {
    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error> {
        self.way.send(&Notice::Route { nonce, interface, inbox: self.inbox }.to_message())
    }

    fn answer(&mut self, deadline: Deadline) -> Result<RouteAnswer, Error> {
        let (sender, message) = loop {
            match self.take() {
                Some(arrived) => break arrived,
                None if self.way.pass(deadline) => {}
                None => return Err(Error::TimedOut),
            }
        };
        match Notice::from_message(&message) {
            Ok(Notice::Routed { nonce, result }) if sender == self.from => Ok(RouteAnswer { nonce, result }),
            _ => {
                self.post.boxes.borrow_mut().closed.extend(message.handles.iter());
                Err(Error::Protocol)
            }
        }
    }

    fn drop_handle(&mut self, handle: Handle) {
        self.post.boxes.borrow_mut().closed.push(handle);
    }
}
