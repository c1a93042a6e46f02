//! Messages: eight words, some bytes, some handles.
//!
//! Word 0 says what the message is: of a request the method's tag, of an answer 0 or an error number. A message of
//! words alone allocates nothing and travels in registers; bytes and handles go through the IPC page.

use alloc::vec::Vec;

use nexus_abi::field::Words;
use nexus_abi::message::{Extent, MAX_HANDLES, MAX_INLINE, Passing, WORDS};
use nexus_abi::{Error, Handle};

/// One message, on its way or arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Word 0 is the tag or the status.
    pub words: [u64; WORDS],
    /// At most [`MAX_INLINE`] bytes.
    pub payload: Vec<u8>,
    /// Handles: of the sender until sent, of the receiver once arrived.
    pub handles: Handles,
    /// What sending does to the sender's handles.
    pub passing: Passing,
}

impl Message {
    /// A message of one word.
    pub fn tagged(tag: u64) -> Message {
        let mut message = Message::default();
        message.words[0] = tag;
        message
    }

    /// Leaves words alone, and what was beside them is gone; the room for bytes stays.
    #[inline(always)]
    pub fn strip(&mut self) {
        self.payload.clear();
        if !self.handles.is_empty() {
            self.handles = Handles::default();
        }
        self.passing = Passing::Lend;
    }

    /// The answer that refuses a request.
    pub fn refusal(error: Error) -> Message {
        Message::tagged(error.number().into())
    }

    /// Word 0.
    pub fn tag(&self) -> u64 {
        self.words[0]
    }

    /// True if words alone say it all.
    pub fn is_plain(&self) -> bool {
        self.payload.is_empty() && self.handles.is_empty()
    }

    /// What goes beside the words; `EOVERLIMIT` if the payload is longer than a message can be.
    pub fn extent(&self) -> Result<Extent, Error> {
        if self.payload.len() > MAX_INLINE {
            return Err(Error::OverLimit);
        }
        Ok(Extent { length: self.payload.len(), handles: self.handles.len(), passing: self.passing })
    }

    /// Of an answer: whether it is one, or why the request was refused. A number that no error has is `EPROTO`.
    pub fn accepted(&self) -> Result<(), Error> {
        match self.tag() {
            0 => Ok(()),
            word => Err(refused(word)),
        }
    }
}

/// What a word 0 that is not 0 says of an answer.
#[cold]
pub(crate) fn refused(word: u64) -> Error {
    u16::try_from(word).ok().and_then(Error::from_number).unwrap_or(Error::Protocol)
}

impl Words for Message {
    fn word(&self, at: usize) -> u64 {
        self.words.word(at)
    }
}

/// At most [`MAX_HANDLES`] handles, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handles {
    count: usize,
    list: [Option<Handle>; MAX_HANDLES],
}

impl Handles {
    /// Appends one; `EOVERLIMIT` if it is one too many.
    pub fn push(&mut self, handle: Handle) -> Result<(), Error> {
        *self.list.get_mut(self.count).ok_or(Error::OverLimit)? = Some(handle);
        self.count += 1;
        Ok(())
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.count
    }

    /// True if there is none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The one at this place.
    pub fn get(&self, at: usize) -> Option<Handle> {
        self.list.get(at).copied().flatten()
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = Handle> + use<> {
        self.list.into_iter().flatten()
    }
}
