//! Blocking, and the ends of it: an answer, a deadline, a death.

use super::endpoint::Endpoint;
use crate::gate::Gate;
use crate::prelude::*;

impl Kernel {
    /// Blocks the calling thread, which says what it waits for; its CPU looks for another when the event settles.
    #[inline]
    pub(super) fn block(&self, context: &Context, state: State, deadline: u64) {
        let thread = context.thread;
        debug_assert!(thread.state() == State::Running, "blocked without running");
        debug_assert!(self.shards.held(thread.header.shard()), "blocked outside its shard");
        thread.gate.set(Gate::waiting(thread.gate.get(), state));
        if thread.near_slots.get() == 0 {
            thread.near_slots.set(context.process().blocks[0].get() * 64);
        }
        self.arm_thread(context.cpu, thread, deadline);
    }

    /// Ends a wait with an error. Holds all shards.
    pub(crate) fn end_wait(&'static self, cpu: Here, thread: &'static Thread, error: Error) {
        let queued = thread.state() == State::Calling && thread.extent.get() & Thread::FAULT != 0;
        if queued || thread.state() == State::Faulted {
            self.end_faulted(cpu, thread);
            return;
        }
        self.set_aside(cpu, thread);
        thread.frame.refuse(error);
        self.make_ready(cpu, thread);
    }

    /// Takes a thread out of whatever it waits in: it is in no list and does not run until somebody says so. An object's
    /// place is not released while a thread is in one of its lists, so the index suffices even if the object is dead. The
    /// caller holds the shards of both. Whom it lifted is looked at last, since that may lead back to this thread.
    pub(crate) fn set_aside(&'static self, cpu: Here, thread: &Thread) {
        debug_assert!(self.shards.held(thread.header.shard()), "taken out of its wait from outside its shard");
        let (on, mut lifted) = (thread.waits_on.get(), None);
        match thread.state() {
            State::Calling => {
                let endpoint = self.endpoints.at(index_of(on));
                endpoint.remove_caller(&self.threads, thread);
                lifted = self.heir(endpoint);
            }
            State::Receiving => {
                self.endpoints.at(index_of(thread.source_endpoint.get())).receivers.remove(&self.threads, thread);
            }
            State::Waiting => {
                self.notifications.at(index_of(on)).waiters.remove(&self.threads, thread);
            }
            State::Mourning => {
                self.processes.at(index_of(on)).mourners.remove(&self.threads, thread);
            }
            State::Awaiting | State::Faulted => {
                lifted = self.server_of(thread);
                thread.renew_token();
            }
            State::Dead | State::New | State::Ready | State::Running | State::Parked => {}
        }
        thread.waits_on.set(0);
        thread.set_state(State::New);
        self.reclass(cpu, lifted);
    }

    /// Puts the calling thread last among an endpoint's callers of its class, and lifts whom they lift.
    pub(super) fn queue_caller(
        &'static self,
        context: &Context,
        endpoint: &Endpoint,
        heir: Option<&'static Thread>,
        deadline: u64,
    ) {
        context.thread.waits_on.set(endpoint.header.me());
        self.block(context, State::Calling, deadline);
        endpoint.add_caller(&self.threads, context.thread);
        self.reclass(context.cpu, heir.filter(|heir| !heir.reaches(context.thread.class() as u32)));
    }

    /// The thread that a caller's token names, if it still waits for that answer.
    #[inline(always)]
    pub(crate) fn awaiting(&self, token: u64) -> Option<&'static Thread> {
        if token == 0 {
            return None;
        }
        let thread = self.threads.at(Thread::index_of_token(token));
        (thread.token.get() == token && matches!(thread.state(), State::Awaiting | State::Faulted)).then_some(thread)
    }

    /// The right to answer a caller is gone: the caller is told. Holds all shards.
    pub(crate) fn abandon_caller(&'static self, cpu: Here, token: u64) {
        if let Some(caller) = self.awaiting(token) {
            self.end_wait(cpu, caller, Error::PeerClosed);
        }
    }

    /// Wakes up to 16 of those that wait at an endpoint that is gone; true if there may be more. Holds all shards.
    pub(super) fn dismiss(&'static self, cpu: Here, endpoint: &Endpoint) -> bool {
        for _ in 0..16 {
            let queued = endpoint.callers.iter().find_map(|list| list.first(&self.threads));
            let Some(thread) = queued.or_else(|| endpoint.receivers.first(&self.threads)) else { return false };
            self.end_wait(cpu, thread, Error::PeerClosed);
        }
        true
    }
}
