//! Answers: by the open link, or by a reply capability that a deferred call became.

use super::{Attempt, Request, receive::Arrival, transfer::Letter};
use crate::{
    Kernel,
    caps::Capability,
    event::{Context, Stop, Verdict, serve::Serve},
    lock::{Held, ShardSet},
    thread::{State, Thread},
};
use nexus_abi::{
    Error, Handle, Kind, Rights,
    message::Extent,
    syscall::{Defer, Deferred},
};

/// An answer about to be given.
#[derive(Clone, Copy, Debug)]
struct Answer {
    letter: Letter,
    /// Why the caller cannot take it: it is told so instead.
    refusal: Option<Error>,
}

impl Kernel {
    /// Answers the open link and receives. If the caller has given up, the answer goes nowhere and the receive goes on.
    #[inline(always)]
    pub(super) fn reply_and_receive(
        &'static self,
        context: &Context,
        held: &Held<'_>,
        request: &Request,
    ) -> Attempt<()> {
        let endpoint = self.receivable(context, request.target)?;
        let link = context.thread.link.get();
        if link == 0 {
            return Err(Error::State.into());
        }
        let answer = self.check_answer(context, held, link, request)?;
        let arrival = self.arrival(context, held, endpoint)?;
        if let Arrival::Unfit(..) = arrival {
            return self.accept(context, endpoint, arrival, request);
        }
        let caller = self.answer(context, answer);
        let outcome = self.accept(context, endpoint, arrival, request);
        if let Some(caller) = caller {
            self.hand_over(context, caller);
        }
        outcome
    }

    /// Answers the open link, or the call that a reply handle stands for, and goes on.
    pub(super) fn reply_only(&'static self, context: &Context, held: &Held<'_>, request: &Request) -> Attempt<()> {
        let reply = Handle::from_raw(request.target);
        let token = match reply {
            None => context.thread.link.get(),
            Some(handle) => context.capability(handle, Kind::Reply, Rights::USE)?.slot.object.get(),
        };
        if token == 0 {
            return Err(Error::State.into());
        }
        let answer = self.check_answer(context, held, token, request)?;
        let gone = answer.is_none();
        if let Some(handle) = reply {
            let place = self.slot(context.process(), handle)?.place;
            self.move_away(place);
            self.give(context, answer);
        } else if let Some(caller) = self.answer(context, answer) {
            self.make_ready(context.cpu, caller);
        }
        self.change_payer(context.cpu, context.now);
        if gone {
            return Err(Error::PeerClosed.into());
        }
        context.thread.frame.set_message([0; 8]);
        context.thread.frame.set_status(0, 0, crate::thread::Stamp::default());
        Ok(())
    }

    /// The answer that will go to the caller with this token; `None` if it no longer waits. Refuses only what is the
    /// server's fault: a caller without room for handles is told so instead of getting them.
    #[inline(always)]
    fn check_answer(
        &self,
        context: &Context,
        held: &Held<'_>,
        token: u64,
        request: &Request,
    ) -> Attempt<Option<Answer>> {
        held.require(self.threads.at(Thread::index_of_token(token)).header.shard())?;
        let Some(caller) = self.awaiting(token) else { return Ok(None) };
        let cargo = &context.cpu.own().cargo[0];
        let letter = Letter { from: context.thread, to: caller, extent: request.extent, badge: 0, flags: 0, cargo };
        if letter.extent & Extent::HANDLES == 0 {
            return Ok(Some(Answer { letter, refusal: None }));
        }
        held.require_all(ShardSet::ALL)?;
        self.check_cargo(&letter)?;
        Ok(Some(Answer { letter, refusal: self.check_places(&letter).err() }))
    }

    /// Closes the open link and gives its caller the answer; the caller is not made ready yet.
    #[inline(always)]
    fn answer(&self, context: &Context, answer: Option<Answer>) -> Option<&'static Thread> {
        let thread = context.thread;
        thread.link.set(0);
        self.drop_donor(thread);
        let answer = answer?;
        self.deliver(&answer);
        Some(answer.letter.to)
    }

    /// Gives a deferred caller its answer and wakes it.
    fn give(&'static self, context: &Context, answer: Option<Answer>) {
        if let Some(answer) = answer {
            self.deliver(&answer);
            self.make_ready(context.cpu, answer.letter.to);
        }
    }

    #[inline(always)]
    fn deliver(&self, answer: &Answer) {
        let caller = answer.letter.to;
        caller.renew_token();
        if caller.state() == State::Faulted {
            // It goes on where it stopped, with the registers it had.
        } else if let Some(error) = answer.refusal {
            caller.frame.refuse(error);
        } else {
            self.transfer(&answer.letter);
        }
        caller.set_state(State::Ready);
    }
}

impl Serve for Defer {
    fn serve(self, context: &Context) -> Verdict<Deferred> {
        let kernel = context.kernel;
        let _held = kernel.shards.hold(ShardSet::ALL);
        let thread = context.thread;
        let token = thread.link.get();
        if token == 0 {
            return Err(Stop::Refuse(Error::State));
        }
        let shard = kernel.threads.at(Thread::index_of_token(token)).header.shard();
        let capability = Capability { kind: Kind::Reply, object: token, shard, rights: Rights::USE, badge: 0 };
        let reply = kernel.insert(context.process(), &capability, 0)?;
        thread.link.set(0);
        kernel.drop_donor(thread);
        kernel.change_payer(context.cpu, context.now);
        Ok(Deferred { reply })
    }
}
