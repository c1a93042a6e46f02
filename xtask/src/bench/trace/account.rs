//! What the two recordings of one run say together.
//!
//! How long nobody looked for interrupts, how long locks were held, and in which operation.

use super::code::{Code, Does};
use super::log::Registers;
use super::record::{Counts, Event, Mark, Recorder, Visit, Way};
use nexus_abi::syscall::{self, Syscall, ipc};
use std::collections::{BTreeMap, BTreeSet};

/// What the CPU does after a sleep.
const WOKEN: &str = "woken from sleep";
const INTERRUPT: u64 = 1 << 63;
const CALL: u64 = 8;
const NUMBER: usize = 7;

/// Lengths of something that happened again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bench) struct Lengths {
    pub(in crate::bench) times: u64,
    pub(in crate::bench) sum: u64,
    pub(in crate::bench) longest: u64,
}

impl Lengths {
    fn add(&mut self, length: u64) {
        self.times += 1;
        self.sum += length;
        self.longest = self.longest.max(length);
    }

    /// Both.
    pub(in crate::bench) fn merge(&mut self, other: &Lengths) {
        self.times += other.times;
        self.sum += other.sum;
        self.longest = self.longest.max(other.longest);
    }

    /// Rounded down.
    pub(in crate::bench) fn mean(&self) -> u64 {
        self.sum.checked_div(self.times).unwrap_or(0)
    }
}

/// How long a lock was held, and where it is taken.
#[derive(Clone, Debug, Default)]
pub(in crate::bench) struct Lock {
    /// By operation.
    pub(in crate::bench) holds: BTreeMap<String, Lengths>,
    /// Symbols around the places that take it.
    pub(in crate::bench) sites: BTreeSet<String>,
}

/// A visit to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::bench) struct Seen {
    /// What it was for.
    pub(in crate::bench) operation: String,
    pub(in crate::bench) instructions: u64,
}

/// Everything found out.
#[derive(Clone, Debug, Default)]
pub(in crate::bench) struct Account {
    /// Instructions without a look for interrupts, by operation.
    pub(in crate::bench) deaf: BTreeMap<String, Lengths>,
    /// By address.
    pub(in crate::bench) locks: BTreeMap<u64, Lock>,
    /// Round trips of words without deadlines: a call, and the answer that is the next visit.
    pub(in crate::bench) trips: Trips,
    /// What one way of a message did, least and most, by its name and how it went.
    pub(in crate::bench) ways: BTreeMap<(String, Way), [Counts; 2]>,
    /// Every visit.
    pub(in crate::bench) visits: Vec<Seen>,
    /// The instructions of visits of the wanted lengths, by operation and length.
    pub(in crate::bench) paths: BTreeMap<(String, u64), Vec<u64>>,
}

/// Round trips: the kernel's instructions in them, and how many of those with which lock held.
#[derive(Clone, Debug, Default)]
pub(in crate::bench) struct Trips {
    pub(in crate::bench) instructions: u64,
    pub(in crate::bench) held: BTreeMap<u64, u64>,
}

impl Trips {
    /// Instructions of a thousand that hold a lock which the others take too.
    pub(in crate::bench) fn shared(&self, others: &Trips) -> Option<u64> {
        let common = self.held.iter().filter(|(lock, _)| others.held.contains_key(lock)).map(|(_, sum)| sum);
        (1000 * common.sum::<u64>()).checked_div(self.instructions)
    }
}

/// What a visit was for.
fn operation(at_entry: &Registers) -> String {
    let number = at_entry.integer[NUMBER];
    match at_entry.cause {
        CALL => name(number).map_or_else(|| "unknown call".to_owned(), str::to_owned),
        cause if cause & INTERRUPT == 0 => "fault".to_owned(),
        cause if cause & 0xff == 1 => "kick".to_owned(),
        cause if cause & 0xff == 5 => "timer interrupt".to_owned(),
        _ => "device interrupt".to_owned(),
    }
}

macro_rules! names {
    ($($name:ident)*) => {
        fn typed(number: u64) -> Option<&'static str> {
            match number {
                $(syscall::$name::NUMBER => Some(<syscall::$name as Syscall>::NAME),)*
                _ => None,
            }
        }
    };
}

nexus_abi::for_each_syscall!(names);

fn name(number: u64) -> Option<&'static str> {
    ipc::ALL.iter().find_map(|(other, name)| (*other == number).then_some(*name)).or_else(|| typed(number))
}

/// What is under way while events are read.
struct Reading<'a> {
    account: &'a mut Account,
    code: &'a Code,
    operation: String,
    /// Since when nobody looked for interrupts.
    deaf_since: Option<u64>,
    /// Locks that are held: address, since when, taken where.
    held: Vec<(u64, u64, u64)>,
    /// Locks that were held in this visit, and how long.
    inside: Vec<(u64, u64)>,
    /// The visit before was a call's.
    called: bool,
}

/// Adds a run. The recordings are of the same run twice; `Err`: they are not.
pub(super) fn add(account: &mut Account, code: &Code, record: &Recorder, known: &[Registers]) -> Result<(), String> {
    let (mut known, mut visits) = (known.iter(), record.visits.iter());
    let doings = code.doings();
    let mut reading = Reading {
        account,
        code,
        operation: String::new(),
        deaf_since: None,
        held: Vec::new(),
        inside: Vec::new(),
        called: false,
    };
    for event in &record.events {
        let does = doings.get(((event.address - code.start) / 2) as usize).copied().unwrap_or(Does::Other);
        match event.mark {
            Mark::Enter => reading.enter(event, same(known.next(), event.address)?),
            Mark::Acquire | Mark::Release => reading.swap(event, does, same(known.next(), event.address)?),
            Mark::Look | Mark::Sleep => reading.look(event),
            Mark::Leave => {
                same(known.next(), event.address)?;
                reading.look(event);
                reading.leave(visits.next());
            }
        }
    }
    Ok(())
}

impl Reading<'_> {
    fn enter(&mut self, event: &Event, registers: &Registers) {
        self.operation = operation(registers);
        self.deaf_since = Some(event.at);
        self.inside.clear();
    }

    fn swap(&mut self, event: &Event, does: Does, registers: &Registers) {
        let register = |number: u8| registers.integer[usize::from(number)];
        match does {
            Does::Acquire { address, value } if register(value) == 1 => {
                self.held.push((register(address), event.at, event.address));
            }
            Does::Release { address, .. } => self.release(event, register(address)),
            _ => {}
        }
    }

    fn release(&mut self, event: &Event, address: u64) {
        let Some(at) = self.held.iter().rposition(|(other, ..)| *other == address) else { return };
        let (address, since, site) = self.held.remove(at);
        let lock = self.account.locks.entry(address).or_default();
        self.inside.push((address, event.at - since));
        lock.holds.entry(self.operation.clone()).or_default().add(event.at - since);
        lock.sites.insert(self.code.around(site).to_owned());
    }

    /// Interrupts are served after a look and a sleep as before a return to user mode.
    fn look(&mut self, event: &Event) {
        if let Some(since) = self.deaf_since {
            self.account.deaf.entry(self.operation.clone()).or_default().add(event.at - since);
        }
        self.deaf_since = Some(event.at);
        if event.mark == Mark::Sleep {
            WOKEN.clone_into(&mut self.operation);
        }
    }

    fn leave(&mut self, visit: Option<&Visit>) {
        self.deaf_since = None;
        if let Some(visit) = visit {
            self.trip(visit);
            self.account.way(&self.operation, visit.way, visit.counts);
            let seen = Seen { operation: self.operation.clone(), instructions: visit.counts.instructions };
            self.account.visits.push(seen);
            self.account.path(&self.operation, &visit.path);
        }
    }

    fn trip(&mut self, visit: &Visit) {
        let (call, answer) = (self.operation == "Call", self.operation == "ReplyRecv" && self.called);
        self.called = call;
        if call || answer {
            let trips = &mut self.account.trips;
            trips.instructions += visit.counts.instructions;
            self.inside.iter().for_each(|(lock, length)| *trips.held.entry(*lock).or_default() += length);
        }
    }
}

impl Account {
    fn way(&mut self, operation: &str, way: Way, counts: Counts) {
        if !ipc::ALL.iter().any(|(_, name)| *name == operation) {
            return;
        }
        let ends = self.ways.entry((operation.to_owned(), way)).or_insert([counts; 2]);
        if counts.instructions < ends[0].instructions {
            ends[0] = counts;
        }
        if counts.instructions > ends[1].instructions {
            ends[1] = counts;
        }
    }
}

impl Account {
    fn path(&mut self, operation: &str, path: &[u64]) {
        if !path.is_empty() {
            self.paths.entry((operation.to_owned(), path.len() as u64)).or_insert_with(|| path.to_vec());
        }
    }
}

fn same(known: Option<&Registers>, address: u64) -> Result<&Registers, String> {
    match known {
        Some(registers) if registers.address == address => Ok(registers),
        Some(registers) => Err(format!("two runs differ: one was at {address:#x}, one at {:#x}", registers.address)),
        None => Err(format!("two runs differ: one ended before {address:#x}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_locks_that_both_pairs_take_are_shared() {
        let trips = |held: &[(u64, u64)]| Trips { instructions: 200, held: held.iter().copied().collect() };
        assert_eq!(trips(&[(4, 50), (8, 30)]).shared(&trips(&[(8, 1)])), Some(150));
        assert_eq!(trips(&[(4, 50)]).shared(&trips(&[(8, 50)])), Some(0));
        assert_eq!(Trips::default().shared(&trips(&[])), None);
    }
}
