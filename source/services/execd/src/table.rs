//! What runs, and how what ended did.
//!
//! A fixed number of places, each with a bit of the service's notification. A program that ended keeps its place until
//! somebody waited for it; when places run out, the one that ended first gives up its own.

use alloc::vec::Vec;

use launch::Launched;
use nexus_abi::{Error, Handle, Limits, Name, ProcessId, QosClass};
use nexus_ipc::Ticket;
use nexus_proto::exec::Ended;

/// Programs that run or ended and were not waited for. One bit of a notification each.
pub const MAX_RECORDS: usize = 64;
/// Callers that can wait for one program, and watchers of it.
pub const MAX_WAITERS: usize = 4;

/// How a program is, in the words of `process_status`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fate {
    pub(crate) kind: u64,
    pub(crate) detail: u64,
    pub(crate) pc: u64,
    pub(crate) address: u64,
}

/// A signal to give when a program ends.
#[derive(Debug)]
pub(crate) struct Watch {
    pub(crate) notification: Handle,
    pub(crate) bits: u64,
    /// Who asked for it.
    pub(crate) by: ProcessId,
}

/// One program.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: ProcessId,
    pub(crate) name: Name,
    /// The class that its manifest gives it.
    pub(crate) class: QosClass,
    /// The limits that it gives it.
    pub(crate) limits: Limits,
    pub(crate) starter: ProcessId,
    /// The process; closed once the fate is known.
    pub(crate) process: Handle,
    pub(crate) fate: Fate,
    pub(crate) waiters: Vec<Ticket<Ended>>,
    pub(crate) watches: Vec<Watch>,
    /// Which start of all; orders records by age.
    age: u64,
}

impl Record {
    pub(crate) fn new(
        launched: &Launched,
        name: Name,
        (class, limits): (QosClass, Limits),
        starter: ProcessId,
    ) -> Record {
        let Launched { process, id } = *launched;
        let (fate, waiters, watches) = (Fate::default(), Vec::new(), Vec::new());
        Record { id, name, class, limits, starter, process, fate, waiters, watches, age: 0 }
    }
}

/// All places.
#[derive(Debug)]
pub(crate) struct Table {
    places: [Option<Record>; MAX_RECORDS],
    starts: u64,
}

impl Default for Table {
    fn default() -> Table {
        Table { places: [const { None }; MAX_RECORDS], starts: 0 }
    }
}

impl Table {
    /// A free place, or that of the record that ended first. `EOVERLIMIT`: all run.
    pub(crate) fn room(&self) -> Result<usize, Error> {
        let free = self.places.iter().position(Option::is_none);
        let oldest_ended = || {
            let ended = self.records().filter(|(_, record)| !record.fate.is_running());
            ended.min_by_key(|(_, record)| record.age).map(|(place, _)| place)
        };
        free.or_else(oldest_ended).ok_or(Error::OverLimit)
    }

    /// Puts a record into its place.
    pub(crate) fn put(&mut self, place: usize, record: Record) {
        self.starts += 1;
        self.places[place] = Some(Record { age: self.starts, ..record });
    }

    pub(crate) fn remove(&mut self, place: usize) {
        self.places[place] = None;
    }

    pub(crate) fn get(&self, place: usize) -> Option<&Record> {
        self.places.get(place)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: usize) -> Option<&mut Record> {
        self.places.get_mut(place)?.as_mut()
    }

    pub(crate) fn find(&self, process: ProcessId) -> Option<usize> {
        self.records().find(|(_, record)| record.id == process).map(|(place, _)| place)
    }

    /// A program that another one started: its place and its process.
    pub(crate) fn started_by(&self, starter: ProcessId) -> Option<(usize, Handle)> {
        let found = self.records().find(|(_, record)| record.starter == starter);
        found.map(|(place, record)| (place, record.process))
    }

    /// The first record at or after a place.
    pub(crate) fn at_or_after(&self, place: usize) -> Option<(usize, &Record)> {
        self.records().find(|&(at, _)| at >= place)
    }

    fn records(&self) -> impl Iterator<Item = (usize, &Record)> {
        self.places.iter().enumerate().filter_map(|(place, record)| Some((place, record.as_ref()?)))
    }
}
