//! Endpoints: where calls and one-way messages meet a receiver.

use crate::{
    arena::{Header, Object},
    word::{Half, Word},
};
use nexus_abi::QosClass;

/// A list of threads by arena index, linked through their `next` and `previous`.
#[derive(Debug, Default)]
pub struct ThreadList {
    /// First; 0 if empty.
    pub head: Half,
    /// Last; 0 if empty.
    pub tail: Half,
}

/// An endpoint. Guarded by its shard.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Endpoint {
    /// Object header.
    pub header: Header,
    /// Threads that wait for a message, the latest first: its cache is warm.
    pub receivers: ThreadList,
    /// Callers that wait to be received, by class, the earliest first.
    pub callers: [ThreadList; QosClass::COUNT],
    /// Queued one-way messages, the earliest first.
    pub queue: [Half; 2],
    /// Message places without content.
    pub empty: Half,
    /// Places it was made with.
    pub places: Half,
    /// 1 if the last thing received was a one-way message: then a waiting call comes first.
    pub turn: Half,
}

/// One place for a queued one-way message; it belongs to one endpoint. Guarded by that endpoint's shard.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Message {
    /// Object header.
    pub header: Header,
    /// Its eight words.
    pub words: [Word; 8],
    /// Badge of the sender's capability.
    pub badge: Word,
    /// Sender's service id, process id, trace.
    pub stamp: [Word; 3],
    /// The handle that came with it, in the receiver's table; 0 is none.
    pub handle: Word,
    /// Next in the queue, or of the empty places.
    pub next: Half,
}

impl Object for Endpoint {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Object for Message {
    fn header(&self) -> &Header {
        &self.header
    }
}
