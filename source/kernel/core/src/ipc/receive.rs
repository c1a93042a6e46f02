//! Receiving: a signal, a waiting caller, a queued one-way message, or a wait for one of these.

use super::endpoint::{Endpoint, Message};
use super::transfer::{Letter, write_message};
use super::{Attempt, Halt, Request, notification::Notification};
use crate::prelude::*;

/// What a receive will get, found before anything is changed.
pub(super) enum Arrival {
    /// The bound notification has signals.
    Signal(&'static Notification),
    /// A caller whose message can be delivered.
    Caller(&'static Thread),
    /// A caller whose message cannot be delivered, and why: it is told, and the receive starts again.
    Unfit(&'static Thread, Error),
    /// A one-way message.
    OneWay(&'static Message),
    /// Nothing yet.
    Nothing,
}

impl Kernel {
    /// What a receive would get now.
    #[inline(always)]
    pub(super) fn arrival(&self, context: &Context, held: &Held<'_>, endpoint: &Endpoint) -> Attempt<Arrival> {
        if context.thread.serves() != index_of(endpoint.header.me()) {
            held.require_all(ShardSet::ALL)?;
        }
        if let Some(bound) = self.notifications.get(context.thread.bound.get())
            && self.signalled(held, bound)?
        {
            return Ok(Arrival::Signal(bound));
        }
        let message = match endpoint.queue[0].get() {
            0 => None,
            index => Some(self.messages.at(index)),
        };
        let caller = endpoint.callers.iter().rev().find_map(|list| list.first(&self.threads));
        match (caller, message) {
            (None, None) => Ok(Arrival::Nothing),
            (None, Some(message)) => Ok(Arrival::OneWay(message)),
            (Some(_), Some(message)) if endpoint.turn.get() == 0 => Ok(Arrival::OneWay(message)),
            (Some(caller), _) => {
                // Another thread may have been lifted by who is now received.
                if self.other_heir(endpoint, context.thread).is_some() {
                    held.require_all(ShardSet::ALL)?;
                }
                self.arriving(context, held, caller)
            }
        }
    }

    fn arriving(&self, context: &Context, held: &Held<'_>, caller: &'static Thread) -> Attempt<Arrival> {
        held.require(caller.header.shard())?;
        match self.check_transfer(held, &Self::queued_letter(context, caller)) {
            Ok(()) => Ok(Arrival::Caller(caller)),
            Err(Halt::Stop(Stop::Refuse(error))) => Ok(Arrival::Unfit(caller, error)),
            Err(halt) => Err(halt),
        }
    }

    /// The message that a queued caller waits to give.
    fn queued_letter(context: &Context, caller: &'static Thread) -> Letter {
        let extent = caller.extent.get() & !Thread::FAULT;
        let flags = if extent == caller.extent.get() { 0 } else { Status::FAULT };
        let (badge, cargo) = (caller.badge.get(), &context.cpu.own().cargo[1]);
        Letter { from: caller, to: context.thread, extent, badge, flags, cargo }
    }

    /// Takes what was found, or waits. Cannot fail.
    #[inline(always)]
    pub(super) fn accept(
        &'static self,
        context: &Context,
        endpoint: &Endpoint,
        arrival: Arrival,
        request: &Request,
    ) -> Attempt<()> {
        let thread = context.thread;
        match arrival {
            Arrival::Signal(bound) => {
                let (bits, key) = self.take(bound);
                write_message(thread, [bits, key, 0, 0, 0, 0, 0, 0], Status::SIGNAL, 0, Stamp::default());
            }
            Arrival::Caller(caller) => {
                endpoint.turn.set(0);
                self.serve_at(context.cpu, thread, endpoint);
                self.receive_caller(endpoint, &Self::queued_letter(context, caller));
                // Whom the caller lifted from the queue it lifts from the link, if that is the same thread.
                self.reclass(context.cpu, self.other_heir(endpoint, thread));
            }
            Arrival::OneWay(message) => {
                endpoint.turn.set(1);
                self.serve_at(context.cpu, thread, endpoint);
                self.receive_one_way(endpoint, message, thread);
            }
            Arrival::Unfit(caller, error) => {
                endpoint.remove_caller(&self.threads, caller);
                caller.waits_on.set(0);
                caller.frame.refuse(error);
                self.make_ready(context.cpu, caller);
                self.reclass(context.cpu, self.heir(endpoint));
                return Err(Halt::Stop(Stop::Restart));
            }
            Arrival::Nothing if request.deadline.passed(context.now) => {
                thread.frame.refuse(Error::TimedOut);
            }
            Arrival::Nothing => {
                self.serve_at(context.cpu, thread, endpoint);
                let near = endpoint.header.shard() == thread.header.shard();
                thread.source.set(request.target);
                let reference = endpoint.header.me();
                thread.source_endpoint.set(if near { reference } else { index_of(reference).into() });
                self.block(context, State::Receiving, request.deadline.0);
                endpoint.receivers.push(&self.threads, thread);
                return Err(Halt::Stop(Stop::Blocked));
            }
        }
        if thread.link.get() != 0 || context.cpu.payer.get() != thread.index() {
            self.change_payer(context.cpu, context.now);
        }
        Ok(())
    }

    #[inline(never)]
    fn receive_caller(&self, endpoint: &Endpoint, letter: &Letter) {
        let caller = letter.from;
        endpoint.remove_caller(&self.threads, caller);
        if letter.flags & Status::FAULT != 0 {
            let words = [caller.fault[0].get(), caller.frame.get(0), caller.fault[1].get(), 0, 0, 0, 0, 0];
            write_message(letter.to, words, Status::FAULT, letter.badge, caller.stamp());
        } else {
            self.transfer(letter);
        }
        caller.set_state(if letter.flags & Status::FAULT != 0 { State::Faulted } else { State::Awaiting });
        caller.waits_on.set(letter.to.header.me());
        self.oblige(caller, letter.to);
    }

    #[inline(never)]
    fn receive_one_way(&self, endpoint: &Endpoint, message: &'static Message, thread: &Thread) {
        endpoint.queue[0].set(message.next.get());
        if message.next.get() == 0 {
            endpoint.queue[1].set(0);
        }
        endpoint.note_waiting();
        message.next.set(endpoint.empty.get());
        endpoint.empty.set(message.header.me() as u32);
        let words = core::array::from_fn(|word| message.words[word].get());
        let [service, process, trace] = [0, 1, 2].map(|word: usize| message.stamp[word].get());
        let handle = message.handle.take();
        let extended = self.announce_handle(thread, handle);
        let stamp = Stamp { service, process, trace };
        write_message(thread, words, Status::ONE_WAY | extended, message.badge.get(), stamp);
    }

    /// Writes the handle of a one-way message into a receiver's IPC page; the status flag that says so.
    #[inline(never)]
    pub(super) fn announce_handle(&self, thread: &Thread, handle: u64) -> u64 {
        if handle == 0 {
            return 0;
        }
        let page = &self.frames.at(thread.ipc_frame.get()).0;
        page[0].set(Extent { length: 0, handles: 1, ..Extent::default() }.to_word());
        page[1].set(handle);
        page[2..8].iter().for_each(|word| word.set(0));
        Status::EXTENDED
    }
}
