//! From events to spans: who had which CPU from when to when, and what happened on the way.

use super::ring::{Event, Recording, What, Who};
use nexus_abi::QosClass;
use std::collections::BTreeMap;

/// Nanoseconds of a tick: the emulator's `time` counts 10,000,000 a second.
pub(super) const TICK_NS: u64 = 100;

/// A thread had a CPU.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) row: usize,
    pub(super) class: QosClass,
    /// Nanoseconds since the recording began.
    pub(super) from: u64,
    pub(super) to: u64,
}

/// Something happened at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// The thread of this row became ready.
    Wake(usize),
    /// A message went from one row to another.
    Message(usize, usize),
    /// The timer interrupted.
    Timer,
}

/// What happened on one CPU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Lane {
    pub(super) spans: Vec<Span>,
    pub(super) marks: Vec<(u64, Mark)>,
}

/// A recording as people look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Timeline {
    /// A name a thread, in the order in which they were seen.
    pub(super) rows: Vec<String>,
    pub(super) lanes: Vec<Lane>,
    /// Nanoseconds.
    pub(super) length: u64,
}

/// The rows of the threads seen so far.
struct Rows<'a> {
    names: &'a BTreeMap<u64, String>,
    places: BTreeMap<(u64, u64), usize>,
    rows: Vec<String>,
}

impl Rows<'_> {
    fn row(&mut self, who: Who) -> usize {
        let (names, rows) = (self.names, &mut self.rows);
        *self.places.entry((who.service, who.thread)).or_insert_with(|| {
            let name = names.get(&who.service).cloned().unwrap_or_else(|| format!("{:012x}", who.service));
            let twin = rows.iter().any(|row| row.split(" #").next() == Some(&name));
            rows.push(if twin { format!("{name} #{}", who.thread) } else { name });
            rows.len() - 1
        })
    }
}

impl Timeline {
    /// Of a recording, as far as services work in it; in words why not where it cannot be one.
    pub(super) fn new(recording: &Recording, names: &BTreeMap<u64, String>) -> Result<Timeline, String> {
        let (first, last) = window(recording, names).ok_or("nothing was recorded of a service")?;
        let mut rows = Rows { names, places: BTreeMap::new(), rows: Vec::new() };
        let lanes =
            recording.cpus.iter().map(|events| lane(events, &mut rows, (first, last))).collect::<Result<_, _>>()?;
        Ok(Timeline { rows: rows.rows, lanes, length: (last - first) * TICK_NS })
    }

    /// Why this is not what a line of the shell comes to: several programs ran, one at a time on a CPU, woken and called.
    pub(super) fn judge(&self) -> Result<(), String> {
        let marks = || self.lanes.iter().flat_map(|lane| &lane.marks);
        let overlap = |lane: &Lane| lane.spans.windows(2).any(|pair| pair[1].from < pair[0].to);
        let missing = [
            ("runs of two programs", self.rows.len() > 1),
            ("a wake-up", marks().any(|(_, mark)| matches!(mark, Mark::Wake(_)))),
            ("a message", marks().any(|(_, mark)| matches!(mark, Mark::Message(..)))),
            ("one thread at a time", !self.lanes.iter().any(overlap)),
        ];
        match missing.into_iter().find(|(_, there)| !there) {
            Some((what, _)) => Err(format!("the recording lacks {what}")),
            None => Ok(()),
        }
    }

    /// One line of what there is.
    pub(super) fn summary(&self) -> String {
        let spans: usize = self.lanes.iter().map(|lane| lane.spans.len()).sum();
        let count = |wanted: fn(&Mark) -> bool| {
            self.lanes.iter().flat_map(|lane| &lane.marks).filter(|(_, mark)| wanted(mark)).count()
        };
        format!(
            "{} us on {} CPUs, {} threads: {spans} runs, {} wake-ups, {} messages, {} timer interrupts",
            self.length / 1000,
            self.lanes.len(),
            self.rows.len(),
            count(|mark| matches!(mark, Mark::Wake(_))),
            count(|mark| matches!(mark, Mark::Message(..))),
            count(|mark| *mark == Mark::Timer)
        )
    }
}

/// From the first to the last moment at which a service is made ready, runs, or gives the CPU away: what was typed and
/// answered.
fn window(recording: &Recording, names: &BTreeMap<u64, String>) -> Option<(u64, u64)> {
    let service = |who: &Who| names.get(&who.service).is_some_and(|name| !name.contains('/'));
    let mut times = Vec::new();
    for events in &recording.cpus {
        let mut runs = false;
        for event in events {
            let (named, next) = match &event.what {
                What::Run(who) => (service(who), service(who)),
                What::Idle => (false, false),
                What::Wake(who) | What::Message(who) => (service(who), runs),
                What::Timer => (false, runs),
            };
            if named || (runs && !next) {
                times.push(event.at);
            }
            runs = next;
        }
    }
    times.iter().min().copied().zip(times.iter().max().copied())
}

fn lane(events: &[Event], rows: &mut Rows<'_>, (first, last): (u64, u64)) -> Result<Lane, String> {
    let (mut lane, mut running, mut before) = (Lane::default(), None, 0);
    for event in events {
        if event.at < before {
            return Err(format!("the clock went back from {before} to {}", event.at));
        }
        before = event.at;
        let at = (event.at.clamp(first, last) - first) * TICK_NS;
        match event.what {
            What::Run(who) => {
                let next = Span { row: rows.row(who), class: who.class, from: at, to: at };
                end(&mut lane, running.replace(next), at);
            }
            What::Idle => end(&mut lane, running.take(), at),
            _ if !(first..=last).contains(&event.at) => {}
            What::Wake(who) => lane.marks.push((at, Mark::Wake(rows.row(who)))),
            What::Message(who) => {
                let to = rows.row(who);
                lane.marks.push((at, Mark::Message(running.map_or(to, |span: Span| span.row), to)));
            }
            What::Timer => lane.marks.push((at, Mark::Timer)),
        }
    }
    end(&mut lane, running, (last - first) * TICK_NS);
    Ok(lane)
}

/// What lies outside the window has no length in it.
fn end(lane: &mut Lane, span: Option<Span>, at: u64) {
    lane.spans.extend(span.map(|span| Span { to: at, ..span }).filter(|span| span.to > span.from));
}
