//! The straight way of a message: from the caller to a server that waits on this CPU, and back.
//!
//! It does what [`super::call`] and [`super::reply`] do when nothing unusual is the case, and leaves the same state. All
//! that is unusual it leaves to them: `None` means that nothing was changed. The words stay in their registers.

use crate::{
    Kernel,
    arena::{index_of, wide},
    caps::slot::Slot,
    gate::Gate,
    ipc::endpoint::Endpoint,
    percpu::Here,
    thread::{Stamp, State, Thread},
};

/// Who goes on in place of the calling thread, and what it is told besides the words.
#[derive(Clone, Copy, Debug)]
pub struct Passage {
    /// The thread.
    pub to: &'static Thread,
    /// Badge of the caller's capability; 0 for an answer.
    pub badge: u64,
    /// Who sent it.
    pub from: Stamp,
    /// Its status.
    pub status: u64,
}

/// A wait's end that is not never.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// The end.
    pub deadline: u64,
    /// The time.
    pub now: u64,
}

/// Who asks to hand over the CPU.
#[derive(Clone, Copy)]
pub(super) struct Asker {
    pub(super) thread: &'static Thread,
    /// Its gate.
    pub(super) gate: u64,
    pub(super) until: Option<Until>,
}

/// Who may wait for an answer.
#[derive(Clone, Copy)]
pub(super) struct Waiter {
    pub(super) thread: &'static Thread,
    /// What names its wait.
    pub(super) token: u64,
    /// The gate with which it would go on.
    pub(super) running: u64,
}

/// Where a message goes on that does not go straight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// The detour may take it.
    Detour,
    /// The detour would find what the straight way found: nobody waits for a call, or somebody for the server.
    General,
}

impl Kernel {
    /// A call to a waiting server.
    #[inline(always)]
    pub fn call_direct(
        &'static self,
        caller: &'static Thread,
        target: u64,
        until: Option<Until>,
    ) -> Result<Passage, Elsewhere> {
        let gate = caller.gate.get();
        let _held = self.shards.hold_one(Gate::shard(gate));
        let slot = self.near_slot(caller, target);
        // Calls inside calls are counted elsewhere.
        if slot.call_key.get() != target || caller.link.get() != 0 {
            return Err(Elsewhere::Detour);
        }
        self.call_at(Asker { thread: caller, gate, until }, slot, gate).ok_or(Elsewhere::General)
    }

    /// The call, if the endpoint's latest receiver can go on here, with the gate `running`.
    #[inline(always)]
    pub(super) fn call_at(&'static self, caller: Asker, slot: &'static Slot, running: u64) -> Option<Passage> {
        let endpoint = self.endpoints.named(slot.object.get())?;
        let index = endpoint.receivers.first_index();
        let server = self.threads.place(index)?;
        if server.gate.get() != Gate::waiting(running, State::Receiving) || !caller.may_wait() {
            return None;
        }
        debug_assert!(self.shards.held(server.header.shard()) && self.shards.held(caller.thread.header.shard()));
        server.gate.set(running);
        caller.wait(State::Awaiting);
        let caller = caller.thread;
        server.boost(caller);
        endpoint.receivers.pop(server);
        server.link.set(caller.renew_token());
        caller.waits_on.set(wide(index) as u64);
        let from = caller.stamp();
        server.trace.set(from.trace);
        Some(Passage { to: server, badge: slot.badge.get(), from, status: 0 })
    }

    /// The answer to a caller that waits on this CPU, when nothing else waits for the server.
    #[inline(always)]
    pub fn reply_recv_direct(
        &'static self,
        cpu: impl FnOnce() -> Here,
        server: &'static Thread,
        target: u64,
        until: Option<Until>,
    ) -> Result<Passage, Elsewhere> {
        let gate = server.gate.get();
        let _held = self.shards.hold_one(Gate::shard(gate));
        let endpoint = self.source_of(server, target).ok_or(Elsewhere::General)?;
        let token = server.link.get();
        let caller = self.threads.place(Thread::index_of_token(token)).ok_or(Elsewhere::General)?;
        let caller = Waiter { thread: caller, token, running: gate };
        self.answer_to(caller, Asker { thread: server, gate, until }, endpoint, cpu).ok_or(Elsewhere::Detour)
    }

    /// The endpoint from which a thread may receive again by this handle, if nothing waits there.
    #[inline(always)]
    pub(super) fn source_of(&self, server: &Thread, target: u64) -> Option<&'static Endpoint> {
        let reference = server.source_endpoint.get();
        let endpoint = self.endpoints.place(index_of(reference))?;
        (server.source.get() == target && endpoint.is_open(reference)).then_some(endpoint)
    }

    /// The answer, if its caller waits for it and can go on here.
    #[inline(always)]
    pub(super) fn answer_to(
        &'static self,
        caller: Waiter,
        server: Asker,
        endpoint: &'static Endpoint,
        cpu: impl FnOnce() -> Here,
    ) -> Option<Passage> {
        let Waiter { thread: caller, token, running } = caller;
        if caller.token.get() != token || caller.gate.get() != Gate::waiting(running, State::Awaiting) {
            return None;
        }
        if !caller.reaches(cpu().floor.get()) || !server.may_wait() {
            return None;
        }
        debug_assert!(self.shards.held(caller.header.shard()) && self.shards.held(server.thread.header.shard()));
        caller.gate.set(running);
        server.wait(State::Receiving);
        let server = server.thread;
        server.unboost();
        caller.token.set(token.wrapping_add(1));
        server.link.set(0);
        endpoint.receivers.push(&self.threads, server);
        Some(Passage { to: caller, badge: 0, from: server.stamp(), status: 0 })
    }

    /// The slot that a handle may name in the first block of a thread's process, as far as the thread knows it; else one
    /// that fits no handle, or another one.
    #[inline(always)]
    fn near_slot(&self, thread: &Thread, target: u64) -> &'static Slot {
        self.blocks.at(thread.near_slots.get() + (target >> 58) as u32)
    }
}

impl Asker {
    /// True if the wait need not be put into the timing wheel and does not end at once.
    #[inline(always)]
    fn may_wait(&self) -> bool {
        self.until.is_none_or(|until| until.deadline > until.now && self.thread.covered(until.deadline))
    }

    /// It waits, and says until when.
    #[inline(always)]
    fn wait(&self, state: State) {
        self.thread.gate.set(Gate::waiting(self.gate, state));
        self.thread.ends.set(self.until.map_or(0, |until| until.deadline.wrapping_add(1)));
    }
}
