//! Audits: one record a decision, written by who acts on it once the outcome is known.
//!
//! Each caller has an allowance of its own for each decision, so that a flood of one cannot hide what is decided about
//! another, nor what it is allowed hide what it is refused. What is not said is counted, and the next audit of the same
//! caller and decision says how much.

use alloc::vec::Vec;
use core::fmt;

use nexus_abi::{Error, ServiceId};

/// Audits about one caller and decision in a second at most.
pub const MAX_AUDITS: u32 = 16;
/// Allowances that are known at once; above it the one that was quiet longest is forgotten.
pub const MAX_ALLOWANCES: usize = 64;

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

/// One decision. As text: a line of the console.
#[derive(Clone, Copy)]
pub struct Audit<'a> {
    /// What was asked for: `grant`, `open`, `raise`, `delegate`, `revoke`, `decide`, `register`.
    pub deed: &'static str,
    /// How it went.
    pub decision: Decision,
    /// Why: a rule, or an error's name.
    pub reason: &'static str,
    /// Who asked, by the kernel's record.
    pub caller: &'a dyn fmt::Display,
    /// About what.
    pub object: &'a dyn fmt::Display,
    /// Audits like this one that were left out since the last.
    pub dropped: u64,
}

impl Audit<'_> {
    /// Its fields, as a record has them.
    pub fn fields(&self) -> impl fmt::Display {
        fmt::from_fn(|out| self.write(out, '\0').and_then(|()| out.write_str("\0")))
    }

    fn write(&self, out: &mut fmt::Formatter<'_>, between: char) -> fmt::Result {
        let Audit { decision, reason, caller, object, dropped, .. } = *self;
        let decision = decision.name();
        write!(out, "decision={decision}{between}reason={reason}{between}caller={caller}{between}object={object}")?;
        if dropped > 0 { write!(out, "{between}dropped={dropped}") } else { Ok(()) }
    }
}

impl fmt::Display for Audit<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "audit {} ", self.deed)?;
        self.write(out, ' ')
    }
}

/// How many audits each caller has had.
#[derive(Debug)]
pub struct Ledger {
    timebase: u64,
    allowances: Vec<Allowance>,
}

#[derive(Debug)]
struct Allowance {
    of: (ServiceId, Decision),
    second: u64,
    said: u32,
    dropped: u64,
}

impl Ledger {
    /// With a clock of so many ticks a second.
    pub fn new(timebase: u64) -> Ledger {
        Ledger { timebase: timebase.max(1), allowances: Vec::new() }
    }

    /// Whether something may be said now of how this caller's request went. The answer fills an audit's first half.
    pub fn take(&mut self, now: u64, caller: ServiceId, outcome: Result<&'static str, Error>) -> Option<Spoken> {
        let (decision, reason) = match outcome {
            Ok(reason) => (Decision::Allow, reason),
            Err(error) => (Decision::Deny, error.name()),
        };
        let second = now / self.timebase;
        let allowance = self.allowance((caller, decision), second);
        if allowance.second != second {
            (allowance.second, allowance.said) = (second, 0);
        }
        if allowance.said == MAX_AUDITS {
            allowance.dropped += 1;
            return None;
        }
        allowance.said += 1;
        Some(Spoken { decision, reason, dropped: core::mem::take(&mut allowance.dropped) })
    }

    fn allowance(&mut self, of: (ServiceId, Decision), second: u64) -> &mut Allowance {
        let fresh = Allowance { of, second, said: 0, dropped: 0 };
        let all = &mut self.allowances;
        let at = match all.iter().position(|known| known.of == of) {
            Some(at) => at,
            None if all.len() < MAX_ALLOWANCES => {
                all.push(fresh);
                all.len() - 1
            }
            None => {
                let quiet = (0..all.len()).min_by_key(|&at| all[at].second).unwrap_or(0);
                all[quiet] = fresh;
                quiet
            }
        };
        &mut all[at]
    }
}

/// What an audit that may be written says of the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spoken {
    decision: Decision,
    reason: &'static str,
    dropped: u64,
}

impl Spoken {
    /// The audit of this deed.
    pub fn of<'a>(self, deed: &'static str, caller: &'a dyn fmt::Display, object: &'a dyn fmt::Display) -> Audit<'a> {
        let Spoken { decision, reason, dropped } = self;
        Audit { deed, decision, reason, caller, object, dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{format, string::ToString};

    const SECOND: u64 = 1_000;
    const DONE: Result<&str, Error> = Ok("route");
    const REFUSED: Result<&str, Error> = Err(Error::Permission);

    #[test]
    fn every_audit_is_said_or_counted_once() {
        let mut ledger = Ledger::new(SECOND);
        let (mut said, mut told) = (0, 0);
        for now in 0..10 * SECOND {
            if let Some(spoken) = ledger.take(now, ServiceId(1), DONE) {
                said += 1;
                told += spoken.dropped;
            }
        }
        assert_eq!(said, 10 * u64::from(MAX_AUDITS));
        let last = ledger.take(10 * SECOND, ServiceId(1), DONE);
        assert_eq!(said + told + last.map_or(0, |spoken| spoken.dropped), 10 * SECOND);
    }

    #[test]
    fn a_flood_hides_nothing_of_another_and_no_refusal() {
        let mut ledger = Ledger::new(SECOND);
        let said = (0..1000).filter(|_| ledger.take(0, ServiceId(1), DONE).is_some()).count();
        assert_eq!(said, MAX_AUDITS as usize);
        assert_eq!(ledger.take(0, ServiceId(2), DONE).map(|spoken| spoken.dropped), Some(0));
        assert_eq!(ledger.take(0, ServiceId(1), REFUSED).map(|spoken| spoken.dropped), Some(0));
    }

    #[test]
    fn allowances_are_bounded_and_the_one_that_was_quiet_longest_is_forgotten() {
        let mut ledger = Ledger::new(SECOND);
        let callers = MAX_ALLOWANCES as u64 + 5;
        (0..callers).for_each(|at| assert!(ledger.take(at * SECOND, ServiceId(at), DONE).is_some()));
        assert_eq!(ledger.allowances.len(), MAX_ALLOWANCES);
        assert!(ledger.allowances.iter().all(|known| known.of.0.0 >= 5));
    }

    #[test]
    fn a_record_and_a_line_say_the_same() {
        let mut ledger = Ledger::new(SECOND);
        (0..=MAX_AUDITS).for_each(|_| _ = ledger.take(0, ServiceId(1), REFUSED));
        let spoken = ledger.take(SECOND, ServiceId(1), REFUSED).expect("a new second");
        let audit = spoken.of("grant", &"shell", &7);
        let line = "audit grant decision=deny reason=EPERM caller=shell object=7 dropped=1";
        assert_eq!(audit.to_string(), line);
        assert_eq!(
            format!("audit grant {}", audit.fields()),
            line.replace(' ', "\0").replace("\0grant\0", " grant ") + "\0"
        );
    }
}
