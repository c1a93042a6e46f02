//! Rights: what a capability lets its holder do. They only ever shrink.
//!
//! Four bits, read by kind. `USE` and `TAKE` are the two directions of traffic, `MANAGE` changes the object itself,
//! `TRANSFER` lets the holder pass the capability on (derive into another table, or send in a message).

/// A set of rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rights(u8);

impl Rights {
    /// No rights: the capability can still be closed.
    pub const NONE: Rights = Rights(0);
    /// Endpoint: call and send. Notification: signal. Memory, window: map readable. Reply: answer. Thread: start, bind.
    /// Process: map, create in, insert into. Timer: set. Irq: acknowledge. Roots: mint, create, write.
    pub const USE: Rights = Rights(1);
    /// Endpoint: receive. Notification, wait set: wait. Memory, window: map writable. Process, thread: observe.
    /// Log: drain and claim the console.
    pub const TAKE: Rights = Rights(2);
    /// Endpoint: set a badge. Memory: seal. Process, thread: kill, scheduling, fault endpoint. Wait set: members.
    pub const MANAGE: Rights = Rights(4);
    /// Pass it on to another process.
    pub const TRANSFER: Rights = Rights(8);
    /// Everything.
    pub const ALL: Rights = Rights(15);

    /// The set with these bits; `None` if any is unknown.
    pub const fn from_bits(bits: u64) -> Option<Rights> {
        if bits <= 15 { Some(Rights(bits as u8)) } else { None }
    }

    /// The bits.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// True if every right of `other` is in `self`.
    pub const fn contains(self, other: Rights) -> bool {
        self.0 & other.0 == other.0
    }

    /// The rights in both.
    pub const fn intersection(self, other: Rights) -> Rights {
        Rights(self.0 & other.0)
    }

    /// The rights in either.
    pub const fn union(self, other: Rights) -> Rights {
        Rights(self.0 | other.0)
    }
}
