//! Calls: eight words to an endpoint, and a wait for the answer.

use super::{Attempt, Halt, Request, endpoint::Endpoint, transfer::Letter};
use crate::prelude::*;
use crate::trace::What;

impl Kernel {
    /// Sends to a waiting receiver and switches to it, or queues the caller.
    #[inline(always)]
    pub(super) fn call(&'static self, context: &Context, held: &Held<'_>, request: &Request) -> Attempt<()> {
        let (found, endpoint) = self.endpoint_of(context, request.target, Rights::USE)?;
        if request.deadline.passed(context.now) {
            return Err(Error::TimedOut.into());
        }
        if context.thread.link.get() != 0 {
            self.check_chain(context.thread, **held, endpoint)?;
        }
        let badge = found.badge.get();
        let Some(receiver) = endpoint.receivers.first(&self.threads) else {
            let thread = context.thread;
            if request.extent & Extent::HANDLES != 0 {
                self.check_outgoing(context, request)?;
            }
            let heir = self.heir(endpoint);
            if let Some(heir) = heir {
                self.check_wait(context, held, endpoint, heir)?;
            }
            thread.badge.set(badge);
            thread.extent.set(request.extent);
            self.queue_caller(context, endpoint, heir, request.deadline.0);
            if let Some(heir) = heir.filter(|heir| held.require(heir.header.shard()).is_ok()) {
                self.lend_slice(context.cpu, thread, heir, context.now);
            }
            return Err(Halt::Stop(Stop::Blocked));
        };
        held.require(receiver.header.shard())?;
        let cargo = &context.cpu.own().cargo[1];
        let letter = Letter { from: context.thread, to: receiver, extent: request.extent, badge, flags: 0, cargo };
        self.check_transfer(held, &letter)?;
        self.transfer(&letter);
        endpoint.receivers.pop(receiver);
        context.thread.waits_on.set(receiver.header.me());
        self.block(context, State::Awaiting, request.deadline.0);
        self.oblige(context.thread, receiver);
        if receiver.cpu() != context.cpu.id.get() {
            self.bring(context.cpu, receiver);
        }
        self.hand_over(context, receiver);
        Err(Halt::Stop(Stop::Blocked))
    }

    /// The endpoint behind a handle of the caller with these rights: to call it, or to receive there.
    #[inline(always)]
    pub(super) fn endpoint_of(
        &self,
        context: &Context,
        target: u64,
        rights: Rights,
    ) -> Result<(&'static Slot, &'static Endpoint), Error> {
        let handle = Handle::from_raw(target).ok_or(Error::BadHandle)?;
        let found = self.slot(context.process(), handle)?;
        if !found.allows(Kind::Endpoint, rights) {
            return Err(context.capability(handle, Kind::Endpoint, rights).err().unwrap_or(Error::PeerClosed));
        }
        let endpoint = self.endpoints.get(found.object.get()).ok_or(Error::PeerClosed)?;
        Ok((found, endpoint))
    }

    /// A queued message's handles are looked at now, so that the caller hears at once of its own mistakes.
    #[cold]
    fn check_outgoing(&self, context: &Context, request: &Request) -> Result<(), Error> {
        for at in 0..Extent::from_word(request.extent).unwrap_or_default().handles {
            let raw = self.frames.at(context.thread.ipc_frame.get()).0[1 + at].get();
            let found = self.slot(context.process(), Handle::from_raw(raw).ok_or(Error::BadHandle)?)?;
            if !found.rights().contains(Rights::TRANSFER) {
                return Err(Error::Permission);
            }
        }
        Ok(())
    }

    /// Makes `server` the one who has to answer `caller`, in the caller's class if that is higher.
    #[inline(always)]
    pub(super) fn oblige(&self, caller: &Thread, server: &Thread) {
        debug_assert!(self.shards.held(caller.header.shard()) && self.shards.held(server.header.shard()));
        server.link.set(caller.renew_token());
        server.trace.set(caller.trace.get());
        server.boost(caller);
    }

    /// Lets a thread run at once in place of the calling one, which is blocked, if it uses this CPU; else wakes it. It
    /// runs on in the caller's slice: two that only ever hand over to each other would else keep their class out.
    /// Whose slice is over does not run at once.
    #[inline(always)]
    pub(super) fn hand_over(&'static self, context: &Context, thread: &'static Thread) {
        let here = thread.cpu() == context.cpu.id.get();
        let first = context.cpu.load.from(thread.class() as u32) >> 1 == 0;
        let over = context.cpu.overtime.get() != 0 && context.cpu.payer.get() == thread.index();
        let handed = here && first && !over && context.thread.state() != State::Running;
        self.trace(context.cpu, if handed { What::Handed } else { What::Message }, Some(thread));
        if handed {
            self.run_partner(context.cpu, thread);
        } else {
            self.make_ready(context.cpu, thread);
        }
    }
}
