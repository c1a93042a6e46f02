//! `logs`: records of programs, and what is kept of all records.
//!
//! Services write into rings that init granted; programs, which have none, append by a call. Either way the sender is the
//! kernel's record. Permissions: [`APPEND`] and [`READ`].

use nexus_abi::{Handle, Name, ProcessId, ServiceId};
use nexus_ipc::{Bytes, interface, ring::MAX_RECORD};

/// Permission `append` of the manifest: may add records.
pub const APPEND: u64 = 1;
/// Permission `read` of the manifest: may read everybody's.
pub const READ: u64 = 2;
/// As the sender of a query: whoever it is.
pub const ANYBODY: ServiceId = ServiceId::KERNEL;

/// Records that a sender may add at once, after a rest.
pub const BURST: u32 = 128;
/// Records a second that a sender may add.
pub const RATE: u32 = 64;

interface! {
    /// Keeps records, and answers who asks for them.
    "logs" Logs {
        /// Adds a record (see [`crate::record`]) of the caller's; its number. `EINVAL`: malformed, oversized, or it claims
        /// an identity. `ERATELIMITED`: too many. `EOVERLIMIT`: too many senders. `EPERM`: not by this caller.
        1 append once { record: Bytes<MAX_RECORD> } -> Appended { sequence: u64 };
        /// The first record behind number `after` of this level or one that matters more, of this sender. A process of 0
        /// wrote it through its ring. `ENOENT`: there is none.
        2 next again { after: u64, level: u8, sender: ServiceId } -> Found {
            sequence: u64,
            at: u64,
            sender: ServiceId,
            process: ProcessId,
            record: Bytes<MAX_RECORD>,
        };
        /// The number behind which the last `count` such records stand.
        3 tail again { count: u32, level: u8, sender: ServiceId } -> Tailed { after: u64 };
        /// The sender at `index`, and how many of its records were kept, malformed, over its rate, dropped by itself.
        /// `ENOENT`: the end.
        4 sender again { index: u32 } -> Sender {
            sender: ServiceId,
            kept: u64,
            malformed: u64,
            limited: u64,
            dropped: u64,
        };
        /// The manifest's name of a sender. `ENOENT`: it has none.
        5 name again { sender: ServiceId } -> Named { name: Name };
        /// Signals `bits` once, as soon as there is a record behind number `after`. `EOVERLIMIT`: too many wait.
        6 watch again { after: u64, notification: Handle, bits: u64 } -> Watched {};
    }
}
