//! A mailbox: any CPU puts something in, its own takes all of it.
//!
//! A stack linked through the objects. An object is in at most one, so it is bounded.
//!
//! Happens-before: a push releases what the sender wrote to the object; the owner's take acquires it.

use crate::{arena::Tag, word::Half};
use core::sync::atomic::Ordering::{Acquire, Release};

/// What was sent to a CPU.
#[derive(Debug, Default)]
pub struct Mailbox(Half);

impl Mailbox {
    /// Takes everything. Only its CPU has a way to it: [`Here::take_mail`](super::Here).
    pub(super) fn take(&self) -> Tag {
        Tag(self.0.atomic().swap(0, Acquire))
    }

    /// The first of the stack as of now; the empty link if there is nothing.
    pub(crate) fn first(&self) -> Tag {
        Tag(self.0.get())
    }

    /// True if there is nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.first().0 == 0
    }

    /// Puts an object in, by the link that it has for that.
    pub(crate) fn push(&self, link: &Half, object: Tag) {
        let mut head = self.0.get();
        loop {
            link.set(head);
            match self.0.atomic().compare_exchange_weak(head, object.0, Release, Acquire) {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }
}
