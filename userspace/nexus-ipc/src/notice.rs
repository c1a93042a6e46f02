//! One-way messages between programs and init: probes and routes.
//!
//! They are plain eight-word messages with at most one handle, so that neither side ever waits for the other. A nonce
//! ties an answer to its question; whoever receives an answer with another nonce counts and drops it.

use nexus_abi::field::Field;
use nexus_abi::{Error, Handle, Name};

use crate::{Message, interface::tag};

/// The tag of kind 0; the kinds count from 1.
const FIRST: u64 = tag("notice", 0);

/// A one-way message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Init asks a service whether its loop runs.
    Probe {
        /// Comes back in [`Notice::Up`].
        nonce: u64,
    },
    /// A service's loop answers a probe.
    Up {
        /// The probe's.
        nonce: u64,
    },
    /// A program asks init for a handle by interface name.
    Route {
        /// Comes back in [`Notice::Routed`].
        nonce: u64,
        /// The interface.
        interface: Name,
        /// The inbox for the answer.
        inbox: Handle,
    },
    /// Init answers a route.
    Routed {
        /// The question's.
        nonce: u64,
        /// The handle, or why there is none.
        result: Result<Handle, Error>,
    },
}

impl Notice {
    /// The message to send.
    pub fn to_message(self) -> Message {
        let (number, nonce, handle) = match self {
            Notice::Probe { nonce } => (1, nonce, None),
            Notice::Up { nonce } => (2, nonce, None),
            Notice::Route { nonce, inbox, .. } => (3, nonce, Some(inbox)),
            Notice::Routed { nonce, result } => (4, nonce, result.ok()),
        };
        let mut message = Message::tagged(FIRST | number);
        message.words[1] = nonce;
        match self {
            Notice::Route { interface, .. } => interface.write(2, &mut |at, word| message.words[at] = word),
            Notice::Routed { result: Err(error), .. } => message.words[2] = error.number().into(),
            _ => {}
        }
        if let Some(handle) = handle {
            message.handles.push(handle).expect("the first of seven");
        }
        message
    }

    /// The notice in a message. `ENOSYS`: it is none. `EINVAL`: it is malformed. Handles stay the caller's either way.
    pub fn from_message(message: &Message) -> Result<Notice, Error> {
        if !crate::interface::owns(FIRST, message.tag()) {
            return Err(Error::NoCall);
        }
        let (nonce, handle) = (message.words[1], message.handles.get(0));
        if message.handles.len() > 1 || !message.payload.is_empty() {
            return Err(Error::Invalid);
        }
        match (message.tag() as u16, handle) {
            (1, None) => Ok(Notice::Probe { nonce }),
            (2, None) => Ok(Notice::Up { nonce }),
            (3, Some(inbox)) => Ok(Notice::Route { nonce, interface: Name::read(message, 2)?, inbox }),
            (4, handle) => Ok(Notice::Routed { nonce, result: routed(message.words[2], handle)? }),
            (1..=3, _) => Err(Error::Invalid),
            _ => Err(Error::NoCall),
        }
    }
}

fn routed(status: u64, handle: Option<Handle>) -> Result<Result<Handle, Error>, Error> {
    match (status, handle) {
        (0, Some(handle)) => Ok(Ok(handle)),
        (0, None) => Err(Error::Invalid),
        (number, None) => u16::try_from(number).ok().and_then(Error::from_number).map(Err).ok_or(Error::Invalid),
        (_, Some(_)) => Err(Error::Invalid),
    }
}
