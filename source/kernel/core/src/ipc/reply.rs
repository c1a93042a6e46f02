//! Answers: by the open link, or by a reply capability that a deferred call became.

use super::{Attempt, Request, receive::Arrival, transfer::Letter};
use crate::event::serve::blank;
use crate::prelude::*;

/// Who is about to be answered; why it cannot take the answer: it is told so instead.
type Caller = (&'static Thread, Option<Error>);

impl Kernel {
    /// Answers the open link, unless this is a receive alone, and receives. If the caller has given up, the answer goes
    /// nowhere and the receive goes on.
    #[inline(always)]
    pub(super) fn reply_and_receive(
        &'static self,
        context: &Context,
        held: &Held<'_>,
        request: &Request,
    ) -> Attempt<()> {
        let (_, endpoint) = self.endpoint_of(context, request.target, Rights::TAKE)?;
        let link = context.thread.link.get();
        if (link == 0) != (request.number == ipc::RECV) {
            return Err(Error::State.into());
        }
        let mut caller = if link == 0 { None } else { self.check_answer(context, held, link, request)? };
        let arrival = self.arrival(context, held, endpoint)?;
        if let Arrival::Unfit(..) = arrival {
            caller = None;
        } else if link != 0 {
            self.close_link(context.thread);
        }
        if let Some(caller) = &caller {
            self.answer(context, caller, request);
        }
        let outcome = self.accept(context, endpoint, arrival, request);
        if let Some(caller) = caller {
            self.hand_over(context, caller.0);
        }
        outcome
    }

    /// Answers the open link, or the call that a reply handle stands for, and goes on.
    pub(super) fn reply_only(&'static self, context: &Context, held: &Held<'_>, request: &Request) -> Attempt<()> {
        let reply = Handle::from_raw(request.target);
        let token = match reply {
            None => context.thread.link.get(),
            Some(handle) => context.capability(handle, Kind::Reply, Rights::USE)?.object.get(),
        };
        if token == 0 {
            return Err(Error::State.into());
        }
        let caller = self.check_answer(context, held, token, request)?;
        match reply {
            None => self.close_link(context.thread),
            Some(handle) => self.move_away(self.slot(context.process(), handle)?),
        }
        if let Some(caller) = &caller {
            self.answer(context, caller, request);
            self.make_ready(context.cpu, caller.0);
        }
        self.change_payer(context.cpu, context.now);
        if caller.is_none() {
            return Err(Error::PeerClosed.into());
        }
        blank(&context.thread.frame);
        Ok(())
    }

    /// The caller with this token, who will be answered; `None` if it no longer waits. Refuses only what is the server's
    /// fault: a caller without room for handles is told so instead of getting them.
    #[inline(always)]
    fn check_answer(
        &self,
        context: &Context,
        held: &Held<'_>,
        token: u64,
        request: &Request,
    ) -> Attempt<Option<Caller>> {
        held.require(self.threads.at(Thread::index_of_token(token)).header.shard())?;
        let Some(thread) = self.awaiting(token) else { return Ok(None) };
        let mut refusal = None;
        if request.extent & Extent::HANDLES != 0 {
            held.require_all(ShardSet::ALL)?;
            let letter = Self::answer_letter(context, thread, request);
            self.check_cargo(&letter)?;
            refusal = self.check_places(&letter).err();
        }
        Ok(Some((thread, refusal)))
    }

    fn answer_letter(context: &Context, to: &'static Thread, request: &Request) -> Letter {
        let cargo = &context.cpu.own().cargo[0];
        Letter { from: context.thread, to, extent: request.extent, badge: 0, flags: 0, cargo }
    }

    /// A thread owes nobody an answer any more.
    #[inline(always)]
    fn close_link(&self, thread: &Thread) {
        thread.link.set(0);
        self.drop_donor(thread);
    }

    /// Gives a caller its answer; it is not made ready yet.
    #[inline(always)]
    fn answer(&self, context: &Context, caller: &Caller, request: &Request) {
        let (thread, refusal) = *caller;
        thread.renew_token();
        if thread.state() == State::Faulted {
            // It goes on where it stopped, with the registers it had.
        } else if let Some(error) = refusal {
            thread.frame.refuse(error);
        } else {
            self.transfer(&Self::answer_letter(context, thread, request));
        }
        thread.set_state(State::Ready);
    }
}

pub(crate) fn defer(context: &Context, _: Defer) -> Verdict<Deferred> {
    let (kernel, _held) = context.hold_all();
    let thread = context.thread;
    let token = thread.link.get();
    if token == 0 {
        return Err(Stop::Refuse(Error::State));
    }
    let shard = kernel.threads.at(Thread::index_of_token(token)).header.shard();
    let capability = Capability { kind: Kind::Reply, object: token, shard, rights: Rights::USE, badge: 0 };
    let reply = kernel.insert(context.process(), &capability, 0)?;
    kernel.close_link(thread);
    kernel.change_payer(context.cpu, context.now);
    Ok(Deferred { reply })
}
