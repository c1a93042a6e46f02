//! The straight way of a message: from the caller to a server that waits on this CPU, and back.
//!
//! It does what [`super::call`] and [`super::reply`] do when nothing unusual is the case, and leaves the same state. All
//! that is unusual it leaves to them: `None` means that nothing was changed. The words stay in their registers.

use crate::{
    Kernel,
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
    pub fn call_direct(
        &'static self,
        cpu: &Cpu,
        caller: &'static Thread,
        target: u64,
        until: Option<Until>,
    ) -> Option<Passage> {
        let _held = self.shards.hold_one(caller.header.shard());
        let slot = self.near_slot(caller, target);
        if slot.call_key.get() != target {
            return None;
        }
        let endpoint = self.endpoints.get(slot.object.get())?;
        let server = endpoint.receivers.first(&self.threads)?;
        let unlike = caller.gate.unlike(&server.gate, State::Receiving);
        // Calls inside calls are counted elsewhere.
        let nested = caller.link.get() != 0;
        if unlike & !Gate::EASY != 0 || nested || !self.is_covered(caller, until) {
            return None;
        }
        endpoint.receivers.remove_first(&self.threads, server);
        server.trace.set(caller.trace.get());
        server.link.set(caller.renew_token());
        server.gate.end_wait(State::Receiving);
        if unlike != 0 {
            server.boost(caller.class());
        }
        caller.waits_on.set(server.header.me());
        Self::begin_wait(caller, State::Awaiting, until);
        cpu.current.set(server.index());
        Some(Passage { to: server, badge: slot.badge.get(), from: caller.stamp() })
    }

    /// The answer to a caller that waits on this CPU, when nothing else waits for the server.
    #[inline(always)]
    pub fn reply_recv_direct(
        &'static self,
        cpu: &Cpu,
        server: &'static Thread,
        target: u64,
        until: Option<Until>,
    ) -> Option<Passage> {
        let _held = self.shards.hold_one(server.header.shard());
        let slot = self.near_slot(server, target);
        if slot.receive_key.get() != target {
            return None;
        }
        let endpoint = self.endpoints.get(slot.object.get())?;
        let link = server.link.get();
        let caller = self.threads.at(Thread::index_of_token(link));
        if endpoint.waited_for() || caller.token.get() != link {
            return None;
        }
        let unlike = server.gate.unlike(&caller.gate, State::Awaiting) | server.gate.obstacles();
        if unlike & !Gate::EASY != 0 || !cpu.may_go_on_with(caller) || !self.is_covered(server, until) {
            return None;
        }
        caller.renew_token();
        caller.gate.end_wait(State::Awaiting);
        server.link.set(0);
        if unlike != 0 {
            server.unboost();
        }
        server.waits_on.set(endpoint.header.me());
        Self::begin_wait(server, State::Receiving, until);
        endpoint.receivers.push_front(&self.threads, server);
        cpu.current.set(caller.index());
        Some(Passage { to: caller, badge: 0, from: server.stamp() })
    }

    /// The slot that a handle may name in the first block of a thread's process, as far as the thread knows it; else one
    /// that fits no handle.
    #[inline(always)]
    fn near_slot(&self, thread: &Thread, target: u64) -> &'static Slot {
        let index = (target >> 52) as u32;
        self.blocks.at(if index < 64 { thread.near_slots.get() + index } else { 0 })
    }

    /// True if the wait need not be put into the timing wheel: it has no end, or is looked at by then.
    #[inline(always)]
    fn is_covered(&self, thread: &Thread, until: Option<Until>) -> bool {
        let Some(Until { deadline, now }) = until else { return true };
        deadline > now && self.nodes.get(thread.index() as usize).is_some_and(|node| node.covers(deadline))
    }

    /// What [`Kernel::block`] does for a wait that is covered.
    #[inline(always)]
    fn begin_wait(thread: &Thread, state: State, until: Option<Until>) {
        match until {
            None => thread.gate.begin_wait(state),
            Some(until) => {
                thread.deadline.set(until.deadline);
                thread.gate.begin_timed_wait(state);
            }
        }
    }
}
