//! Why a manifest is refused: one rule, one line of one file.
//!
//! The rule's name is stable (scripts and tests match it); the text after it is for people.

use std::fmt;

macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident $name:literal;)*) => {
        /// What a manifest broke.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Rule { $($(#[$doc])* $variant,)* }

        impl Rule {
            /// Every rule.
            pub const ALL: &'static [Rule] = &[$(Rule::$variant,)*];

            /// The stable name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Rule::$variant => $name,)* }
            }
        }
    };
}

rules! {
    /// Not TOML, or a key is there twice.
    Syntax "syntax";
    /// A key that this version does not know.
    UnknownKey "unknown-key";
    /// A key that must be there is not.
    MissingKey "missing-key";
    /// A value of another type than the key takes.
    WrongType "wrong-type";
    /// A number that the key's type cannot hold.
    OutOfRange "out-of-range";
    /// A word that is not one of those the key knows.
    UnknownWord "unknown-word";
    /// The same word twice in one list.
    Repeated "repeated";
    /// A name that is empty, too long, or has other characters than a-z, 0-9 and hyphens.
    BadName "bad-name";
    /// Two services, two programs or two devices of one name.
    DuplicateName "duplicate-name";
    /// A prefix that begins the lines of somebody else.
    DuplicatePrefix "duplicate-prefix";
    /// Two names whose hashes agree.
    CollidingIds "colliding-ids";
    /// A service that the manifest does not have.
    UnknownService "unknown-service";
    /// An interface that the named service does not provide.
    UnknownInterface "unknown-interface";
    /// A device that the manifest does not have.
    UnknownDevice "unknown-device";
    /// Two services, or one twice, claim one device.
    DeviceOwners "device-owners";
    /// Two device names for one node, so that its registers and interrupt would have two owners.
    DeviceAlias "device-alias";
    /// Services that call each other in a circle.
    CallCycle "call-cycle";
    /// `after` contradicts the calls or itself.
    StartOrder "start-order";
    /// The quotas together ask for more than the machine has.
    OverCapacity "over-capacity";
    /// init cannot do its work with its own quota.
    InitQuota "init-quota";
    /// A program that no service which may start programs has the quota for.
    ProgramQuota "program-quota";
    /// A class above what policy allows.
    QosAbovePolicy "qos-above-policy";
    /// PerfBurst without a budget.
    BurstWithoutBudget "burst-without-budget";
    /// A budget that is empty, as long as its period or longer, or of a period below a millisecond.
    BadBudget "bad-budget";
    /// A weight that is not 1 to 1000.
    BadShares "bad-shares";
    /// An empty list of CPUs.
    NoCpu "no-cpu";
    /// A stack that is empty or not whole pages.
    StackSize "stack-size";
    /// A restart policy that restarts at once, never slows down, or never gives up.
    BadRestart "bad-restart";
    /// A program with authority that only services may have.
    ProgramGrant "program-grant";
    /// Authority that one service only can have, given to two.
    SoleGrant "sole-grant";
    /// More entries than the wiring's format has room for.
    TooMany "too-many";
}

/// One refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The file, as it was named to the tool.
    pub file: String,
    /// Its line, counted from 1.
    pub line: usize,
    /// The rule that it breaks.
    pub rule: Rule,
    /// What is wrong, for people.
    pub text: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}: {}", self.file, self.line, self.rule.name(), self.text)
    }
}

/// A refusal before the file's name is added.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) line: usize,
    pub(super) rule: Rule,
    pub(super) text: String,
}

/// Refuses at a line.
pub(super) fn broken(rule: Rule, line: usize, text: impl Into<String>) -> Broken {
    Broken { line, rule, text: text.into() }
}
