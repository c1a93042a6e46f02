//! The kernel's event rings (`source/kernel/core/src/trace.rs`), read from a machine that stands still.

use super::stub::Stub;
use nexus_abi::QosClass;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// A thread has the CPU.
    Run(Who),
    /// Nobody has it.
    Idle,
    /// A thread was made ready.
    Wake(Who),
    /// The running thread's call or answer went to this one.
    Message(Who),
    /// The timer interrupted.
    Timer,
}

/// A thread, as an event names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Who {
    /// What [`shown`] leaves of the identity of its process.
    pub(super) service: u64,
    /// Its number.
    pub(super) thread: u64,
    /// The class that it had.
    pub(super) class: QosClass,
}

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// The tick at which it happened.
    pub(super) at: u64,
    /// What it was.
    pub(super) what: What,
}

/// The events of each CPU, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Recording {
    pub(super) cpus: Vec<Vec<Event>>,
}

/// What an event has of an identity.
pub(super) fn shown(service: u64) -> u64 {
    service & (u64::MAX >> 16)
}

/// Where the rings are, and what was in them before the recording.
pub(super) struct Rings {
    address: u64,
    words: usize,
    cpus: usize,
    seen: Vec<u64>,
}

impl Rings {
    /// Where the kernel's line says: `KINIT: tracing 8192 words of each of 1 CPUs at 0x81234000`.
    pub(super) fn at(line: &str) -> Result<Rings, String> {
        let fault = || format!("not a place of rings: `{line}`");
        let (_, rest) = line.split_once("tracing ").ok_or_else(fault)?;
        let numbers: Vec<&str> =
            rest.split_whitespace().filter(|word| word.starts_with(|c: char| c.is_ascii_digit())).collect();
        let [words, cpus, address] = numbers[..] else { return Err(fault()) };
        let address =
            address.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or_else(fault)?;
        let (words, cpus) = words.parse().ok().zip(cpus.parse().ok()).ok_or_else(fault)?;
        Ok(Rings { address, words, cpus, seen: Vec::new() })
    }

    fn ring(&self, cpu: usize) -> u64 {
        self.address + (8 * cpu * self.words) as u64
    }

    /// What is in the rings now is not of the recording.
    pub(super) fn begin(&mut self, stub: &mut Stub) -> Result<(), String> {
        let counts = (0..self.cpus).map(|cpu| stub.words(self.ring(cpu), 1).map(|words| words[0]));
        self.seen = counts.collect::<Result<_, _>>()?;
        Ok(())
    }

    /// What was recorded since.
    pub(super) fn read(&self, stub: &mut Stub) -> Result<Recording, String> {
        let ring = |cpu: usize| decode(&stub.words(self.ring(cpu), self.words)?, self.seen[cpu]);
        Ok(Recording { cpus: (0..self.cpus).map(ring).collect::<Result<_, _>>()? })
    }
}

/// The events of a ring behind the first `seen`. Events whose time does not stand behind them are left out.
pub(super) fn decode(ring: &[u64], seen: u64) -> Result<Vec<Event>, String> {
    let (count, places) = (ring[0], ring.len() as u64 - 1);
    if count > seen + places {
        return Err(format!("{} events, the ring holds {places}: record something shorter", count - seen));
    }
    let (mut events, mut untimed) = (Vec::new(), Vec::new());
    for at in seen..count {
        let word = ring[1 + (at % places) as usize];
        let class = QosClass::ALL[(word >> 3 & 3) as usize];
        let who = Who { service: word >> 16, thread: word >> 5 & 0x7ff, class };
        match word & 7 {
            1 => events.extend(untimed.drain(..).map(|what| Event { at: word >> 3, what })),
            2 if who.thread == 0 => untimed.push(What::Idle),
            2 => untimed.push(What::Run(who)),
            3 => untimed.push(What::Wake(who)),
            4 => untimed.push(What::Message(who)),
            5 => untimed.push(What::Timer),
            _ => return Err(format!("not an event: {word:#x}")),
        }
    }
    Ok(events)
}
