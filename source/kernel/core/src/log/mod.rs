//! The console ring: everything that was printed, line by line, under the writer's prefix.
//!
//! A line is put in whole under the ring's own lock, so lines of several writers never mix. Only printable ASCII goes
//! in as it is; every other byte, a line feed inside a text too, becomes `\xNN`. So what follows a line feed in the ring
//! is always a prefix that the kernel wrote, and no text can look like another's line.
//!
//! Readers bring a cursor, a count of bytes since boot. The ring keeps the last bytes; whoever comes too late goes on at the
//! beginning of a line, since the rest of one could look like another's, and is told how many bytes were lost. Until somebody claims the console, and after the claimer is gone, the machine layer drains the
//! ring to its UART ([`Ring::drain`]).

pub mod calls;
#[cfg(test)]
mod log_tests;

use crate::lock::{Lock, LockGuard};
use crate::word::{Bytes, Half, Word};
use crate::{spell, text::Hex};
use nexus_abi::syscall::LogChunk;

/// Bytes that [`Ring::drain`] emits without letting go of the lock.
const DRAIN_BATCH: u64 = 64;

/// The ring. Guarded by its own lock, which is taken after any other but the frame pool's.
#[derive(Debug, Default)]
pub struct Ring {
    pub(crate) bytes: Bytes,
    pub(crate) lock: Lock,
    /// Bytes ever written.
    end: Word,
    /// Up to where they reached the console, by the kernel or by the claimer.
    pub(crate) drained: Word,
    /// Reference of the process that drives the console; 0: the kernel does. Read without the lock by who drains.
    pub(crate) claimer: Word,
    /// Reference of the notification that new bytes signal.
    pub(crate) notification: Word,
    /// Bits they OR in.
    pub(crate) bits: Word,
    /// 1 while the claimer is to be told of new bytes.
    pub(crate) news: Half,
}

impl Ring {
    /// An empty ring over zeroed words, a power of two of them.
    pub fn new(words: &'static [Word]) -> Ring {
        Ring { bytes: Bytes(words), ..Ring::default() }
    }

    /// Begins a line; it ends when the answer is dropped.
    pub fn line(&self) -> Line<'_> {
        Line { ring: self, _held: self.lock.hold() }
    }

    /// Emits what did not reach the console yet, unless a driver has claimed it. The machine layer calls it after every event,
    /// and before it sleeps.
    pub fn drain(&self, sink: &mut impl FnMut(u8)) {
        while self.claimer.get() == 0 && self.drained.get() != self.end.get() {
            self.emit(sink);
        }
    }

    /// Emits the next bytes.
    #[cold]
    fn emit(&self, sink: &mut impl FnMut(u8)) {
        let _held = self.lock.hold();
        let start = self.oldest(self.drained.get());
        let end = self.end.get().min(start + DRAIN_BATCH);
        (start..end).for_each(|at| sink(self.byte(at)));
        self.drained.set(end);
    }

    /// Emits the last `bytes` bytes, from the beginning of a line, without taking the lock: for a panic, whose own CPU
    /// may hold it.
    pub fn tail(&self, bytes: u64, sink: &mut impl FnMut(u8)) {
        let end = self.end.get();
        let start = self.oldest(end.saturating_sub(bytes));
        let line = (start..end).find(|&at| at == 0 || self.byte(at - 1) == b'\n').unwrap_or(start);
        (line..end).for_each(|at| sink(self.byte(at)));
    }

    /// Copies up to `room` bytes from `cursor` on through `put(index, byte)`; `None` if nothing was written there yet.
    pub fn read(&self, cursor: u64, room: usize, mut put: impl FnMut(usize, u8)) -> Option<LogChunk> {
        let _held = self.lock.hold();
        let end = self.end.get();
        if cursor > end {
            return None;
        }
        let start = self.oldest(cursor);
        let length = (end - start).min(room as u64);
        (0..length).for_each(|at| put(at as usize, self.byte(start + at)));
        Some(LogChunk { cursor: start + length, length: length as u32, lost: start - cursor })
    }

    /// Bytes that the ring keeps.
    fn size(&self) -> u64 {
        self.bytes.0.len() as u64 * 8
    }

    /// `cursor`, or, where that was overwritten, the first line that is still there as a whole.
    fn oldest(&self, cursor: u64) -> u64 {
        let end = self.end.get();
        let kept = end.saturating_sub(self.size());
        if cursor >= kept {
            return cursor;
        }
        (kept..end).find(|&at| self.byte(at) == b'\n').map_or(end, |at| at + 1)
    }

    fn place(&self, at: u64) -> usize {
        (at & self.size().wrapping_sub(1)) as usize
    }

    fn byte(&self, at: u64) -> u8 {
        self.bytes.get(self.place(at))
    }

    fn push(&self, byte: u8) {
        let at = self.end.get();
        self.bytes.put(self.place(at), byte);
        self.end.set(at + 1);
    }
}

/// A line that is being written. Holds the ring.
pub struct Line<'a> {
    ring: &'a Ring,
    _held: LockGuard<'a>,
}

impl Line<'_> {
    /// Adds one byte of text.
    pub fn put(&self, byte: u8) {
        match byte {
            b' '..=b'~' => self.ring.push(byte),
            _ => spell!(|byte| self.ring.push(byte), b'\\', b'x', Hex(byte.into(), 2)),
        }
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        self.ring.push(b'\n');
        self.ring.news.set(1);
    }
}
