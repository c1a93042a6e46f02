//! `stream`: bytes in order, from one end to the other.

use nexus_abi::message::MAX_INLINE;
use nexus_ipc::{Bytes, interface};

/// Bytes that one read or write of a stream carries at most.
pub const CHUNK: usize = MAX_INLINE;

/// Word 0 of a `write`, for a program that has to write without its client: word 1 is the length of the payload.
pub const WRITE: u64 = nexus_ipc::interface::tag(NAME, 2);

interface! {
    /// One end of a stream of bytes.
    "stream" Stream {
        /// Waits for bytes and takes up to `most` of them, at least one. None: the end.
        1 read once { most: u32 } -> Chunk { data: Bytes<CHUNK> };
        /// Puts bytes; answers how many were taken, at least one. `EPEERCLOSED`: nobody reads any more.
        2 write once { data: Bytes<CHUNK> } -> Written { length: u32 };
        /// Nothing more will be written. Reads of the other end see the end.
        3 close again {} -> Closed {};
    }
}
