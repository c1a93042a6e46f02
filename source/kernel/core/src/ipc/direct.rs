//! The straight way of a message: from the caller to a server that waits on this CPU, and back.
//!
//! It does what [`super::call`] and [`super::reply`] do when nothing unusual is the case, and leaves the same state. All
//! that is unusual it leaves to them: `None` means that nothing was changed. The words stay in their registers.
//!
//! With those for the words taken, seven registers are left that need not be saved first, and saving two costs more than
//! all of this loses by asking twice: so what a second look needs (a target, a gate, a deadline) is asked for again, by
//! functions, and a second lock stands in memory.

use crate::prelude::*;
use crate::{gate::Gate, ipc::endpoint::Endpoint};
use core::hint::black_box;

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

/// Who asks to hand over the CPU.
#[derive(Clone, Copy)]
pub(super) struct Asker<C> {
    pub(super) thread: &'static Thread,
    /// The time, if its wait is to end: at the deadline in its frame.
    pub(super) clock: Option<C>,
}

/// Who may wait for an answer.
#[derive(Clone, Copy)]
pub(super) struct Waiter<F> {
    pub(super) thread: &'static Thread,
    /// What names its wait.
    pub(super) token: u64,
    /// Its shard, if that need not be the server's.
    pub(super) far: Option<F>,
}

/// The shard of a partner that must live in that of the running thread.
const NEAR: Option<fn() -> usize> = None;

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
        target: impl Fn() -> u64,
        clock: Option<impl Fn() -> u64>,
    ) -> Result<Passage, Elsewhere> {
        let _held = self.shards.hold_one(Gate::shard(caller.gate.get()));
        let handle = target();
        // The slot that it may name in the first block of the process, as far as the thread knows it; else one that fits no
        // handle, or another one.
        let slot = self.blocks.at(caller.near_slots.get() + (handle >> 58) as u32);
        let asker = Asker { thread: caller, clock };
        if slot.call_key.get() == handle && caller.link.get() == 0 {
            return self.call_at(asker, slot, NEAR).ok_or(Elsewhere::General);
        }
        // Calls inside calls are counted elsewhere.
        if caller.link.get() != 0 {
            return Err(Elsewhere::Detour);
        }
        let far = || (target() >> 48) as usize;
        let _far = black_box(self.shards.try_one(far()).ok_or(Elsewhere::Detour)?);
        if slot.key.get() != target() || !slot.allows(Kind::Endpoint, Rights::USE) {
            return Err(Elsewhere::Detour);
        }
        self.call_at(asker, slot, Some(far)).ok_or(Elsewhere::General)
    }

    /// The call, if the endpoint's latest receiver can go on here; `far` is the endpoint's shard if that need not be the
    /// caller's.
    #[inline(always)]
    pub(super) fn call_at(
        &'static self,
        caller: Asker<impl Fn() -> u64>,
        slot: &'static Slot,
        far: Option<impl Fn() -> usize>,
    ) -> Option<Passage> {
        if !caller.may_wait() {
            return None;
        }
        let endpoint = self.endpoints.named(slot.object.get())?;
        let server = self.threads.place(endpoint.receivers.top.get())?;
        let caller = caller.hand_over(server, State::Receiving, State::Awaiting, far)?;
        debug_assert!(self.shards.held(server.header.shard()) && self.shards.held(caller.header.shard()));
        endpoint.receivers.pop(server);
        server.boost(caller);
        server.link.set(caller.renew_token());
        caller.waits_on.set(server.header.me());
        let from = caller.stamp();
        server.trace.set(from.trace);
        Some(Passage { to: server, badge: slot.badge.get(), from, status: 0 })
    }

    /// The answer to a caller that waits on this CPU, when nothing else waits for the server.
    #[inline(always)]
    pub fn reply_recv_direct(
        &'static self,
        cpu: impl Fn() -> Here,
        server: &'static Thread,
        target: u64,
        clock: Option<impl Fn() -> u64>,
    ) -> Result<Passage, Elsewhere> {
        let _held = self.shards.hold_one(Gate::shard(server.gate.get()));
        let endpoint = self.source_of(server, target).ok_or(Elsewhere::General)?;
        let token = server.link.get();
        let caller = self.threads.place(Thread::index_of_token(token)).ok_or(Elsewhere::General)?;
        let asker = Asker { thread: server, clock };
        let waiter = Waiter { thread: caller, token, far: NEAR };
        if let Some(passage) = self.answer_to(waiter, &asker, endpoint, &cpu) {
            return Ok(passage);
        }
        // A shard that is held already is not had twice.
        let far = || Gate::shard(caller.gate.get());
        let _far = black_box(self.shards.try_one(far()).ok_or(Elsewhere::General)?);
        let waiter = Waiter { thread: caller, token: server.link.get(), far: Some(far) };
        self.answer_to(waiter, &asker, endpoint, cpu).ok_or(Elsewhere::General)
    }

    /// The endpoint from which a thread may receive again by this handle, if nothing waits there.
    #[inline(always)]
    pub(super) fn source_of(&self, server: &Thread, target: u64) -> Option<&'static Endpoint> {
        if server.source.get() != target {
            return None;
        }
        let reference = server.source_endpoint.get();
        self.endpoints.place(index_of(reference)).filter(|endpoint| endpoint.open.get() == reference)
    }

    /// The answer, if its caller waits for it and can go on here.
    #[inline(always)]
    pub(super) fn answer_to(
        &'static self,
        caller: Waiter<impl Fn() -> usize>,
        server: &Asker<impl Fn() -> u64>,
        endpoint: &'static Endpoint,
        cpu: impl Fn() -> Here,
    ) -> Option<Passage> {
        let Waiter { thread: caller, token, far } = caller;
        if caller.token.get() != token || !caller.reaches(cpu().floor.get()) || !server.may_wait() {
            return None;
        }
        let server = server.hand_over(caller, State::Awaiting, State::Receiving, far)?;
        debug_assert!(self.shards.held(caller.header.shard()) && self.shards.held(server.header.shard()));
        server.unboost();
        caller.renew_token();
        server.link.set(0);
        endpoint.receivers.push(&self.threads, server);
        Some(Passage { to: caller, badge: 0, from: server.stamp(), status: 0 })
    }
}

impl<C: Fn() -> u64> Asker<C> {
    #[inline(always)]
    fn deadline(&self) -> u64 {
        self.thread.frame.get(reg::T5)
    }

    /// True if the wait need not be put into the timing wheel and does not end at once.
    #[inline(always)]
    fn may_wait(&self) -> bool {
        self.clock.as_ref().is_none_or(|now| {
            let deadline = self.deadline();
            deadline > now() && self.thread.covered(deadline)
        })
    }

    /// It waits in state `after`, until its deadline, and the partner runs, if that waits on this CPU in state `before`, in
    /// shard `far` or in the same.
    #[inline(always)]
    fn hand_over(
        &self,
        to: &Thread,
        before: State,
        after: State,
        far: Option<impl Fn() -> usize>,
    ) -> Option<&'static Thread> {
        let thread = self.thread;
        let running = thread.gate.get();
        let other = Gate::running(to.gate.get(), before);
        let alike = match &far {
            None => other == running,
            Some(shard) => Gate::alike_but_for_shard(other, running) && Gate::names_shard(other, shard()),
        };
        if !alike {
            return None;
        }
        to.gate.set(other);
        let running = if far.is_some() { thread.gate.get() } else { running };
        thread.gate.set(Gate::waiting(running, after));
        thread.ends.set(self.clock.as_ref().map_or(0, |_| self.deadline().wrapping_add(1)));
        Some(thread)
    }
}
