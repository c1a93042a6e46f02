//! What there is of everything: objects of each kind, and what each process has.

use alloc::vec::Vec;

use nexus_abi::syscall::{InfoObjects, InfoProcess, InfoUsage};
use nexus_abi::{Error, Handle, Kind, Name, ProcessId};
use nexus_rt::kernel::invoke;

/// What is counted beside the kinds.
const POOLS: [(&str, u32); 4] = [("frames", 0), ("slot blocks", 64), ("messages", 65), ("mappings", 66)];

/// All counts at one moment.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Census {
    objects: Vec<u64>,
    processes: Vec<Share>,
}

/// What one process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Share {
    id: ProcessId,
    name: Name,
    frames: u64,
    handles: u64,
    threads: u64,
}

/// A count that changed: of what, of whom, from, to.
pub(crate) type Change = (&'static str, Option<Name>, u64, u64);

impl Census {
    /// Room for a count, so that counting does not change what is counted.
    pub(crate) fn room() -> Census {
        Census { objects: Vec::with_capacity(32), processes: Vec::with_capacity(64) }
    }

    /// Counts everything.
    pub(crate) fn take(&mut self, info: Handle) -> Result<(), Error> {
        self.objects.clear();
        self.processes.clear();
        for number in numbers() {
            // Kinds without places of their own are counted as none.
            self.objects.push(invoke(InfoObjects { info, kind: number }).map_or(0, |found| found.used));
        }
        let mut index = 0;
        loop {
            let found = match invoke(InfoProcess { info, index }) {
                Ok(found) => found,
                Err(Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            };
            let usage = invoke(InfoUsage { info, index: found.id.number() })?;
            let (frames, handles, threads) = (usage.frames, usage.handles, usage.threads);
            self.processes.push(Share { id: found.id, name: found.name, frames, handles, threads });
            index = found.id.number() + 1;
        }
    }

    /// The first count in which another census differs.
    pub(crate) fn change(&self, later: &Census) -> Option<Change> {
        let named = |at: usize| POOLS.get(at).map_or_else(|| Kind::ALL[at - POOLS.len()].name(), |pool| pool.0);
        for (share, now) in self.processes.iter().zip(&later.processes) {
            let pairs = [
                ("processes", share.id.0, now.id.0),
                ("frames", share.frames, now.frames),
                ("handles", share.handles, now.handles),
                ("threads", share.threads, now.threads),
            ];
            if let Some(&(what, was, is)) = pairs.iter().find(|(_, was, is)| was != is) {
                return Some((what, Some(share.name), was, is));
            }
        }
        let (was, is) = (self.processes.len() as u64, later.processes.len() as u64);
        if was != is {
            return Some(("living processes", None, was, is));
        }
        let differs = self.objects.iter().zip(&later.objects).position(|(was, is)| was != is);
        differs.map(|at| (named(at), None, self.objects[at], later.objects[at]))
    }
}

fn numbers() -> impl Iterator<Item = u32> {
    POOLS.into_iter().map(|pool| pool.1).chain(Kind::ALL.iter().map(|&kind| kind as u32))
}
