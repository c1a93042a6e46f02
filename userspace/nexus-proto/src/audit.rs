//! Audits: one record a decision, written by who acts on it once the outcome is known.

use core::fmt;

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
}

impl Audit<'_> {
    /// Its fields, as a record has them.
    pub fn fields(&self) -> impl fmt::Display {
        let Audit { decision, reason, caller, object, .. } = *self;
        fmt::from_fn(move |out| {
            write!(out, "decision={}\0reason={reason}\0caller={caller}\0object={object}\0", decision.name())
        })
    }
}
