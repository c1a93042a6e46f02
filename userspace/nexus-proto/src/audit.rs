//! Audits: one record a decision, written by who acts on it once the outcome is known.
//!
//! Each caller has an allowance of its own, so that a flood of one cannot hide what is decided about another, nor fill the
//! account that the writer has with the log. What is not said is counted, and the caller's next audit says how much.

use alloc::vec::Vec;
use core::fmt;

use nexus_abi::ServiceId;

/// Audits about one caller in a second at most.
pub const MAX_AUDITS: u32 = 16;
/// Callers whose allowance is known at once; above it the one that was quiet longest is forgotten.
pub const MAX_CALLERS: usize = 32;

/// How a decision went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It was done.
    Allow,
    /// It was not.
    Deny,
}

impl Decision {
    /// What stands in the record.
    pub const fn name(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
        }
    }
}

/// One decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Audit<'a> {
    /// What was asked for: `grant`, `open`, `delegate`, `revoke`, `decide`.
    pub deed: &'static str,
    /// How it went.
    pub decision: Decision,
    /// Why: a rule, or an error's name.
    pub reason: &'static str,
    /// Who asked, by the kernel's record.
    pub caller: &'a str,
    /// About what.
    pub object: &'a str,
    /// Audits about this caller that were left out since the last one.
    pub dropped: u64,
}

impl Audit<'_> {
    /// Its fields, as a record has them.
    pub fn fields(&self) -> impl fmt::Display {
        let Audit { decision, reason, caller, object, dropped, .. } = *self;
        fmt::from_fn(move |out| {
            write!(out, "decision={}\0reason={reason}\0caller={caller}\0object={object}\0", decision.name())?;
            if dropped > 0 { write!(out, "dropped={dropped}\0") } else { Ok(()) }
        })
    }
}

/// How many audits each caller has had.
#[derive(Debug)]
pub struct Ledger {
    timebase: u64,
    callers: Vec<Allowance>,
}

#[derive(Debug)]
struct Allowance {
    caller: ServiceId,
    second: u64,
    said: u32,
    dropped: u64,
}

impl Ledger {
    /// With a clock of so many ticks a second.
    pub fn new(timebase: u64) -> Ledger {
        Ledger { timebase: timebase.max(1), callers: Vec::new() }
    }

    /// Whether there may be an audit about this caller now: then how many were left out since the last one.
    pub fn take(&mut self, now: u64, caller: ServiceId) -> Option<u64> {
        let second = now / self.timebase;
        let allowance = self.allowance(caller, second);
        if allowance.second != second {
            (allowance.second, allowance.said) = (second, 0);
        }
        if allowance.said == MAX_AUDITS {
            allowance.dropped += 1;
            return None;
        }
        allowance.said += 1;
        Some(core::mem::take(&mut allowance.dropped))
    }

    fn allowance(&mut self, caller: ServiceId, second: u64) -> &mut Allowance {
        let fresh = Allowance { caller, second, said: 0, dropped: 0 };
        let at = match self.callers.iter().position(|known| known.caller == caller) {
            Some(at) => return &mut self.callers[at],
            None if self.callers.len() < MAX_CALLERS => {
                self.callers.push(fresh);
                self.callers.len() - 1
            }
            None => {
                let quiet = (0..self.callers.len()).min_by_key(|&at| self.callers[at].second).unwrap_or(0);
                self.callers[quiet] = fresh;
                quiet
            }
        };
        &mut self.callers[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000;

    #[test]
    fn every_audit_is_said_or_counted_once() {
        let mut ledger = Ledger::new(SECOND);
        let (mut said, mut told) = (0, 0);
        for now in 0..10 * SECOND {
            if let Some(dropped) = ledger.take(now, ServiceId(1)) {
                said += 1;
                told += dropped;
            }
        }
        assert_eq!(said, 10 * u64::from(MAX_AUDITS));
        let last = ledger.take(10 * SECOND, ServiceId(1));
        assert_eq!(said + told + last.unwrap_or(0), 10 * SECOND);
    }

    #[test]
    fn a_flood_of_one_hides_nothing_of_another() {
        let mut ledger = Ledger::new(SECOND);
        let said = (0..1000).filter(|_| ledger.take(0, ServiceId(1)).is_some()).count();
        assert_eq!(said, MAX_AUDITS as usize);
        assert_eq!(ledger.take(0, ServiceId(2)), Some(0));
    }

    #[test]
    fn callers_are_bounded_and_the_one_that_was_quiet_longest_is_forgotten() {
        let mut ledger = Ledger::new(SECOND);
        (0..MAX_CALLERS as u64 + 5).for_each(|at| assert_eq!(ledger.take(at * SECOND, ServiceId(at)), Some(0)));
        assert_eq!(ledger.callers.len(), MAX_CALLERS);
        assert!(ledger.callers.iter().all(|known| known.caller.0 >= 5));
    }
}
