//! A bounded ring of records in shared memory, from one writer to one reader.
//!
//! For one-way records that are longer than a message. Whoever grants the memory knows who writes, so the ring itself is
//! the identity; what lies in it is the writer's and may be anything at any time. The reader therefore copies before it
//! looks, keeps its own place, and skips what makes no sense. A full ring drops the new record and counts it.
//!
//! ```text
//! 0 head: bytes ever written    8 tail: bytes ever read    16 dropped: records    64… the bytes, as a ring
//! a record: one word with its length, then its bytes, padded to whole words
//! ```
//!
//! Head and tail are published and observed: who sees the head sees the record before it whole, and who sees the tail
//! may write where the reader has read.

use nexus_abi::Error;
use nexus_abi::layout::PAGE_SIZE;

/// Pages of a ring.
pub const PAGES: u64 = 1;
/// Bytes of records, with their lengths, that a ring holds.
pub const CAPACITY: usize = PAGE_SIZE - DATA;
/// Bytes of one record at most.
pub const MAX_RECORD: usize = 1024;

const HEAD: usize = 0;
const TAIL: usize = 8;
const DROPPED: usize = 16;
const DATA: usize = 64;
const WORD: u64 = 8;

/// Memory that two programs see. Offsets are inside [`PAGES`] pages; those of words are multiples of 8.
pub trait Shared {
    /// Loads a word.
    fn load(&self, at: usize) -> u64;
    /// Stores a word.
    fn store(&self, at: usize, word: u64);
    /// Stores a word after everything that was read and written before (release).
    fn publish(&self, at: usize, word: u64);
    /// Loads a word before everything that is read and written after (acquire).
    fn observe(&self, at: usize) -> u64;
    /// Copies bytes out.
    fn read(&self, at: usize, bytes: &mut [u8]);
    /// Copies bytes in.
    fn write(&self, at: usize, bytes: &[u8]);
}

/// The end that puts records in.
#[derive(Debug)]
pub struct Writer<M> {
    memory: M,
    head: u64,
}

impl<M: Shared> Writer<M> {
    /// Goes on where the ring's last writer stopped; where that makes no sense, at 0, where the reader will look next.
    pub fn over(memory: M) -> Writer<M> {
        let (head, tail) = (memory.load(HEAD), memory.load(TAIL));
        let sound = used(head, tail).is_some();
        let writer = Writer { memory, head: if sound { head } else { 0 } };
        writer.memory.store(HEAD, writer.head);
        writer
    }

    /// Puts a record in. `EAGAIN`: it does not fit now, and was counted as dropped. `ETOOLONG`: it never fits.
    pub fn put(&mut self, record: &[u8]) -> Result<(), Error> {
        if record.len() > MAX_RECORD {
            return Err(Error::TooLong);
        }
        let free = used(self.head, self.memory.observe(TAIL)).map_or(0, |used| CAPACITY as u64 - used);
        if extent(record.len() as u64) > free {
            let dropped = self.memory.load(DROPPED);
            self.memory.store(DROPPED, dropped.wrapping_add(1));
            return Err(Error::Again);
        }
        self.memory.store(offset(self.head), record.len() as u64);
        let (start, first) = (offset(self.head + WORD), record.len().min(PAGE_SIZE - offset(self.head + WORD)));
        self.memory.write(start, &record[..first]);
        self.memory.write(DATA, &record[first..]);
        self.head += extent(record.len() as u64);
        self.memory.publish(HEAD, self.head);
        Ok(())
    }
}

/// The end that takes records out.
#[derive(Debug)]
pub struct Reader<M> {
    memory: M,
    tail: u64,
    dropped: u64,
}

impl<M: Shared> Reader<M> {
    /// Goes on where the ring's last reader stopped; where that makes no sense, at the end.
    pub fn over(memory: M) -> Reader<M> {
        let (head, tail) = (memory.load(HEAD), memory.load(TAIL));
        let tail = if used(head, tail).is_some() { tail } else { whole(head) };
        Reader { memory, tail, dropped: 0 }
    }

    /// Copies the next record into `bytes`; none if there is none. `ECORRUPT`: what is there cannot be a record; the
    /// reader skipped to the end.
    pub fn next<'a>(&mut self, bytes: &'a mut [u8; MAX_RECORD]) -> Option<Result<&'a [u8], Error>> {
        let head = whole(self.memory.observe(HEAD));
        if head == self.tail {
            return None;
        }
        let record = self.copy(head, bytes);
        match record {
            Some(length) => self.tail += extent(length as u64),
            None => self.tail = head,
        }
        self.memory.publish(TAIL, self.tail);
        Some(record.map(|length| &bytes[..length]).ok_or(Error::Corrupt))
    }

    /// Records that the writer says it dropped since this was asked last; since the ring's beginning the first time.
    pub fn dropped(&mut self) -> u64 {
        let now = self.memory.load(DROPPED);
        now.wrapping_sub(core::mem::replace(&mut self.dropped, now))
    }

    /// The length is read once: the writer may change it at any time.
    fn copy(&self, head: u64, bytes: &mut [u8; MAX_RECORD]) -> Option<usize> {
        let there = used(head, self.tail)?;
        let length = self.memory.load(offset(self.tail));
        if length > MAX_RECORD as u64 || extent(length) > there {
            return None;
        }
        let length = length as usize;
        let start = offset(self.tail + WORD);
        let first = length.min(PAGE_SIZE - start);
        self.memory.read(start, &mut bytes[..first]);
        self.memory.read(DATA, &mut bytes[first..length]);
        Some(length)
    }
}

/// Bytes between tail and head; none if no ring can be like that.
fn used(head: u64, tail: u64) -> Option<u64> {
    let used = head.wrapping_sub(tail);
    let sound = used <= CAPACITY as u64 && head.is_multiple_of(WORD) && tail.is_multiple_of(WORD) && head >= tail;
    // A head so near the end of the numbers that it would wrap was never reached by writing.
    (sound && head < u64::MAX / 2).then_some(used)
}

/// Bytes that a record of this length takes.
fn extent(length: u64) -> u64 {
    WORD + length.next_multiple_of(WORD)
}

fn whole(position: u64) -> u64 {
    position - position % WORD
}

fn offset(position: u64) -> usize {
    DATA + (position % CAPACITY as u64) as usize
}

#[cfg(test)]
#[path = "ring_model_tests.rs"]
mod model;
#[cfg(test)]
#[path = "ring_tests.rs"]
mod tests;
