//! The real core and the real services in one host process: virtual time, a seeded schedule, seeded faults.
//!
//! Real is the kernel core, entered by its events alone ([`events`] stands where the machine layer does), and above the
//! system call everything: `nexus-rt` with its one receive loop, init with restarts and routes, policyd, logd, execd, timed.
//! A program is its own `main` on a stack of its own ([`program`]), entered and left at system calls; its loads and stores go
//! through the page tables that the kernel made ([`machine`]). Not real are instructions, and devices but the clock.
//!
//! A run picks by its seed which CPU takes its next event and which: the alarm, a kick, a step of taking a process back, or
//! its thread's next system call and by which way. Events take a few ticks, or by chance milliseconds; with nothing to do
//! time moves to the core's next alarm. The faults are those that can happen: a service or program crashes before any of its system calls, or is killed
//! through init by an operator; a one-way message meets a full queue; everything stands still.
//!
//! After each event, or every so many of a long run's, every invariant of the kernel holds. By its deadline each client's call has come back, answered or
//! with a refusal that trouble explains. Once nothing is killed any more, each client is answered by every service, and
//! then there is as much of every kind as before the first fault. All of it follows from the seed: the same seed, the same
//! [`Report::hash`].

mod cast;
mod census;
mod client;
mod events;
mod image;
mod machine;
mod play;
mod program;
mod random;
mod simulator;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What happened in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The run's seed.
    pub seed: u64,
    /// Every event with its time, registers and outcome, in one number.
    pub hash: u64,
    /// Events, all acts together.
    pub events: u64,
    /// Crashes.
    pub kills: u64,
    /// One-way messages that met a full queue.
    pub drops: u64,
    /// Calls that went straight, by the detour, by a turn, and all others.
    pub ways: [u64; 4],
    /// Calls of clients that were answered in spite of trouble.
    pub answered: u64,
    /// Calls that were refused meanwhile, by why.
    pub refused: BTreeMap<&'static str, u64>,
    /// Ticks behind its deadline that the latest of them came back.
    pub latest: u64,
    /// Ticks that the slowest answer took when trouble was over.
    pub slowest: u64,
}

/// Runs one seed with this many events of trouble. The kernel's invariants are looked at after every event whose number
/// `look` divides; that changes nothing of what happens. An error says what must not be.
pub fn run(seed: u64, events: u64, look: u64) -> Result<Report, String> {
    caught(|| simulator::Simulator::new(seed, look).run(events)).map_err(|what| format!("seed {seed}: {what}"))
}

/// The calls that [`interrupted`] makes: a name, and who dies.
pub fn calls() -> impl ExactSizeIterator<Item = (&'static str, &'static str)> {
    client::DEEDS.iter().map(|deed| (deed.name, deed.victim))
}

/// Makes one of [`calls`], while its service dies before a system call of this number, counted from when the call is
/// made. None: it makes fewer until the call is over. Else whether the call was answered. An error says what must not be: that
/// the caller hangs, is told what it should not be, or something is left behind.
pub fn interrupted(seed: u64, call: usize, number: u64) -> Result<Option<bool>, String> {
    caught(|| simulator::Simulator::new(seed, 1).run_interrupted(call, number))
        .map_err(|what| format!("seed {seed}, call {call}, death {number}: {what}"))
}

fn caught<T>(run: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|cause| {
        let text = cause.downcast_ref::<String>().map(String::as_str);
        Err(text.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("a panic").into())
    })
}
