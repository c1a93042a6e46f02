//! The small words of the records: who, what authority, how often.
//!
//! Each reads itself from one word and refuses every value it does not know, by the rules of [`nexus_abi::field`].

use nexus_abi::Error;
use nexus_abi::field::{Field, Words};

/// One word, decoded by a function that may refuse.
macro_rules! word {
    ($($type:ty: $value:ident => $to:expr, $word:ident => $from:expr;)*) => {$(
        impl Field for $type {
            const WORDS: usize = 1;
            fn read(words: &impl Words, at: usize) -> Result<Self, Error> {
                let $word = words.word(at);
                $from
            }
            fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
                let $value = self;
                put(at, $to);
            }
        }
    )*};
}

/// Somebody of the manifest, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// init itself.
    Init,
    /// A service.
    Service(u16),
    /// A program of the boot image.
    Program(u16),
}

/// What init does when a service ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub enum Restart {
    /// Starts it again, whatever the reason.
    Always = 0,
    /// Starts it again unless it ended itself with status 0.
    OnFailure = 1,
    /// Leaves it.
    Never = 2,
}

impl Restart {
    /// Every policy.
    pub const ALL: [Restart; 3] = [Restart::Always, Restart::OnFailure, Restart::Never];

    /// The manifest's word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Restart::Always => "always",
            Restart::OnFailure => "on-failure",
            Restart::Never => "never",
        }
    }
}

/// Authority that the kernel or init holds at first and the manifest hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Grant {
    /// Write lines to the console ring.
    Log = 0,
    /// Drain the console ring and drive the UART in the kernel's place.
    Console = 1,
    /// Read the system's tables.
    Info = 2,
    /// Stop or reset the machine.
    Power = 3,
    /// Create processes under any program identity.
    Spawn = 4,
    /// Read the boot image's files.
    Image = 5,
    /// Read what every service writes into its record ring.
    Records = 6,
    /// Be asked by init about routes that the manifest does not give.
    Policy = 7,
}

impl Grant {
    /// Every grant.
    pub const ALL: [Grant; 8] = [
        Grant::Log,
        Grant::Console,
        Grant::Info,
        Grant::Power,
        Grant::Spawn,
        Grant::Image,
        Grant::Records,
        Grant::Policy,
    ];

    /// The manifest's word for it, and the name of the handle that carries it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Grant::Log => "log",
            Grant::Console => "console",
            Grant::Info => "info",
            Grant::Power => "power",
            Grant::Spawn => "spawn",
            Grant::Image => "image",
            Grant::Records => "records",
            Grant::Policy => "policy",
        }
    }

    /// Whether a program may hold it: reading and writing only, nothing that makes or ends others.
    #[must_use]
    pub const fn for_programs(self) -> bool {
        matches!(self, Grant::Log | Grant::Info)
    }
}

/// A set of grants.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grants(u16);

impl Grants {
    /// The set with `grant` in it as well.
    #[must_use]
    pub const fn with(self, grant: Grant) -> Self {
        Self(self.0 | 1 << grant as u8)
    }

    /// Whether `grant` is in it.
    #[must_use]
    pub const fn has(self, grant: Grant) -> bool {
        self.0 & 1 << grant as u8 != 0
    }

    /// The grants in it.
    pub fn iter(self) -> impl Iterator<Item = Grant> {
        Grant::ALL.into_iter().filter(move |&grant| self.has(grant))
    }
}

/// How restarts slow down and when they end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backoff {
    /// Milliseconds before the first restart; each further one within the window waits twice as long.
    pub first_ms: u32,
    /// Milliseconds that the wait never exceeds.
    pub most_ms: u32,
    /// Ends within the window after which the service is given up.
    pub limit: u16,
    /// The window in milliseconds.
    pub window_ms: u32,
}

const KIND_SHIFT: u32 = 16;

word! {
    Party: party => match party {
        Party::Init => 0,
        Party::Service(index) => 1 << KIND_SHIFT | u64::from(index),
        Party::Program(index) => 2 << KIND_SHIFT | u64::from(index),
    }, word => match (word >> KIND_SHIFT, word as u16) {
        (0, 0) => Ok(Party::Init),
        (1, index) => Ok(Party::Service(index)),
        (2, index) => Ok(Party::Program(index)),
        _ => Err(Error::Corrupt),
    };
    Restart: restart => restart as u64, word => match word {
        0 => Ok(Restart::Always),
        1 => Ok(Restart::OnFailure),
        2 => Ok(Restart::Never),
        _ => Err(Error::Corrupt),
    };
    Grants: grants => u64::from(grants.0), word => match u16::try_from(word) {
        Ok(bits) if bits >> Grant::ALL.len() == 0 => Ok(Grants(bits)),
        _ => Err(Error::Corrupt),
    };
}

impl Field for Backoff {
    const WORDS: usize = 2;
    fn read(words: &impl Words, at: usize) -> Result<Self, Error> {
        let (waits, ends) = (words.word(at), words.word(at + 1));
        let limit = u16::try_from(ends >> 32).map_err(|_| Error::Corrupt)?;
        Ok(Self { first_ms: (waits >> 32) as u32, most_ms: waits as u32, limit, window_ms: ends as u32 })
    }
    fn write(self, at: usize, put: &mut impl FnMut(usize, u64)) {
        put(at, u64::from(self.first_ms) << 32 | u64::from(self.most_ms));
        put(at + 1, u64::from(self.limit) << 32 | u64::from(self.window_ms));
    }
}
