//! The client's side of a conversation.
//!
//! A [`Stub`] pairs a transport with the deadline of its calls; the typed clients that [`interface!`](crate::interface!)
//! generates are thin over it. When a server was restarted the stub asks its transport for the way to the new one, once;
//! a method that its declaration calls repeatable is then asked again, any other returns `EPEERCLOSED`, since nobody
//! knows whether the dead server did it.

use nexus_abi::message::WORDS;
use nexus_abi::{Deadline, Error};

use crate::interface::Repeat;
use crate::wire::Reader;
use crate::{Message, message};

/// Carries one request to a server and its answer back.
pub trait Transport {
    /// Sends `request` and waits for the answer until `deadline`. An error here is the transport's: what the service
    /// itself refused is an answer.
    fn call(&mut self, request: &Message, deadline: Deadline) -> Result<Message, Error>;

    /// [`Transport::call`] of words alone, to be answered likewise: anything beside the answer's words is `EPROTO`.
    #[inline]
    fn exchange(&mut self, words: [u64; WORDS], deadline: Deadline) -> Result<[u64; WORDS], Error> {
        let answer = self.call(&Message { words, ..Message::default() }, deadline)?;
        if !answer.is_plain() {
            self.discard(&answer);
            return Err(Error::Protocol);
        }
        Ok(answer.words)
    }

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

    /// The handle means nothing any more, since another client of this program found the server's successor: takes that
    /// one's way. False: there is none.
    fn follows(&mut self) -> bool {
        false
    }
}

impl<T: Transport + ?Sized> Transport for &mut T {
    fn call(&mut self, request: &Message, deadline: Deadline) -> Result<Message, Error> {
        (**self).call(request, deadline)
    }

    fn exchange(&mut self, words: [u64; WORDS], deadline: Deadline) -> Result<[u64; WORDS], Error> {
        (**self).exchange(words, deadline)
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

    fn follows(&mut self) -> bool {
        (**self).follows()
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
        let deadline = self.deadline();
        let answer = match self.transport.call(request, deadline) {
            Err(error) => self.again(request, error, repeat, deadline),
            answer => answer,
        }?;
        self.finish(&answer, read)
    }

    /// [`Stub::call`] of words alone: nothing is built in memory unless something unusual happens.
    #[inline(always)]
    pub fn exchange<R>(
        &mut self,
        request: [u64; WORDS],
        repeat: Repeat,
        read: impl FnOnce(Reader<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let deadline = self.deadline();
        match self.transport.exchange(request, deadline) {
            Ok(answer) if answer[0] == 0 => read(Reader::plain(&answer)).map_err(|_| Error::Protocol),
            Ok(answer) => Err(message::refused(answer[0])),
            Err(error) => {
                let request = Message { words: request, ..Message::default() };
                let answer = self.again(&request, error, repeat, deadline)?;
                self.finish(&answer, |answer| read(Reader::new(answer)))
            }
        }
    }

    /// A call that ended with an error, made once more if that can help and may be.
    #[cold]
    fn again(&mut self, request: &Message, error: Error, repeat: Repeat, deadline: Deadline) -> Result<Message, Error> {
        match error {
            Error::PeerClosed => {
                let renewed = self.transport.renew(deadline);
                match repeat {
                    Repeat::Again => renewed?,
                    Repeat::Once => return Err(Error::PeerClosed),
                }
            }
            // Nothing was sent.
            Error::BadHandle if self.transport.follows() => {}
            other => return Err(other),
        }
        self.transport.call(request, deadline)
    }

    fn finish<R>(&mut self, answer: &Message, read: impl FnOnce(&Message) -> Result<R, Error>) -> Result<R, Error> {
        let result = answer.accepted().and_then(|()| read(answer).map_err(|_| Error::Protocol));
        if result.is_err() {
            self.transport.discard(answer);
        }
        result
    }

    #[inline(always)]
    fn deadline(&mut self) -> Deadline {
        self.until.take().unwrap_or_else(|| self.transport.patience())
    }
}
