//! Messages: registers, status word, IPC page.
//!
//! | register | in | out |
//! | --- | --- | --- |
//! | `t2` | number | badge |
//! | `t3` | handle | sender's service id |
//! | `a0`–`a7` | eight words | eight words |
//! | `t5` | deadline, where the number says so | trace id |
//! | `t6` | length and handles ([`Extent`]), where the number says so | 0 |
//! | `t0` | – | status ([`Status`]) |
//! | `t4` | – | sender's process id |
//! | `t1`, `ra` | – | 0 |
//!
//! Kept: `pc sp gp tp s0`–`s11`. No message register is ever interpreted by the kernel.

/// Words of a message that travel in registers.
pub const WORDS: usize = 8;
/// Bytes that travel through the IPC pages; longer is `EOVERLIMIT`.
pub const MAX_INLINE: usize = 4032;
/// Bytes of one line for the console ring: with each of them escaped and a prefix before them, a page.
pub const MAX_LINE: usize = 1000;
/// Handles that one message carries at most.
pub const MAX_HANDLES: usize = 7;
/// Bytes of the IPC page before the payload: one [`Extent`] word and seven handles.
pub const HEADER_BYTES: usize = 64;
/// Calls that may be nested: a server that serves one of them may make the next, up to this depth.
pub const MAX_CALL_DEPTH: usize = 16;

/// What the IPC page carries beside the words: payload length and number of handles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Payload bytes, at most [`MAX_INLINE`].
    pub length: usize,
    /// Handles in the header, at most [`MAX_HANDLES`].
    pub handles: usize,
    /// What happens to the sender's own handles.
    pub passing: Passing,
}

/// What happens to the handles that a message names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Passing {
    /// The receiver gets a derived copy that the sender can revoke.
    #[default]
    Lend,
    /// The sender's handle is closed, and what it could revoke stands under its parent.
    Move,
}

impl Extent {
    /// Bits of the word that hold the length.
    pub const LENGTH: u64 = 0xffff;
    /// Bits of the word that hold the number of handles.
    pub const HANDLES: u64 = 0xff << 16;
    const MOVE: u64 = 1 << 24;

    /// The `t6` word.
    pub const fn to_word(self) -> u64 {
        let passing = match self.passing {
            Passing::Lend => 0,
            Passing::Move => Self::MOVE,
        };
        self.length as u64 | (self.handles as u64) << 16 | passing
    }

    /// The extent in this word; `None` if a bound is exceeded or an unknown bit set.
    pub const fn from_word(word: u64) -> Option<Extent> {
        let (length, handles) = ((word & 0xffff) as usize, (word >> 16 & 0xff) as usize);
        if length > MAX_INLINE || handles > MAX_HANDLES || word >> 25 != 0 {
            return None;
        }
        let passing = if word & Self::MOVE != 0 { Passing::Move } else { Passing::Lend };
        Some(Extent { length, handles, passing })
    }
}

/// The `t0` word of an answer: an error number in the low 16 bits, and what arrived above it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status(pub u64);

impl Status {
    /// Success; of a receive: a call in eight words.
    pub const OK: Status = Status(0);
    /// The IPC page's header and payload belong to this message.
    pub const EXTENDED: u64 = 1 << 16;
    /// Not a message: the bound notification was signalled. `a0` bits (wait set: `a0` bits, `a1` key).
    pub const SIGNAL: u64 = 1 << 17;
    /// A one-way message: no reply link is open.
    pub const ONE_WAY: u64 = 1 << 18;
    /// A fault of the sender, delivered as a call: `a0` cause, `a1` pc, `a2` address. A reply resumes it.
    pub const FAULT: u64 = 1 << 19;

    /// The status of a refusal.
    pub const fn refused(error: crate::Error) -> Status {
        Status(error.number() as u64)
    }

    /// The error, if it is one. A number that this version does not know reads as `EPROTO`.
    pub const fn error(self) -> Option<crate::Error> {
        match self.0 as u16 {
            0 => None,
            number => match crate::Error::from_number(number) {
                Some(error) => Some(error),
                None => Some(crate::Error::Protocol),
            },
        }
    }

    /// True if the flag is set.
    pub const fn has(self, flag: u64) -> bool {
        self.0 & flag != 0
    }
}
