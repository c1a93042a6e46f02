//! Timers: a deadline that signals a notification.

use crate::{
    arena::{Header, Object},
    word::Word,
};

/// A timer. Guarded by its shard.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Timer {
    /// Object header.
    pub header: Header,
    /// Reference of the notification.
    pub notification: Word,
    /// Bits it ORs in.
    pub bits: Word,
    /// When it fires; `u64::MAX`: not armed.
    pub deadline: Word,
}

impl Object for Timer {
    fn header(&self) -> &Header {
        &self.header
    }
}
