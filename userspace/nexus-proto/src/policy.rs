//! `policy`: who may use what, beyond and including what the manifest says.
//!
//! The manifest's routes are init's to hand out. Everything else is asked here: by init for a route that the manifest
//! does not give, by the owner of an interface when somebody opens something of it, by people who want to know why.
//! Deny is the default. Who asks is the kernel's record; a subject in a message is only believed from those who have
//! [`ASK`].

use nexus_abi::{Name, ServiceId};
use nexus_ipc::interface;

/// Permission `ask` of the manifest: may ask about others.
pub const ASK: u64 = 1;
/// Permission `delegate` of the manifest: may let programs have what it has itself.
pub const DELEGATE: u64 = 2;
/// Permission `explain` of the manifest: may read the rules about everybody.
pub const EXPLAIN: u64 = 4;

interface! {
    /// Decides, and says why.
    "policy" Policy {
        /// Whether `subject` may use what it calls `interface`, with these permissions. `EPERM`: no rule says so, or the
        /// caller may not ask about another. `EINVAL`: a permission that no interface has.
        1 decide again { subject: ServiceId, interface: Name, permits: u64 } -> Decided { rule: u8 };
        /// Lets a program have the caller's own route of this name, with some of its permissions, until it is revoked or
        /// this service ends. `EPERM`: the caller has no such route in the manifest, or not these permissions. `ENOENT`: no
        /// such program. `EEXIST`: another gave it the same. `EAGAIN`: it is being revoked. `EOVERLIMIT`: too many.
        2 delegate again { subject: ServiceId, interface: Name, permits: u64 } -> Delegated {};
        /// Takes it back. When the answer comes, every handle that came of it is dead. `ENOENT`: the caller did not give
        /// it. `EAGAIN`, `ETIMEDOUT`: nothing new is granted, but handles may live; ask again.
        3 revoke again { subject: ServiceId, interface: Name } -> Revoked {};
        /// Which rule says what of `interface` to a service or program of this name. `ENOENT`: nobody is called so.
        4 explain again { subject: Name, interface: Name } -> Explained { rule: u8, permits: u64, by: ServiceId };
        /// The delegation at `index`. `ENOENT`: the end.
        5 delegation again { index: u32 } -> Delegation { subject: ServiceId, interface: Name, permits: u64, by: ServiceId };
    }
}

/// Why somebody may use something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Rule {
    /// No rule allows it.
    Default = 0,
    /// It is the owner.
    Own = 1,
    /// A route of the manifest.
    Route = 2,
    /// A grant of the manifest.
    Grant = 3,
    /// Somebody who has it lets it have it.
    Delegation = 4,
}

impl Rule {
    /// Every rule, in numeric order.
    pub const ALL: [Rule; 5] = [Rule::Default, Rule::Own, Rule::Route, Rule::Grant, Rule::Delegation];

    /// The rule with this number.
    pub fn from_wire(number: u8) -> Option<Rule> {
        Rule::ALL.into_iter().find(|&rule| rule as u8 == number)
    }

    /// What audits and listings call it.
    pub const fn name(self) -> &'static str {
        match self {
            Rule::Default => "default",
            Rule::Own => "own",
            Rule::Route => "route",
            Rule::Grant => "grant",
            Rule::Delegation => "delegation",
        }
    }
}
