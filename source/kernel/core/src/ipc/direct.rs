//! The straight way of a message: from the caller to a server that waits on this CPU, and back.
//!
//! It does what [`super::call`] and [`super::reply`] do when nothing unusual is the case, and leaves the same state. All
//! that is unusual it leaves to them: `None` means that nothing was changed. The words stay in their registers.

use crate::{
    Kernel,
    arena::{index_of, wide},
    caps::slot::Slot,
    cpu::Cpu,
    gate::Gate,
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
}

impl Passage {
    /// Writes what the partner is told to its frame, with the words of the sender's.
    #[inline(always)]
    pub fn deliver(&self, sender: &Thread) {
        self.to.frame.copy_message(&sender.frame);
        self.to.frame.set_status(0, self.badge, self.from);
    }
}

/// A wait's end that is not never.
#[derive(Clone, Copy, Debug)]
pub struct Until {
    /// The end.
    pub deadline: u64,
    /// The time.
    pub now: u64,
}

impl Kernel {
    /// A call to a waiting server.
    #[inline(always)]
    pub fn call_direct(&'static self, caller: &'static Thread, target: u64, until: Option<Until>) -> Option<Passage> {
        let gate = caller.gate.get();
        let _held = self.shards.hold_one(Gate::shard(gate));
        let slot = self.near_slot(caller, target);
        if slot.call_key.get() != target {
            return None;
        }
        let endpoint = self.endpoints.named(slot.object.get())?;
        let index = endpoint.receivers.first_index();
        let server = self.threads.place(index)?;
        // Calls inside calls are counted elsewhere.
        if server.gate.get() != Gate::waiting(gate, State::Receiving) || caller.link.get() != 0 {
            return None;
        }
        if !may_wait(caller, until) {
            return None;
        }
        server.gate.set(gate);
        caller.gate.set(Gate::waiting(gate, State::Awaiting));
        begin_wait(caller, until);
        server.boost(caller);
        endpoint.receivers.pop(server);
        server.link.set(caller.renew_token());
        caller.waits_on.set(wide(index) as u64);
        let from = caller.stamp();
        server.trace.set(from.trace);
        Some(Passage { to: server, badge: slot.badge.get(), from })
    }

    /// The answer to a caller that waits on this CPU, when nothing else waits for the server.
    #[inline(always)]
    pub fn reply_recv_direct(
        &'static self,
        cpu: impl FnOnce() -> &'static Cpu,
        server: &'static Thread,
        target: u64,
        until: Option<Until>,
    ) -> Option<Passage> {
        let gate = server.gate.get();
        let _held = self.shards.hold_one(Gate::shard(gate));
        let reference = server.source_endpoint.get();
        let endpoint = self.endpoints.place(index_of(reference))?;
        if server.source.get() != target || !endpoint.is_open(reference) {
            return None;
        }
        let link = server.link.get();
        let caller = self.threads.place(Thread::index_of_token(link))?;
        if caller.token.get() != link || caller.gate.get() != Gate::waiting(gate, State::Awaiting) {
            return None;
        }
        if !caller.reaches(cpu().floor.get()) || !may_wait(server, until) {
            return None;
        }
        caller.gate.set(gate);
        server.gate.set(Gate::waiting(gate, State::Receiving));
        begin_wait(server, until);
        server.unboost();
        caller.token.set(link.wrapping_add(1));
        server.link.set(0);
        endpoint.receivers.push(&self.threads, server);
        Some(Passage { to: caller, badge: 0, from: server.stamp() })
    }

    /// The slot that a handle may name in the first block of a thread's process, as far as the thread knows it; else one
    /// that fits no handle, or another one.
    #[inline(always)]
    fn near_slot(&self, thread: &Thread, target: u64) -> &'static Slot {
        self.blocks.at(thread.near_slots.get() + (target >> 58) as u32)
    }
}

/// True if the wait need not be put into the timing wheel and does not end at once.
#[inline(always)]
fn may_wait(thread: &Thread, until: Option<Until>) -> bool {
    until.is_none_or(|until| until.deadline > until.now && thread.covered(until.deadline))
}

/// Says when the wait ends.
#[inline(always)]
fn begin_wait(thread: &Thread, until: Option<Until>) {
    thread.ends.set(until.map_or(0, |until| until.deadline.wrapping_add(1)));
}
