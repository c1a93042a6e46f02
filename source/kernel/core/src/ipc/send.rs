//! One-way messages: eight words and at most one handle, into a bounded queue.

use super::endpoint::{Endpoint, Message};
use super::{Attempt, Request};
use crate::prelude::*;

impl Kernel {
    /// Gives the message to a waiting receiver, or queues it. Never waits: a full queue is `EAGAIN`.
    pub(super) fn send(&'static self, context: &Context, held: &Held<'_>, request: &Request) -> Attempt<()> {
        let (found, endpoint) = self.endpoint_of(context, request.target, Rights::USE)?;
        let badge = found.badge.get();
        match endpoint.receivers.first(&self.threads) {
            Some(receiver) => {
                held.require(receiver.header.shard())?;
                let process = self.processes.at(receiver.process.get() as u32);
                let handle = self.post_handle(context, process)?;
                endpoint.receivers.pop(receiver);
                self.hand_one_way(context, receiver, badge, handle);
            }
            None => {
                let index = endpoint.empty.get();
                if index == 0 {
                    return Err(Error::Again.into());
                }
                let owner = self.processes.at(endpoint.header.owner.get());
                let handle = self.post_handle(context, owner)?;
                self.enqueue(context, endpoint, self.messages.at(index), (badge, handle));
            }
        }
        context.thread.frame.set_message([0; 8]);
        context.thread.frame.set_status(0, 0, Stamp::default());
        Ok(())
    }

    /// Derives the handle in `t6`, if there is one, into the receiving process's table.
    fn post_handle(&self, context: &Context, process: &Process) -> Result<u64, Error> {
        let Some(handle) = Handle::from_raw(context.thread.frame.get(reg::T6)) else { return Ok(0) };
        let source = self.slot(context.process(), handle)?;
        let capability = self.transferable(source, process)?;
        self.insert(process, &capability, source.place.get()).map(Handle::raw)
    }

    fn hand_one_way(&'static self, context: &Context, receiver: &'static Thread, badge: u64, handle: u64) {
        receiver.frame.copy_message(&context.thread.frame);
        let extended = self.announce_handle(receiver, handle);
        receiver.frame.set_status(Status::ONE_WAY | extended, badge, context.thread.stamp());
        receiver.waits_on.set(0);
        self.make_ready(context.cpu, receiver);
    }

    fn enqueue(&self, context: &Context, endpoint: &Endpoint, message: &Message, (badge, handle): (u64, u64)) {
        endpoint.empty.set(message.next.get());
        for (at, word) in message.words.iter().enumerate() {
            word.set(context.thread.frame.message(at));
        }
        let stamp = context.thread.stamp();
        for (place, value) in message.stamp.iter().zip([stamp.service, stamp.process, stamp.trace]) {
            place.set(value);
        }
        message.badge.set(badge);
        message.handle.set(handle);
        message.next.set(0);
        let index = message.header.me() as u32;
        match endpoint.queue[1].get() {
            0 => endpoint.queue[0].set(index),
            last => self.messages.at(last).next.set(index),
        }
        endpoint.queue[1].set(index);
        endpoint.note_waiting();
    }
}
