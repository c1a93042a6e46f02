//! What is kept: the last records of each level, so that chatter pushes out chatter and never an error.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use nexus_abi::{ProcessId, ServiceId};
use nexus_proto::logs::ANYBODY;
use nexus_proto::record::Level;

/// Records of one level that are kept at most.
pub const LEVEL_RECORDS: usize = 256;
/// Bytes of one level's records that are kept at most.
pub const LEVEL_BYTES: usize = 16 * 1024;

/// A record that was kept.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// Its number, one more than that of the record before it.
    pub(crate) sequence: u64,
    /// When it came, in ticks.
    pub(crate) at: u64,
    /// Whose it is; a process of 0 wrote it through its ring.
    pub(crate) from: (ServiceId, ProcessId),
    pub(crate) bytes: Box<[u8]>,
}

#[derive(Debug, Default)]
struct Shelf {
    records: VecDeque<Kept>,
    bytes: usize,
}

/// All levels.
#[derive(Debug, Default)]
pub(crate) struct Shelves {
    shelves: [Shelf; Level::ALL.len()],
    last: u64,
}

impl Shelf {
    fn put(&mut self, kept: Kept) {
        self.bytes += kept.bytes.len();
        self.records.push_back(kept);
        while self.records.len() > LEVEL_RECORDS || self.bytes > LEVEL_BYTES {
            self.bytes -= self.records.pop_front().map_or(0, |oldest| oldest.bytes.len());
        }
    }

    fn next(&self, after: u64, sender: ServiceId) -> Option<&Kept> {
        let first = self.records.partition_point(|kept| kept.sequence <= after);
        self.records.range(first..).find(|kept| is_of(kept, sender))
    }
}

impl Shelves {
    /// Keeps a record; its number. The oldest ones of its level make room.
    pub(crate) fn put(&mut self, level: Level, at: u64, from: (ServiceId, ProcessId), bytes: &[u8]) -> u64 {
        self.last += 1;
        self.shelves[index(level)].put(Kept { sequence: self.last, at, from, bytes: bytes.into() });
        self.last
    }

    /// The number of the last record.
    pub(crate) fn last(&self) -> u64 {
        self.last
    }

    /// The first record behind a number, of a level that matters as much as `level` at least.
    pub(crate) fn next(&self, after: u64, level: Level, sender: ServiceId) -> Option<&Kept> {
        let shelves = self.shelves[..=index(level)].iter();
        shelves.filter_map(|shelf| shelf.next(after, sender)).min_by_key(|kept| kept.sequence)
    }

    /// The number behind which the last `count` such records stand.
    pub(crate) fn tail(&self, count: u32, level: Level, sender: ServiceId) -> u64 {
        let mut after = self.last;
        for _ in 0..count {
            let shelves = self.shelves[..=index(level)].iter();
            let before = |shelf: &Shelf| {
                let end = shelf.records.partition_point(|kept| kept.sequence <= after);
                let last = shelf.records.range(..end).rev().find(|kept| is_of(kept, sender));
                last.map(|kept| kept.sequence)
            };
            match shelves.filter_map(before).max() {
                Some(sequence) => after = sequence - 1,
                None => break,
            }
        }
        after
    }
}

fn is_of(kept: &Kept, sender: ServiceId) -> bool {
    sender == ANYBODY || kept.from.0 == sender
}

fn index(level: Level) -> usize {
    level as usize - 1
}
