//! Notifications: 64 OR-ed signal bits; and wait sets, which are notifications made of keyed members.

use super::endpoint::ThreadList;
use crate::{
    arena::{Header, Object},
    word::{Half, Word},
};

/// A notification or wait set. Guarded by its shard; a member is made in its set's shard.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Notification {
    /// Object header.
    pub header: Header,
    /// Bits that were signalled and not yet taken.
    pub bits: Word,
    /// Threads that wait for it.
    pub waiters: ThreadList,
    /// Reference of the thread that it is bound to; 0 is none.
    pub bound: Word,
    /// 1 if this is a wait set.
    pub is_set: Half,
    /// Wait set: its ready members, the earliest first. Member: `ready[0]` links the next one.
    pub ready: [Half; 2],
    /// Wait set: first member. Member: neighbours among the members.
    pub members: [Half; 2],
    /// Member: reference of its set; 0 is none.
    pub set: Word,
    /// Member: its key.
    pub key: Word,
    /// Member: 1 while it is in its set's ready list.
    pub queued: Half,
}

impl Object for Notification {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl crate::Kernel {
    /// ORs bits into a notification, if it lives, and wakes who waits. Holds all shards.
    pub(crate) fn signal(&'static self, cpu: &'static crate::cpu::Cpu, notification: u64, bits: u64) {
        let _ = (cpu, notification, bits);
    }
}
