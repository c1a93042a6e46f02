//! One-way messages between programs and init: probes, routes, and what policy says to routes.
//!
//! They are plain eight-word messages with at most one handle, so that neither side ever waits for the other. A nonce
//! ties an answer to its question; whoever receives an answer with another nonce counts and drops it.

use nexus_abi::field::Field;
use nexus_abi::{Error, Handle, Name, ServiceId};

use crate::{Message, interface::tag};

/// The tag of kind 0; the kinds count from 1.
const FIRST: u64 = tag("notice", 0);

/// What policy lets somebody have of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leave {
    /// Which interface, by its place in the wiring.
    pub interface: u16,
    /// The permissions, as its owner numbers them.
    pub permits: u64,
}

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
    /// Init asks policy about a route that the manifest does not give.
    Decide {
        /// Comes back in [`Notice::Decided`].
        nonce: u64,
        /// Who asked for the route, by the kernel's record.
        subject: ServiceId,
        /// The name that it asked for.
        interface: Name,
    },
    /// Policy answers.
    Decided {
        /// The question's.
        nonce: u64,
        /// What it may have, or why nothing.
        result: Result<Leave, Error>,
    },
    /// Policy takes back what it gave.
    Pull {
        /// Comes back in [`Notice::Pulled`].
        nonce: u64,
        /// From whom.
        subject: ServiceId,
        /// The name under which it had it.
        interface: Name,
    },
    /// Init has: whatever came of that route is dead.
    Pulled {
        /// The request's.
        nonce: u64,
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
            Notice::Decide { nonce, .. } => (5, nonce, None),
            Notice::Decided { nonce, .. } => (6, nonce, None),
            Notice::Pull { nonce, .. } => (7, nonce, None),
            Notice::Pulled { nonce } => (8, nonce, None),
        };
        let mut message = Message::tagged(FIRST | number);
        message.words[1] = nonce;
        let put = &mut |at: usize, word: u64| message.words[at] = word;
        match self {
            Notice::Route { interface, .. } => interface.write(2, put),
            Notice::Routed { result: Err(error), .. } | Notice::Decided { result: Err(error), .. } => {
                put(2, error.number().into());
            }
            Notice::Decide { subject, interface, .. } | Notice::Pull { subject, interface, .. } => {
                interface.write(2, put);
                put(5, subject.0);
            }
            Notice::Decided { result: Ok(leave), .. } => {
                put(3, leave.interface.into());
                put(4, leave.permits);
            }
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
        let subject = ServiceId(message.words[5]);
        match (message.tag() as u16, handle) {
            (1, None) => Ok(Notice::Probe { nonce }),
            (2, None) => Ok(Notice::Up { nonce }),
            (3, Some(inbox)) => Ok(Notice::Route { nonce, interface: Name::read(message, 2)?, inbox }),
            (4, handle) => Ok(Notice::Routed { nonce, result: routed(message.words[2], handle)? }),
            (5, None) => Ok(Notice::Decide { nonce, interface: Name::read(message, 2)?, subject }),
            (6, None) => Ok(Notice::Decided { nonce, result: decided(message)? }),
            (7, None) => Ok(Notice::Pull { nonce, interface: Name::read(message, 2)?, subject }),
            (8, None) => Ok(Notice::Pulled { nonce }),
            (1..=8, _) => Err(Error::Invalid),
            _ => Err(Error::NoCall),
        }
    }
}

fn decided(message: &Message) -> Result<Result<Leave, Error>, Error> {
    match message.words[2] {
        0 => Ok(Ok(Leave { interface: u16::read(message, 3)?, permits: message.words[4] })),
        number => u16::try_from(number).ok().and_then(Error::from_number).map(Err).ok_or(Error::Invalid),
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
