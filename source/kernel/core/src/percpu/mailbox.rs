//! A mailbox: any CPU puts something in, its own takes all of it.
//!
//! A stack linked through the objects. An object is in at most one, so it is bounded.
//!
//! Happens-before: a push releases what the sender wrote to the object; the owner's take acquires it.

use super::Sides;
use crate::word::Half;
use core::sync::atomic::Ordering::{Acquire, Release};

/// What was sent to a CPU.
#[derive(Debug, Default)]
pub struct Mailbox(Slot);

/// Where others put it in.
#[derive(Debug, Default)]
pub struct Slot(Half);

impl Mailbox {
    /// Takes everything: the first of the stack, 0 if there is nothing.
    pub(crate) fn take(&self) -> u32 {
        self.0.0.atomic().swap(0, Acquire)
    }
}

impl Sides for Mailbox {
    type Outside = Slot;

    #[inline(always)]
    fn outside(&self) -> &Slot {
        &self.0
    }
}

impl Slot {
    /// The first of the stack as of now, 0 if there is nothing.
    #[inline(always)]
    pub(crate) fn first(&self) -> u32 {
        self.0.get()
    }

    /// Puts an object in, by the link that it has for that.
    pub(crate) fn push(&self, link: &Half, index: u32) {
        let mut head = self.first();
        loop {
            link.set(head);
            match self.0.atomic().compare_exchange_weak(head, index, Release, Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}
