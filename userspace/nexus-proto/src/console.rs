//! `console`: the keyboard and the screen, for the one session that holds them.
//!
//! The session (the shell) reads raw keys and writes raw bytes. While a program runs in front it lends both as a
//! `stream`; then Ctrl-C signals the session instead of being read. One client holds the session at a time; another
//! claim takes it over only when the holder is gone.

use nexus_abi::Handle;
use nexus_abi::message::MAX_INLINE;
use nexus_ipc::{Bytes, Moved, interface};

/// Bytes that one write to the console carries at most.
pub const CHUNK: usize = MAX_INLINE;
/// Bytes that one read of the console answers at most.
pub const KEYS: usize = 256;

interface! {
    /// Drives the console for its foreground session.
    "console" Console {
        /// Becomes the foreground session. Ctrl-C while lent signals `bits` to `events`. `EAGAIN`: another holds it.
        1 claim again { events: Handle, bits: u64 } -> Claimed {};
        /// Waits for keys and takes up to `most` of them. `EPERM`: not the session.
        2 read once { most: u32 } -> Keys { data: Bytes<KEYS> };
        /// Writes; answers how many bytes were taken. `EPERM`: not the session.
        3 write once { data: Bytes<CHUNK> } -> Written { length: u32 };
        /// Lends keys and screen as a `stream` until [`Console::retake`].
        4 lend once {} -> Lent { stream: Moved };
        /// Ends the loan: the lent stream is at its end, keys come to the session again.
        5 retake again {} -> Retaken {};
        /// Waits until all that was written before, lines of the system too, is sent. For everybody with a route.
        6 flush again {} -> Flushed {};
    }
}
