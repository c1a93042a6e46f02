//! Turns: by a call of the running thread the CPU goes to another one, and nothing else is to be looked at.
//!
//! What [`super`] does after every event, for the two calls that mostly do no more: giving the CPU away, and waking somebody
//! of a higher class who waits here. It leaves the same state. `false` means that nothing was changed.

use crate::sched::{EXPIRED, queue::End};
use crate::thread::{State, Thread, reg};
use crate::{Kernel, event::serve::blank, percpu::Here};
use nexus_abi::syscall::{Notify, Syscall as _, Yield};

/// A thread that may take the CPU, and whom it works for.
#[derive(Clone, Copy)]
pub(crate) struct Heir {
    pub(crate) thread: &'static Thread,
    payer: &'static Thread,
}

impl Kernel {
    /// The running thread's call, if it gives the CPU to another and needs no more; its answer is written then.
    #[inline(always)]
    pub fn turn(&'static self, cpu: Here, thread: &'static Thread, now: u64) -> bool {
        let (number, frame) = (thread.frame.get(reg::T2), &thread.frame);
        let turned = number != self.machine.refused
            && match number {
                Yield::NUMBER => self.give_turn(cpu, thread, now),
                Notify::NUMBER => {
                    self.signal_direct(cpu, thread, (frame.get(reg::T3), frame.message(0)), now).is_some()
                }
                _ => false,
            };
        if turned {
            blank(frame);
        }
        turned
    }

    /// The running thread gives the CPU to the first of its class.
    #[inline(always)]
    fn give_turn(&'static self, cpu: Here, thread: &'static Thread, now: u64) -> bool {
        let class = thread.class();
        if cpu.queue().from(class) != 1 {
            return false;
        }
        let first = cpu.queue().first(&self.threads, class).filter(|first| !first.slice_is_over(now));
        let Some(heir) = first.and_then(|first| self.heir_of_turn(cpu, first)) else { return false };
        self.account_turn(cpu, now);
        thread.slice_left.set(0);
        thread.set_state(State::Ready);
        cpu.queue().turn(&self.threads, heir.thread, thread, class);
        heir.thread.set_state(State::Running);
        self.take_turn(cpu, heir, now);
        true
    }

    /// The running thread is interrupted by one of a higher class, which was just woken and is in no list.
    #[inline(always)]
    pub(crate) fn lose_turn(&'static self, cpu: Here, thread: &'static Thread, heir: Heir, now: u64) {
        self.account_turn(cpu, now);
        let end = self.stop_slice(cpu, thread, (End::Front, cpu.slice_end.get()), now);
        thread.set_state(State::Ready);
        cpu.queue().push(&self.threads, thread, end);
        self.take_turn(cpu, heir, now);
    }

    /// The running thread is blocked until `server`, whose shard is held, has served it. If that is ready here it comes next
    /// of its class, in the slice of who waits; and so does that one, if it is answered while the slice runs: else whoever
    /// else there is would come between them with each call.
    pub(crate) fn lend_slice(&'static self, cpu: Here, thread: &Thread, server: &'static Thread, now: u64) {
        // Who was woken from elsewhere is in the queue then.
        if cpu.wake_mail.outside().first() != 0 {
            self.take_mail(cpu);
        }
        let (class, end) = (thread.class(), cpu.slice_end.get());
        let ready = server.state() == State::Ready && server.cpu() == cpu.id.get();
        if !ready || server.class() != class || end >= EXPIRED {
            return;
        }
        [thread, server].into_iter().for_each(|thread| thread.slice_left.set(Thread::UNTIL | end as u32));
        cpu.queue().remove(&self.threads, server);
        let first = cpu.queue().from(class) <= 1 && end > now;
        match self.heir_of_turn(cpu, server).filter(|_| first) {
            Some(heir) => {
                self.account_turn(cpu, now);
                server.set_state(State::Running);
                self.begin_turn(cpu, heir, now);
            }
            None => cpu.queue().push(&self.threads, server, End::Front),
        }
    }

    /// Where a thread is queued that was woken: before the others of its class if it lent the slice that runs.
    pub(super) fn end_of_woken(cpu: Here, thread: &Thread) -> End {
        let lent = thread.slice_left.get() == Thread::UNTIL | cpu.slice_end.get() as u32;
        if lent { End::Front } else { End::Back }
    }

    /// That thread, if choosing is a matter of classes alone: no mail, no change, no guard's slice, no trace, no budget.
    #[inline(always)]
    pub(crate) fn heir_of_turn(&self, cpu: Here, thread: &'static Thread) -> Option<Heir> {
        let news = cpu.wake_mail.outside().first() | cpu.reap_mail.outside().first() | cpu.changed.get();
        if news | cpu.traced.get() | cpu.lifted.get() != 0 || cpu.guard_left.get() != 0 {
            return None;
        }
        let payer = self.payer(thread);
        let allowed = thread.affinity.get() >> cpu.id.get() & 1 != 0;
        (allowed && !thread.timed() && !payer.timed()).then_some(Heir { thread, payer })
    }

    /// [`Kernel::account`] for a thread that runs, with nothing lifted.
    #[inline(always)]
    fn account_turn(&self, cpu: Here, now: u64) {
        let spent = now.wrapping_sub(cpu.since.get());
        cpu.since.set(now);
        self.charge(cpu.payer.get(), spent);
        cpu.counters.busy.add(spent);
    }

    /// The CPU, whose time is accounted, is another thread's, and nothing else is to be settled.
    #[inline(always)]
    fn take_turn(&'static self, cpu: Here, heir: Heir, now: u64) {
        self.begin_turn(cpu, heir, now);
        cpu.floor.set(self.floor(cpu, now));
    }

    #[inline(always)]
    fn begin_turn(&'static self, cpu: Here, Heir { thread, payer }: Heir, now: u64) {
        let class = thread.class();
        cpu.payer.set(payer.index());
        Self::note_served(cpu, Some(payer.class()));
        cpu.budget_end.set(u64::MAX);
        cpu.overtime.set(0);
        self.enter(cpu, thread, class);
        let waited = cpu.queue().from(class) & 1 == 1;
        cpu.slice_end.set(if waited { now.saturating_add(self.fresh_slice(thread, now)) } else { u64::MAX });
        self.invite(cpu);
    }
}
