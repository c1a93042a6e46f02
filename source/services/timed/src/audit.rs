//! Audit lines: what was decided about registrations, a bounded number a second.
//!
//! Each decision has an allowance of its own, so that a flood of permitted requests cannot hide a refused one. What is
//! not said is counted, and the next line of the same decision says how much that was.

use core::fmt;
use nexus_abi::Error;
use nexus_ipc::Caller;

/// Lines of one decision in a second at most.
pub const MAX_AUDIT_LINES: u32 = 4;

/// How often the lines of one decision may still come.
#[derive(Debug, Default)]
struct Allowance {
    second: u64,
    said: u32,
    dropped: u64,
}

impl Allowance {
    /// Whether a line may be said in this second: then how many were dropped since the last one.
    fn take(&mut self, second: u64) -> Option<u64> {
        if self.second != second {
            (self.second, self.said) = (second, 0);
        }
        if self.said == MAX_AUDIT_LINES {
            self.dropped += 1;
            return None;
        }
        self.said += 1;
        Some(core::mem::take(&mut self.dropped))
    }
}

/// The allowances of both decisions.
#[derive(Debug)]
pub(crate) struct Audit {
    timebase: u64,
    allow: Allowance,
    deny: Allowance,
}

impl Audit {
    /// With a clock of so many ticks a second.
    pub(crate) fn new(timebase: u64) -> Audit {
        Audit { timebase: timebase.max(1), allow: Allowance::default(), deny: Allowance::default() }
    }

    /// The line for a registration that ended so, if there may be one now.
    pub(crate) fn line(&mut self, now: u64, caller: &Caller, result: Result<(), Error>) -> Option<Line> {
        let second = now / self.timebase;
        let dropped = if result.is_ok() { self.allow.take(second) } else { self.deny.take(second) }?;
        Some(Line { caller: *caller, result, dropped })
    }
}

/// One line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    caller: Caller,
    result: Result<(), Error>,
    dropped: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (decision, reason) = match self.result {
            Ok(()) => ("allow", "within_limits"),
            Err(Error::OverLimit) => ("deny", "over_limit"),
            Err(Error::Invalid) => ("deny", "invalid_args"),
            Err(Error::Malformed | Error::BadHandle) => ("deny", "malformed"),
            Err(Error::Permission) => ("deny", "not_permitted"),
            Err(other) => ("deny", other.name()),
        };
        let (process, service) = (self.caller.process.number(), self.caller.service.0);
        write!(f, "audit register decision={decision} reason={reason} process={process} service={service:#x}")?;
        if self.dropped > 0 { write!(f, " dropped={}", self.dropped) } else { Ok(()) }
    }
}
