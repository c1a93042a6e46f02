//! Scheduling: who runs next on which CPU.
//!
//! The highest class with a ready thread runs. Inside a class threads take turns, a slice each; nobody is interrupted
//! for the end of a slice while nobody waits for its place. A dead process is taken back in the class of whoever
//! ended it, before the ready threads of that class.

pub mod budget;
pub mod guard;
pub mod queue;
pub mod spread;
pub mod turn;
pub mod wake;

use crate::prelude::*;
use crate::trace::What;
use core::sync::atomic::Ordering::{AcqRel, Release};
use guard::GUARD_SLICES;
use queue::{End, SPENT, highest};

/// Part of a slice for which a server goes on at most when the slice of whom it serves is over.
const OVERTIME: u64 = 16;

/// In [`Own::slice_end`](crate::cpu::Own::slice_end): the slice is over, but nobody of the running thread's class waits.
pub(crate) const EXPIRED: u64 = u64::MAX - 1;

impl Kernel {
    /// After every event: take mail, choose who runs, set the slice. What makes the last two needed raises the floor.
    #[inline(always)]
    pub(crate) fn settle(&'static self, cpu: Here, now: u64) {
        if self.is_unsettled(cpu) {
            self.decide_aside(cpu, now);
        }
    }

    /// True if somebody may have to take the CPU, or be given a slice.
    #[inline(always)]
    pub(crate) fn is_unsettled(&self, cpu: Here) -> bool {
        Self::has_news(cpu) || self.running(cpu).is_none_or(|thread| !thread.reaches(cpu.floor.get()))
    }

    /// True if this CPU has mail, or a thread that uses it was changed.
    fn has_news(cpu: Here) -> bool {
        !cpu.mail.is_empty() || cpu.changed.get() != 0
    }

    #[inline(never)]
    fn decide_aside(&'static self, cpu: Here, now: u64) {
        self.decide(cpu, now);
    }

    /// What there is to settle, whatever the floor is.
    #[inline(always)]
    pub(crate) fn decide(&'static self, cpu: Here, now: u64) {
        if Self::has_news(cpu) {
            self.take_news(cpu, now);
        }
        let current = self.running(cpu);
        match current {
            Some(thread) if !Self::must_leave(cpu, thread) => self.set_slice(cpu, thread, now),
            _ => self.choose(cpu, current, now),
        }
        self.trace_time(cpu, now);
        self.set_floor(cpu, now);
    }

    /// After an event that the running thread did not cause: whoever takes the CPU from it now leaves it its slice.
    pub(crate) fn settle_outside(&'static self, cpu: Here, now: u64) {
        cpu.outside.set(1);
        self.decide_aside(cpu, now);
        cpu.outside.set(0);
    }

    /// The end of an event, after which everything is looked at while events are recorded, a slice goes on that is over, or
    /// the guard has one to give or has given one.
    #[inline(never)]
    fn set_floor(&self, cpu: Here, now: u64) {
        let waiting = cpu.load.from(0);
        let news = cpu.overtime.get() | cpu.traced.get() | cpu.lifted.get() != 0 || cpu.guard_left.get() != 0;
        cpu.floor.set(match highest(waiting) {
            _ if news => u32::MAX,
            None => 0,
            Some(class) => {
                let begins = cpu.slice_end.get() >= EXPIRED || cpu.load.from(class as u32) >> 1 != 0;
                class as u32 + u32::from(begins)
            }
        });
        if waiting != 0 && cpu.guard_at.get() == u64::MAX {
            self.watch_starving(cpu, GUARD_SLICES, now);
        }
    }

    /// True if a higher class is ready, a dead process of this class or a higher one is to be taken back, or the time of
    /// whoever it works for is used up.
    #[inline(always)]
    fn must_leave(cpu: Here, thread: &Thread) -> bool {
        if cpu.guard_left.get() != 0 {
            return Self::must_leave_by_guard(cpu, thread);
        }
        cpu.load.from(thread.class() as u32) >> 1 != 0
    }

    #[inline(never)]
    fn choose(&'static self, cpu: Here, current: Option<&'static Thread>, now: u64) {
        self.yield_cpu(cpu, current, End::Front, now);
        let best = self.best(cpu, now);
        let lifted = self.lifted(cpu, best, now);
        cpu.lifted.set(u32::from(lifted.is_some()));
        let reap = cpu.load.reap_class().filter(|&reap| lifted.is_none() && Some(reap) >= best.map(Thread::class));
        match lifted.or(best) {
            Some(thread) if reap.is_none() => {
                cpu.dequeue(&self.threads, thread);
                if !Self::knows(cpu, thread) {
                    Self::arrive(cpu, thread);
                }
                self.trace(cpu, What::Run, Some(thread));
                thread.change_state(State::Ready, State::Running);
                self.begin_turn(cpu, thread, now);
                if lifted.is_some() {
                    cpu.slice_end.set(now.saturating_add(cpu.guard_left.get()));
                }
            }
            _ => self.rest(cpu, reap, now),
        }
    }

    /// No thread has the CPU: dead processes of this class are taken back, or nothing is done.
    fn rest(&'static self, cpu: Here, reap: Option<QosClass>, now: u64) {
        self.set_payer(cpu, None, now);
        cpu.current.atomic().store(0, Release);
        cpu.level.set(reap.map_or(0, |class| 1 + class as u32));
        if reap.is_some() {
            Self::note_served(cpu, reap);
            return self.invite(cpu);
        }
        self.trace(cpu, What::Run, None);
        cpu.guard_at.set(u64::MAX);
        self.seek(cpu);
    }

    /// The first thread of the highest class that may run here now.
    #[inline(always)]
    fn best(&self, cpu: Here, now: u64) -> Option<&'static Thread> {
        let plain = |first: &&Thread| !first.timed() && cpu.allows(first) && !first.slice_is_over(now);
        let first = cpu.best(&self.threads)?;
        let search = || QosClass::ALL.into_iter().rev().find_map(|class| self.eligible(cpu, class, now));
        Some(first).filter(plain).or_else(search)
    }

    /// The first thread of a class that may run here now. Those whose time is used up are set aside, one whose slice was
    /// used up by what it woke goes behind the others; those that may not use this CPU any more wait for the kick that is
    /// under way.
    fn eligible(&self, cpu: Here, class: QosClass, now: u64) -> Option<&'static Thread> {
        loop {
            let thread = cpu.ready[class as usize].iter(&self.threads).find(|thread| cpu.allows(thread))?;
            if thread.slice_is_over(now) {
                thread.slice_left.set(0);
                cpu.dequeue(&self.threads, thread);
                cpu.enqueue(&self.threads, thread, End::Back);
            } else if !self.park_spent(cpu, thread) {
                return Some(thread);
            }
        }
    }

    /// Takes mail; threads of this CPU whose class was changed are queued anew, and who works for whom is looked at again.
    #[inline(never)]
    fn take_news(&'static self, cpu: Here, now: u64) {
        self.take_mail(cpu);
        if cpu.changed.atomic().swap(0, AcqRel) == 0 {
            return;
        }
        for class in QosClass::ALL {
            let list = &cpu.ready[class as usize];
            while let Some(thread) = list.iter(&self.threads).find(|thread| thread.class() != class) {
                cpu.dequeue(&self.threads, thread);
                cpu.enqueue(&self.threads, thread, End::Back);
            }
        }
        self.change_payer(cpu, now);
    }

    /// The thread that holds the CPU and can go on.
    pub(super) fn running(&self, cpu: Here) -> Option<&'static Thread> {
        let index = cpu.current.get();
        let thread = (index != 0).then(|| self.threads.at(index))?;
        (thread.state() == State::Running).then_some(thread)
    }

    /// Takes the CPU from the thread that can go on; leaves nobody on it.
    #[inline(always)]
    pub(super) fn yield_cpu(&self, cpu: Here, current: Option<&'static Thread>, end: End, now: u64) {
        self.account(cpu, now);
        if let Some(thread) = current {
            self.put_back(cpu, thread, end, now);
        }
        cpu.current.atomic().store(0, Release);
        cpu.slice_end.set(u64::MAX);
        cpu.lifted.set(0);
        cpu.payer.set(0);
        cpu.load.unmark(SPENT);
        cpu.overtime.set(0);
    }

    /// Queues a thread that could go on, at this end unless its slice is over. Who is interrupted keeps what is left of it,
    /// or it would never end for one that wakes others often.
    #[inline(never)]
    pub(super) fn put_back(&self, cpu: Here, thread: &'static Thread, end: End, now: u64) {
        let (end, left) = match cpu.slice_end.get() {
            u64::MAX => (end, 0),
            over if over <= now || over == EXPIRED || cpu.overtime.get() != 0 => (End::Back, 0),
            later => (end, later - now),
        };
        thread.slice_left.set(match if end == End::Front { left } else { 0 } {
            left if left == 0 || cpu.outside.get() == 1 => left as u32,
            left => Thread::UNTIL | (now + left) as u32,
        });
        thread.change_state(State::Running, State::Ready);
        cpu.enqueue(&self.threads, thread, end);
    }

    /// The CPU, that nobody has, is this thread's, with a slice if somebody of its class waits.
    #[inline(always)]
    pub(super) fn begin_turn(&'static self, cpu: Here, thread: &'static Thread, now: u64) {
        self.set_payer(cpu, Some(thread), now);
        self.put_on(cpu, thread);
        let waited = Self::waited_for(cpu, thread);
        cpu.slice_end.set(if waited { self.end_of_slice(thread, now) } else { u64::MAX });
    }

    /// True if a thread ran here before, and may.
    fn knows(cpu: Here, thread: &Thread) -> bool {
        thread.affinity.get() & thread.ran_on.get() & 1 << cpu.id.get() != 0
    }

    /// What holds for every turn of a thread that this CPU knows.
    #[inline(always)]
    fn put_on(&'static self, cpu: Here, thread: &'static Thread) {
        cpu.overtime.set(0);
        cpu.level.set(1 + thread.class() as u32);
        cpu.current.atomic().store(thread.index(), Release);
        cpu.counters.switches.add(1);
        thread.switches.add(1);
        self.invite(cpu);
    }

    /// Counts a thread that runs here for the first time, and one that should not.
    #[cold]
    fn arrive(cpu: Here, thread: &Thread) {
        let (here, before) = (1 << cpu.id.get(), thread.ran_on.get());
        // A mask that changes at this moment: its thread is being sent away.
        if thread.affinity.get() & here == 0 && cpu.evict.get() == 0 {
            cpu.counters.outside.add(1);
        }
        thread.ran_on.set(before | here);
        cpu.counters.tasks.add(u64::from(before & here == 0));
    }

    /// Gives the CPU from a thread that waits for an answer, or has given one, to its partner. No time is charged: the
    /// partner works on the account of whoever the CPU was given to by the scheduler.
    #[inline(always)]
    pub(crate) fn run_partner(&self, cpu: Here, thread: &'static Thread) {
        cpu.current.set(thread.index());
        thread.set_state(State::Running);
    }

    /// Charges the time since the last change to whoever it was worked for.
    #[inline(always)]
    pub(super) fn account(&self, cpu: Here, now: u64) {
        let spent = now.wrapping_sub(cpu.since.get());
        cpu.since.set(now);
        let payer = cpu.payer.get();
        if payer != 0 {
            self.charge(payer, spent);
        }
        let idle = payer == 0 && cpu.load.reap_class().is_none();
        if idle { &cpu.counters.idle } else { &cpu.counters.busy }.add(spent);
        if cpu.lifted.get() != 0 {
            match cpu.guard_left.get().saturating_sub(spent) {
                0 => self.end_guard(cpu),
                left => cpu.guard_left.set(left),
            }
        }
    }

    /// A slice begins when somebody of the same class waits. It goes with the CPU along calls and answers: who calls a
    /// higher class all the time still comes to its end.
    #[inline(always)]
    fn set_slice(&self, cpu: Here, thread: &Thread, now: u64) {
        let end = cpu.slice_end.get();
        if end >= EXPIRED && Self::waited_for(cpu, thread) {
            cpu.slice_end.set(if end == EXPIRED { now } else { self.end_of_slice(thread, now) });
        }
    }

    fn waited_for(cpu: Here, thread: &Thread) -> bool {
        cpu.load.from(thread.class() as u32) & 1 != 0
    }

    /// The end of a slice that begins: what an interrupted thread has left, or a whole one, as long as its weight says.
    #[inline(never)]
    fn end_of_slice(&self, thread: &Thread, now: u64) -> u64 {
        let left = thread.slice_left.get();
        thread.slice_left.set(0);
        let whole = self.machine.slice * u64::from(thread.shares.get()) / u64::from(Process::SHARES);
        now.saturating_add(match left {
            0 => whole,
            // A time that is long past looks like one to come.
            left => Thread::slice_span(left, now).min(whole),
        })
    }

    /// The slice may be over: then the running thread goes behind the others of its class. A server at work for whose slice
    /// it was first answers, if that does not take long: else that one's turn would be the server's, and who calls a server
    /// that others keep busy would wait for every second turn in vain.
    pub(crate) fn end_slice(&'static self, cpu: Here, now: u64) {
        if cpu.slice_end.get() > now {
            return;
        }
        match self.running(cpu) {
            Some(thread) if cpu.lifted.get() == 0 && !Self::waited_for(cpu, thread) => cpu.slice_end.set(EXPIRED),
            Some(thread) if cpu.lifted.get() | cpu.overtime.get() == 0 && cpu.payer.get() != thread.index() => {
                cpu.overtime.set(1);
                cpu.slice_end.set(now.saturating_add(self.machine.slice / OVERTIME));
            }
            _ => self.rotate(cpu, End::Back, now),
        }
    }

    /// Takes the CPU from the running thread.
    #[inline(never)]
    pub(crate) fn rotate(&'static self, cpu: Here, end: End, now: u64) {
        self.yield_cpu(cpu, self.running(cpu), end, now);
    }
}

#[cfg(test)]
#[path = "sched_tests.rs"]
mod tests;
