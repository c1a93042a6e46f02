//! Which service to start, to restart or to give up, and when: init's policy without its deeds.
//!
//! Services start one after the other, in the manifest's order, each when the one before it is settled: up, left alone,
//! or given up. A service that ends comes back after a pause that doubles with each end inside the window; too many of
//! them and it is given up until somebody restarts it by hand.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use nexus_abi::Deadline;
use nexus_proto::supervisor::State;
use wiring::{Backoff, Restart};

/// How long a service may take from its start to its answer to a probe.
const PATIENCE_MS: u64 = 5_000;
/// How long an answer may take before the service is asked again: the first may have met a full queue.
const PROBE_MS: u64 = 500;

/// The bounds of [`Backoff`], in ticks.
#[derive(Clone, Copy, Debug)]
pub struct Timing {
    first: u64,
    most: u64,
    window: u64,
    patience: u64,
    probe: u64,
    limit: usize,
}

impl Timing {
    /// The bounds at this many ticks a second.
    #[must_use]
    pub fn new(backoff: &Backoff, timebase: u64) -> Self {
        let ticks = |ms: u64| (u128::from(ms) * u128::from(timebase)).div_ceil(1000) as u64;
        Self {
            first: ticks(backoff.first_ms.into()),
            most: ticks(backoff.most_ms.into()),
            window: ticks(backoff.window_ms.into()),
            patience: ticks(PATIENCE_MS),
            probe: ticks(PROBE_MS),
            limit: backoff.limit.into(),
        }
    }
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Start this service.
    Start(usize),
    /// Ask this service again, with this nonce.
    Probe(usize, u64),
    /// End this service: it did not answer in time.
    End(usize),
    /// Say that every service is up.
    Ready,
}

/// How a service ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// By itself, with status 0.
    Clean,
    /// In any other way, or it could not be started.
    Failed,
}

/// What follows an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After {
    /// It starts again after this many ticks.
    Again(u64),
    /// Its policy says to leave it.
    Left,
    /// It ended too often.
    GivenUp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Waiting,
    Starting { nonce: u64, until: u64, probe: u64 },
    Ending,
    Up,
    BackingOff { until: u64 },
    Ended,
    GivenUp,
}

#[derive(Debug)]
struct Slot {
    policy: Restart,
    phase: Phase,
    starts: u32,
    /// When it ended, as often as counts.
    ends: VecDeque<u64>,
}

/// The state of every service.
#[derive(Debug)]
pub struct Watch {
    slots: Vec<Slot>,
    timing: Timing,
    nonce: u64,
    announced: Announced,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Announced {
    NotYet,
    Settled,
    Ready,
}

impl Watch {
    /// Nothing is started yet.
    pub fn new(policies: impl Iterator<Item = Restart>, timing: Timing) -> Self {
        let slot = |policy| Slot { policy, phase: Phase::Waiting, starts: 0, ends: VecDeque::new() };
        Self { slots: policies.map(slot).collect(), timing, nonce: 0, announced: Announced::NotYet }
    }

    /// The next thing to do now, if there is any. Each answer changes something, so asking again comes to an end.
    pub fn next(&mut self, now: u64) -> Option<Step> {
        let pause = self.timing.probe;
        for (index, slot) in self.slots.iter_mut().enumerate() {
            match &mut slot.phase {
                Phase::Starting { until, .. } if *until <= now => {
                    slot.phase = Phase::Ending;
                    return Some(Step::End(index));
                }
                Phase::Starting { nonce, probe, .. } if *probe <= now => {
                    *probe = now.saturating_add(pause);
                    return Some(Step::Probe(index, *nonce));
                }
                Phase::BackingOff { until } if *until <= now => return Some(Step::Start(index)),
                _ => {}
            }
        }
        let first = self.slots.iter().position(|slot| !settled(slot.phase));
        match first {
            Some(index) if self.slots[index].phase == Phase::Waiting => Some(Step::Start(index)),
            Some(_) => None,
            None if self.announced != Announced::Ready && self.all_well() => {
                self.announced = Announced::Ready;
                Some(Step::Ready)
            }
            None => {
                self.announced = self.announced.max(Announced::Settled);
                None
            }
        }
    }

    /// Whether each service once was up, left alone or given up.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.announced != Announced::NotYet
    }

    /// A service was started; answers the nonce for its probe.
    pub fn started(&mut self, index: usize, now: u64) -> u64 {
        self.nonce += 1;
        let until = now.saturating_add(self.timing.patience);
        let probe = now.saturating_add(self.timing.probe);
        let slot = &mut self.slots[index];
        slot.phase = Phase::Starting { nonce: self.nonce, until, probe };
        slot.starts += 1;
        self.nonce
    }

    /// A service answered a probe. True if it was the one that is waited for.
    #[must_use]
    pub fn up(&mut self, index: usize, answer: u64) -> bool {
        let slot = &mut self.slots[index];
        let expected = matches!(slot.phase, Phase::Starting { nonce, .. } if nonce == answer);
        if expected {
            slot.phase = Phase::Up;
        }
        expected
    }

    /// A service ended, or could not be started.
    pub fn ended(&mut self, index: usize, end: End, now: u64) -> After {
        let Timing { first, most, window, limit, .. } = self.timing;
        let slot = &mut self.slots[index];
        let again = match slot.policy {
            Restart::Always => true,
            Restart::OnFailure => end == End::Failed,
            Restart::Never => false,
        };
        if !again {
            slot.phase = Phase::Ended;
            return After::Left;
        }
        slot.ends.retain(|&when| when.saturating_add(window) > now);
        slot.ends.push_back(now);
        if slot.ends.len() >= limit {
            slot.phase = Phase::GivenUp;
            return After::GivenUp;
        }
        let doublings = (slot.ends.len() - 1).min(63) as u32;
        let wait = first.saturating_mul(1 << doublings).min(most);
        slot.phase = Phase::BackingOff { until: now.saturating_add(wait) };
        After::Again(wait)
    }

    /// Lets a service that does not run start at once, its ends forgiven. False if it runs or will start by itself.
    #[must_use]
    pub fn revive(&mut self, index: usize) -> bool {
        let slot = &mut self.slots[index];
        let rests = matches!(slot.phase, Phase::Ended | Phase::GivenUp | Phase::BackingOff { .. });
        if rests {
            slot.ends.clear();
            slot.phase = Phase::BackingOff { until: 0 };
        }
        rests
    }

    /// When [`Watch::next`] will have something to do if nothing else happens.
    #[must_use]
    pub fn deadline(&self) -> Deadline {
        let until = |slot: &Slot| match slot.phase {
            Phase::Starting { until, probe, .. } => Some(until.min(probe)),
            Phase::BackingOff { until } => Some(until),
            _ => None,
        };
        self.slots.iter().filter_map(until).min().map_or(Deadline::NEVER, Deadline)
    }

    /// How a service is.
    #[must_use]
    pub fn state(&self, index: usize) -> State {
        match self.slots[index].phase {
            Phase::Waiting => State::Waiting,
            Phase::Starting { .. } | Phase::Ending => State::Starting,
            Phase::Up => State::Up,
            Phase::BackingOff { .. } => State::BackingOff,
            Phase::Ended => State::Ended,
            Phase::GivenUp => State::GivenUp,
        }
    }

    /// How often it was started again.
    #[must_use]
    pub fn restarts(&self, index: usize) -> u32 {
        self.slots[index].starts.saturating_sub(1)
    }

    fn all_well(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot.phase, Phase::Up | Phase::Ended))
    }
}

fn settled(phase: Phase) -> bool {
    matches!(phase, Phase::Up | Phase::Ended | Phase::GivenUp)
}
