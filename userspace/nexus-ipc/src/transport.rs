//! The client's side of a conversation.
//!
//! A [`Stub`] pairs a transport with the deadline of its calls; the typed clients that [`interface!`](crate::interface!)
//! generates are thin over it. When a server was restarted the stub asks its transport for the way to the new one, once;
//! a method that its declaration calls repeatable is then asked again, any other returns `EPEERCLOSED`, since nobody
//! knows whether the dead server did it.

use nexus_abi::{Deadline, Error};

use crate::Message;
use crate::interface::Repeat;

/// Carries one request to a server and its answer back.
pub trait Transport {
    /// Sends `request` and waits for the answer until `deadline`. An error here is the transport's: what the service
    /// itself refused is an answer.
    fn call(&mut self, request: &Message, deadline: Deadline) -> Result<Message, Error>;

    /// Sends one-way: eight words and at most one handle.
    fn send(&mut self, message: &Message) -> Result<(), Error>;

    /// When a call that starts now should end if its caller names no deadline.
    fn patience(&self) -> Deadline;

    /// Closes handles that came with an answer nobody could read.
    fn discard(&mut self, answer: &Message);

    /// The server is gone: finds its successor until `deadline`. `EPEERCLOSED`: this transport knows no way to it.
    fn renew(&mut self, _deadline: Deadline) -> Result<(), Error> {
        Err(Error::PeerClosed)
    }
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn call(&mut self, request: &Message, deadline: Deadline) -> Result<Message, Error> {
        (**self).call(request, deadline)
    }

    fn send(&mut self, message: &Message) -> Result<(), Error> {
        (**self).send(message)
    }

    fn patience(&self) -> Deadline {
        (**self).patience()
    }

    fn discard(&mut self, answer: &Message) {
        (**self).discard(answer);
    }

    fn renew(&mut self, deadline: Deadline) -> Result<(), Error> {
        (**self).renew(deadline)
    }
}

/// What every typed client is made of.
#[derive(Clone, Debug)]
pub struct Stub<T> {
    transport: T,
    until: Option<Deadline>,
}

impl<T: Transport> Stub<T> {
    /// A stub over this transport.
    pub fn new(transport: T) -> Stub<T> {
        Stub { transport, until: None }
    }

    /// Sets the deadline of the next call only.
    pub fn until(&mut self, deadline: Deadline) {
        self.until = Some(deadline);
    }

    /// The transport.
    pub fn transport(&mut self) -> &mut T {
        &mut self.transport
    }

    /// Calls and reads the answer with `read`, which sees accepted answers only. An answer that cannot be read is
    /// `EPROTO`: the peer broke its interface.
    pub fn call<R>(
        &mut self,
        request: &Message,
        repeat: Repeat,
        read: impl FnOnce(&Message) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let deadline = self.until.take().unwrap_or_else(|| self.transport.patience());
        let answer = match self.transport.call(request, deadline) {
            Err(Error::PeerClosed) => {
                let renewed = self.transport.renew(deadline);
                match repeat {
                    Repeat::Again => renewed.and_then(|()| self.transport.call(request, deadline)),
                    Repeat::Once => Err(Error::PeerClosed),
                }
            }
            other => other,
        }?;
        let result = answer.accepted().and_then(|()| read(&answer).map_err(|_| Error::Protocol));
        if result.is_err() {
            self.transport.discard(&answer);
        }
        result
    }
}
