//! Budgets: a process's CPU time per period, on whichever CPUs its work is done.
//!
//! Work is charged to the client: a CPU works for the thread at the start of the chain of calls that the running one
//! serves. A spent process waits for its next period ([`State::Parked`]), or goes on in Normal if it was PerfBurst. A
//! server that is in the middle of its call goes on in its own class; that time is a debt of the client's, of one budget
//! at most, which the next periods pay off first.
//!
//! Happens-before: sums are added to by every CPU at once and order nothing (relaxed); a CPU that reads one a moment old
//! charges the next stretch to it. Everything else changes under all shards.

use super::queue::SPENT;
use crate::prelude::*;
use core::sync::atomic::Ordering::Relaxed;
use nexus_abi::message::MAX_CALL_DEPTH;

/// The time of a process. What is left is taken off by every CPU that works for it; the rest is guarded by all shards.
#[derive(Debug, Default)]
pub struct Budget {
    /// Ticks of each period; both are 0 if there is no bound.
    pub ticks: Word,
    /// Ticks of a period.
    pub period: Word,
    /// What is left of this period's, negative if more was used.
    left: Word,
    /// When the next period begins.
    renewal: Word,
    /// 1 from when nothing is left to the next period.
    pub(crate) spent: Half,
    /// How often that was.
    pub spendings: Word,
}

impl Budget {
    /// Gives it so much of each period, beginning now.
    pub(crate) fn set(&self, ticks: u64, period: u64, now: u64) {
        self.ticks.set(ticks);
        self.period.set(period);
        self.left.set(ticks);
        self.renewal.set(now.saturating_add(period));
        self.spent.set(0);
    }

    /// What is left of this period's; negative if more was used.
    pub(crate) fn left(&self) -> i64 {
        self.left.get() as i64
    }

    /// Begins the period that it is time for. What one used beyond its budget the next one has less.
    fn renew(&self, now: u64) {
        let (ticks, renewal, period) = (self.ticks.get(), self.renewal.get(), self.period.get());
        if now < renewal || period == 0 {
            return;
        }
        let periods = 1 + (now - renewal) / period;
        self.renewal.set(renewal.saturating_add(periods.saturating_mul(period)));
        let debt = self.left().max(-(ticks as i64)).min(0).unsigned_abs();
        self.left
            .set((ticks as i64).wrapping_sub(debt.saturating_sub((periods - 1).saturating_mul(ticks)) as i64) as u64);
    }
}

impl Kernel {
    /// The thread for which a running one works.
    #[inline(never)]
    fn first_caller(&self, mut first: &'static Thread) -> &'static Thread {
        for _ in 0..MAX_CALL_DEPTH {
            let Some(caller) = self.awaiting(first.link.get()) else { break };
            first = caller;
        }
        first
    }

    /// True if a thread that can go on has to wait for its process's next period: nobody waits for it meanwhile.
    #[inline(always)]
    pub(crate) fn parks(&self, thread: &Thread) -> bool {
        thread.timed()
            && self.process_of(thread).budget.spent.get() != 0
            && thread.wished_class() != QosClass::PerfBurst
            && self.donated(thread).is_none()
    }

    /// Sets a ready thread of this CPU aside if it has to wait for its next period.
    #[inline(always)]
    pub(super) fn park_spent(&self, cpu: Here, thread: &Thread) -> bool {
        let _held = thread.timed().then(|| self.shards.hold(ShardSet::ALL));
        let parks = self.parks(thread);
        if parks {
            cpu.dequeue(&self.threads, thread);
            thread.set_state(State::Parked);
            cpu.counters.parked.add(1);
        }
        parks
    }

    /// From now on this CPU works for whoever the running thread does.
    #[inline(always)]
    pub(crate) fn set_payer(&self, cpu: Here, thread: Option<&'static Thread>, now: u64) {
        let payer = thread.map(|thread| if thread.link.get() == 0 { thread } else { self.first_caller(thread) });
        cpu.payer.set(payer.map_or(0, Thread::index));
        cpu.budget_end.set(u64::MAX);
        Self::note_served(cpu, payer.map(Thread::class));
        if let Some(payer) = payer.filter(|payer| payer.timed()) {
            self.watch_budget(cpu, &self.process_of(payer).budget, now);
        }
    }

    #[cold]
    #[inline(never)]
    fn watch_budget(&self, cpu: Here, budget: &Budget, now: u64) {
        if budget.spent.get() != 0 {
            cpu.mark(SPENT);
        } else {
            budget.renew(now);
            cpu.budget_end.set(now.saturating_add(budget.left().max(0) as u64));
        }
    }

    /// The running thread goes on, and for somebody else than before.
    #[inline(never)]
    pub(crate) fn change_payer(&self, cpu: Here, now: u64) {
        self.account(cpu, now);
        cpu.load.unmark(SPENT);
        let index = cpu.current.get();
        self.set_payer(cpu, (index != 0).then(|| self.threads.at(index)), now);
    }

    /// Charges time to the thread that this CPU works for, and its process.
    #[inline(always)]
    pub(super) fn charge(&self, payer: u32, ticks: u64) {
        let thread = self.threads.at(payer);
        thread.cpu_time.atomic().fetch_add(ticks, Relaxed);
        if thread.timed() {
            self.take_from_budget(thread, ticks);
        }
    }

    /// Of a PerfBurst thread that is time in that class only.
    #[cold]
    #[inline(never)]
    fn take_from_budget(&self, thread: &Thread, ticks: u64) {
        let budget = &self.process_of(thread).budget;
        if budget.spent.get() == 0 || thread.wished_class() != QosClass::PerfBurst {
            budget.left.atomic().fetch_sub(ticks, Relaxed);
        }
    }

    /// The time of whoever this CPU works for may be over.
    pub(crate) fn end_budget(&'static self, cpu: Here, now: u64) {
        if cpu.budget_end.get() > now {
            return;
        }
        self.account(cpu, now);
        let held = self.shards.hold(ShardSet::ALL);
        self.review_budget(cpu, self.process_of(self.threads.at(cpu.payer.get())), now);
        drop(held);
        self.change_payer(cpu, now);
    }

    /// A process's time may be used up, or its next period may have begun. Holds all shards.
    pub(crate) fn review_budget(&'static self, cpu: Here, process: &'static Process, now: u64) {
        let (budget, before) = (&process.budget, process.budget.spent.get() != 0);
        budget.renew(now);
        if before || budget.left() <= 0 {
            budget.spendings.add((!before).into());
            self.spend(cpu, process);
        }
    }

    /// A process's time is used up, or it has some again. Holds all shards.
    pub(crate) fn spend(&'static self, cpu: Here, process: &'static Process) {
        let budget = &process.budget;
        budget.spent.set(u32::from(budget.period.get() != 0 && budget.left() <= 0));
        if budget.spent.get() != 0 {
            self.arm(cpu, self.process_nodes() + process.index(), budget.renewal.get());
        }
        for thread in self.threads_of(process) {
            // A period begins with a whole slice: after what was left of one its time would wait behind the others again.
            thread.slice_left.set(0);
            self.set_wish(cpu, thread, thread.wished_class());
        }
    }
}
