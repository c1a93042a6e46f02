//! Calls inside calls: how deep they nest, and that they close no circle.
//!
//! A thread's link names the caller that it serves, that caller's link the one before, so the chain is walked backwards from
//! who calls. It only ever grows at that end, since whoever waits for an answer receives nothing: looking at each call is
//! enough. Only a call made while serving one comes here.

use super::{Attempt, endpoint::Endpoint};
use crate::prelude::*;
use nexus_abi::message::MAX_CALL_DEPTH;

impl Kernel {
    /// `EOVERLIMIT`: the call would nest too deep. `EDEADLK`: all threads that could ever receive it wait for the caller.
    #[inline(never)]
    pub(super) fn check_chain(&self, caller: &'static Thread, held: ShardSet, endpoint: &Endpoint) -> Attempt<()> {
        let owner = endpoint.header.owner.get();
        let (mut thread, mut waiting) = (caller, 0);
        for _ in 0..MAX_CALL_DEPTH {
            waiting += u32::from(thread.process.get() as u32 == owner);
            let link = thread.link.get();
            if link != 0 {
                held.require(self.threads.at(Thread::index_of_token(link)).header.shard())?;
            }
            let Some(caller) = self.awaiting(link) else {
                let all = self.processes.at(owner).account.used(Resource::Threads);
                let circle = waiting != 0 && waiting == all;
                return if circle { Err(Error::Deadlock.into()) } else { Ok(()) };
            };
            thread = caller;
        }
        Err(Error::OverLimit.into())
    }

    /// What a call that has to wait at an endpoint needs: all shards, if it changes whom it waits for or that one waits
    /// itself. `EDEADLK`: that one waits for the caller. `EOVERLIMIT`: more wait for each other than may be nested.
    #[inline(always)]
    pub(super) fn check_wait(
        &self,
        context: &Context,
        held: &Held<'_>,
        endpoint: &Endpoint,
        heir: &'static Thread,
    ) -> Attempt<()> {
        let waits = heir.state().blocked() && !core::ptr::eq(heir, context.thread);
        if waits || !heir.reaches(context.thread.class() as u32) {
            held.require_all(ShardSet::ALL)?;
        }
        if waits { self.check_cycle(context, endpoint) } else { Ok(()) }
    }

    #[inline(never)]
    fn check_cycle(&self, context: &Context, endpoint: &Endpoint) -> Attempt<()> {
        let mut next = self.only_server(endpoint);
        for _ in 0..MAX_CALL_DEPTH {
            let Some(thread) = next else { return Ok(()) };
            if core::ptr::eq(thread, context.thread) {
                return Err(Error::Deadlock.into());
            }
            next = match thread.state() {
                State::Calling => self.only_server(self.endpoints.at(index_of(thread.waits_on.get()))),
                State::Awaiting | State::Faulted => self.server_of(thread),
                _ => None,
            };
        }
        Err(Error::OverLimit.into())
    }

    /// The thread that receives at an endpoint, if its process has no other.
    fn only_server(&self, endpoint: &Endpoint) -> Option<&'static Thread> {
        let owner = self.processes.at(endpoint.header.owner.get());
        self.heir(endpoint).filter(|_| owner.account.used(Resource::Threads) == 1)
    }
}
