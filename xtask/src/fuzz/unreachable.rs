//! Pairs of call and error that no program can provoke, and why.
//!
//! The list is exact: the fuzzer must meet every declared pair that is not in it, and none that is.

use nexus_abi::Error;
use nexus_abi::syscall::{AffinitySet, BootArguments, InfoInvariants, LogRead, LogWrite, Syscall};

/// Some pairs with one reason.
pub(super) struct Pairs {
    /// The calls by number; none: every call.
    calls: &'static [u64],
    error: Error,
    /// Why.
    #[allow(dead_code, reason = "for who reads the list")]
    why: &'static str,
}

impl Pairs {
    /// True if a pair is among them.
    pub(super) fn covers(&self, number: u64, error: Error) -> bool {
        self.error == error && (self.calls.is_empty() || self.calls.contains(&number))
    }
}

/// All of them.
pub(super) const UNREACHABLE: &[Pairs] = &[
    Pairs {
        calls: &[],
        error: Error::Exhausted,
        why: "quotas are carved from what the machine has, so the quota is used up first",
    },
    Pairs {
        calls: &[LogWrite::NUMBER, LogRead::NUMBER, BootArguments::NUMBER],
        error: Error::State,
        why: "a thread that runs has an IPC page",
    },
    Pairs {
        calls: &[AffinitySet::NUMBER],
        error: Error::RateLimited,
        why: "a child makes fewer than a thousand changes in a second",
    },
    Pairs {
        calls: &[AffinitySet::NUMBER],
        error: Error::Again,
        why: "on one hart no thread has to go elsewhere; the torture meets it",
    },
    Pairs {
        calls: &[InfoInvariants::NUMBER],
        error: Error::State,
        why: "the machine is booted with `selftest`, or there were no check; without it the core's tests meet it",
    },
];
