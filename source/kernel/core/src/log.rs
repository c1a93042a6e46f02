//! The console ring: everything that was printed, line by line, under the writer's prefix.

use crate::{lock::Lock, word::Word};

/// The ring. Has its own lock.
#[derive(Debug)]
pub struct Ring {
    words: &'static [Word],
    lock: Lock,
    /// Bytes ever written.
    end: Word,
}

impl Ring {
    /// An empty ring over zeroed words, a power of two of them.
    pub const fn new(words: &'static [Word]) -> Ring {
        Ring { words, lock: Lock::new(), end: Word::new(0) }
    }
}
