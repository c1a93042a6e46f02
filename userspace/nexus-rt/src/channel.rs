//! The kernel transport: calls through an endpoint capability.

use core::time::Duration;

use nexus_abi::message::{Extent, HEADER_BYTES, MAX_HANDLES, Status, WORDS};
use nexus_abi::syscall::{Close, ipc};
use nexus_abi::{Deadline, Error, Handle, Name};
use nexus_ipc::{Handles, Message, Transport};

use crate::sys::{Arrival, Departure};
use crate::{inbox, kernel::invoke, sys, time};

/// How long a call waits whose caller names no deadline.
const PATIENCE: Duration = Duration::from_secs(10);

/// A way to call a service. It does not own its handle.
#[derive(Clone, Copy, Debug)]
pub struct Channel {
    endpoint: Handle,
    /// What to ask init for when the server is gone.
    interface: Option<Name>,
    /// Ticks that a call waits whose caller names no deadline.
    patience: u64,
}

impl Channel {
    /// Through this endpoint.
    pub fn new(endpoint: Handle) -> Channel {
        Channel { endpoint, interface: None, patience: time::ticks_in(PATIENCE) }
    }

    /// To this interface, as [`inbox::find`] finds it: started with, routed before, or routed now. When the server is
    /// restarted the channel leads to the new one.
    pub fn to(interface: &str) -> Result<Channel, Error> {
        inbox::find(interface).map(|endpoint| Channel { interface: Name::new(interface), ..Channel::new(endpoint) })
    }

    /// As [`Channel::to`], but the way is found within this time or not at all.
    pub fn to_within(interface: &str, wait: Duration) -> Result<Channel, Error> {
        let found = inbox::find_within(interface, wait);
        found.map(|endpoint| Channel { interface: Name::new(interface), ..Channel::new(endpoint) })
    }

    /// With another patience; none: calls without a deadline wait for ever.
    pub fn patient(self, patience: Option<Duration>) -> Channel {
        Channel { patience: patience.map_or(u64::MAX, time::ticks_in), ..self }
    }

    /// The handle.
    pub fn endpoint(&self) -> Handle {
        self.endpoint
    }
}

impl Channel {
    /// Why an exchange has no words to show.
    #[cold]
    fn no_words(status: Status) -> Error {
        status.error().unwrap_or_else(|| {
            close_all(&arrived(&Arrival { status, ..Arrival::default() }));
            Error::Protocol
        })
    }

    #[inline(always)]
    fn depart(&self, words: [u64; WORDS], deadline: Deadline) -> Arrival {
        let number = if deadline == Deadline::NEVER { ipc::CALL } else { ipc::CALL_UNTIL };
        sys::message(&Departure { number, target: self.endpoint.raw(), deadline: deadline.0, extent: 0, words })
    }
}

impl Transport for Channel {
    fn call(&mut self, request: &Message, deadline: Deadline) -> Result<Message, Error> {
        let arrival = if request.is_plain() {
            self.depart(request.words, deadline)
        } else {
            sys::message(&Departure {
                number: ipc::CALL_EXTENDED,
                target: self.endpoint.raw(),
                deadline: deadline.0,
                extent: put_extent(request)?,
                words: request.words,
            })
        };
        match arrival.status.error() {
            None => Ok(arrived(&arrival)),
            Some(error) => Err(error),
        }
    }

    #[inline(always)]
    fn exchange(&mut self, words: [u64; WORDS], deadline: Deadline) -> Result<[u64; WORDS], Error> {
        let arrival = self.depart(words, deadline);
        if arrival.status == Status::OK { Ok(arrival.words) } else { Err(Channel::no_words(arrival.status)) }
    }

    fn send(&mut self, message: &Message) -> Result<(), Error> {
        send(self.endpoint, message)
    }

    #[inline(always)]
    fn patience(&self) -> Deadline {
        Deadline(sys::time().saturating_add(self.patience))
    }

    fn discard(&mut self, answer: &Message) {
        close_all(answer);
    }

    fn renew(&mut self, deadline: Deadline) -> Result<(), Error> {
        let interface = self.interface.ok_or(Error::PeerClosed)?;
        self.endpoint = inbox::renew(interface, self.endpoint, deadline)?;
        Ok(())
    }

    fn follows(&mut self) -> bool {
        let another = self.interface.and_then(inbox::routed).filter(|&handle| handle != self.endpoint);
        self.endpoint = another.unwrap_or(self.endpoint);
        another.is_some()
    }
}

/// Sends one-way. `EOVERLIMIT`: a payload, or more than one handle. `EAGAIN`: the queue is full.
pub fn send(endpoint: Handle, message: &Message) -> Result<(), Error> {
    if !message.payload.is_empty() || message.handles.len() > 1 {
        return Err(Error::OverLimit);
    }
    let handle = message.handles.get(0).map_or(0, Handle::raw);
    let out =
        Departure { number: ipc::SEND, target: endpoint.raw(), deadline: 0, extent: handle, words: message.words };
    sys::message(&out).status.error().map_or(Ok(()), Err)
}

/// Closes the handles of a message.
pub(crate) fn close_all(message: &Message) {
    for handle in message.handles.iter() {
        let _ = invoke(Close { handle });
    }
}

/// Puts payload and handles into the IPC page; answers the extent word, 0 for a plain message.
pub(crate) fn put_extent(message: &Message) -> Result<u64, Error> {
    if message.is_plain() {
        return Ok(0);
    }
    let extent = message.extent()?;
    for (at, handle) in message.handles.iter().enumerate() {
        sys::write_page(8 + 8 * at, &handle.raw().to_le_bytes());
    }
    sys::write_page(HEADER_BYTES, &message.payload);
    Ok(extent.to_word())
}

/// The message that a successful message call left in registers and IPC page.
pub(crate) fn arrived(arrival: &Arrival) -> Message {
    let mut message = Message { words: arrival.words, ..Message::default() };
    if arrival.status.has(Status::EXTENDED) {
        take_beside(&mut message);
    }
    message
}

/// Takes what the IPC page holds beside the words into a message that has nothing there.
pub(crate) fn take_beside(message: &mut Message) {
    let extent = Extent::from_word(page_word(0)).unwrap_or_default();
    message.payload.resize(extent.length, 0);
    sys::read_page(HEADER_BYTES, &mut message.payload);
    message.handles = handles(extent.handles);
}

fn handles(count: usize) -> Handles {
    let mut handles = Handles::default();
    for at in 0..count.min(MAX_HANDLES) {
        if let Some(handle) = Handle::from_raw(page_word(8 + 8 * at)) {
            handles.push(handle).expect("no more than the bound were pushed");
        }
    }
    handles
}

fn page_word(at: usize) -> u64 {
    let mut bytes = [0; 8];
    sys::read_page(at, &mut bytes);
    u64::from_le_bytes(bytes)
}
