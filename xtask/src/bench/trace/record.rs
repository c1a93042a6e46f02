//! From executed addresses to what matters: entries and exits, locks, looks at pending interrupts, and counts between them.

use super::code::{Code, Does};
use std::collections::BTreeSet;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A trap from user mode: interrupts are off from here on.
    Enter,
    /// A swap that may take a lock.
    Acquire,
    /// A swap that may give one back.
    Release,
    /// A look at pending interrupts: what is pending is served next.
    Look,
    /// A sleep that a pending interrupt ends.
    Sleep,
    /// Back to user mode.
    Leave,
}

/// Something that happened, and after how many instructions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) mark: Mark,
    pub(super) address: u64,
    pub(super) at: u64,
}

/// What the instructions from one entry to the next exit did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bench) struct Counts {
    pub(in crate::bench) instructions: u64,
    pub(in crate::bench) loads: u64,
    pub(in crate::bench) stores: u64,
    pub(in crate::bench) atomics: u64,
    pub(in crate::bench) registers: u64,
    pub(in crate::bench) satp: u64,
    pub(in crate::bench) fences: u64,
}

/// How a message went, the longer way last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::bench) enum Way {
    /// Its words stayed in their registers.
    #[default]
    Straight,
    /// Without a save of what the call does not keep.
    Detour,
    /// With everything saved.
    General,
}

/// One visit to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Visit {
    pub(super) counts: Counts,
    /// Its instructions, if one of its length is wanted.
    pub(super) path: Vec<u64>,
    /// If it was a message's.
    pub(super) way: Way,
}

impl Visit {
    /// As it is remembered.
    fn kept(mut self, wanted: &BTreeSet<u64>) -> Visit {
        if !wanted.contains(&self.counts.instructions) {
            self.path = Vec::new();
        }
        self
    }
}

/// Functions by which a way is known.
const WAYS: [(&str, Way); 3] =
    [("call_detour", Way::Detour), ("reply_recv_detour", Way::Detour), ("call_taken", Way::General)];

/// Takes addresses in the order of execution.
pub(super) struct Recorder {
    start: u64,
    doings: Vec<Does>,
    entries: Vec<u64>,
    ways: Vec<(u64, Way)>,
    /// Lengths of visits whose instructions are kept.
    wanted: BTreeSet<u64>,
    now: u64,
    visit: Option<Visit>,
    /// Instructions before the first exit: the boot's.
    pub(super) boot: Option<u64>,
    pub(super) events: Vec<Event>,
    pub(super) visits: Vec<Visit>,
}

impl Recorder {
    /// For this kernel, to keep the instructions of visits of the wanted lengths; `None`: it lacks a symbol.
    pub(super) fn of(code: &Code, wanted: BTreeSet<u64>) -> Option<Recorder> {
        let entries = ["trap_entry", "trap_entry_undirected"].map(|name| code.place(name));
        let [first, second] = entries;
        Some(Recorder {
            start: code.start,
            doings: code.doings(),
            entries: vec![first?, second?],
            ways: WAYS.iter().map(|(name, way)| Some((code.place(name)?, *way))).collect::<Option<_>>()?,
            wanted,
            now: 0,
            visit: None,
            boot: None,
            events: Vec::new(),
            visits: Vec::new(),
        })
    }

    /// The next instruction. The firmware's lie outside the kernel; they only count.
    pub(super) fn step(&mut self, address: u64) {
        let place = address.wrapping_sub(self.start) / 2;
        let does = usize::try_from(place).ok().and_then(|place| self.doings.get(place)).copied();
        if self.boot.is_none() {
            self.now += 1;
            if does == Some(Does::Leave) {
                self.boot = Some(self.now);
            }
            return;
        }
        if self.entries.contains(&address) {
            self.mark(Mark::Enter, address);
            self.visit = Some(Visit::default());
        }
        self.now += 1;
        if let Some(visit) = &mut self.visit {
            let way = self.ways.iter().find(|(place, _)| *place == address);
            visit.way = way.map_or(visit.way, |(_, way)| visit.way.max(*way));
            count(&mut visit.counts, does.unwrap_or(Does::Other));
            if self.wanted.last().is_some_and(|longest| (visit.path.len() as u64) < *longest) {
                visit.path.push(address);
            }
        }
        match does {
            Some(Does::Acquire { .. }) => self.mark(Mark::Acquire, address),
            Some(Does::Release { .. }) => self.mark(Mark::Release, address),
            Some(Does::Look) => self.mark(Mark::Look, address),
            Some(Does::Sleep) => self.mark(Mark::Sleep, address),
            Some(Does::Leave) => {
                self.mark(Mark::Leave, address);
                self.visits.extend(self.visit.take().map(|visit| visit.kept(&self.wanted)));
            }
            _ => {}
        }
    }

    fn mark(&mut self, mark: Mark, address: u64) {
        self.events.push(Event { mark, address, at: self.now });
    }
}

fn count(counts: &mut Counts, does: Does) {
    counts.instructions += 1;
    let place = match does {
        Does::Load => &mut counts.loads,
        Does::Store => &mut counts.stores,
        Does::Acquire { .. } | Does::Release { .. } | Does::Atomic => &mut counts.atomics,
        Does::Look | Does::Register => &mut counts.registers,
        Does::Satp => {
            counts.satp += 1;
            &mut counts.registers
        }
        Does::Fence => &mut counts.fences,
        Does::Sleep | Does::Leave | Does::Other => return,
    };
    *place += 1;
}
