//! Scheduling: who runs next on which CPU.
//!
//! The highest class with a ready thread runs. Inside a class threads take turns, a slice each; nobody is interrupted
//! for the end of a slice while nobody waits for its place. A dead process is taken back in the class of whoever
//! ended it, before the ready threads of that class.

pub mod calls;
pub mod queue;
pub mod spread;
pub mod stop;
pub mod wake;

use crate::{
    Kernel,
    cpu::Cpu,
    thread::{State, Thread},
    trace::What,
};
use core::sync::atomic::Ordering::Release;
use nexus_abi::QosClass;
use queue::End;

/// In [`Cpu::slice_end`]: the slice is over, but nobody of the running thread's class waits.
pub(crate) const EXPIRED: u64 = u64::MAX - 1;

/// 1 + the highest of four classes, one bit each; 0 for none.
const ABOVE: [u8; 16] = [0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4];

impl Kernel {
    /// After every event: take mail, choose who runs, set the slice.
    #[inline(always)]
    pub(crate) fn settle(&'static self, cpu: &'static Cpu, now: u64) {
        if cpu.wake_mail.get() | cpu.reap_mail.get() != 0 {
            self.take_mail(cpu);
        }
        match self.running(cpu) {
            Some(thread) if !Self::must_leave(cpu, thread) => self.set_slice(cpu, thread, now),
            current => self.choose(cpu, current, now),
        }
        cpu.floor.set(if cpu.queue.idle() { 0 } else { Self::floor(cpu) });
        self.trace_time(cpu, now);
    }

    /// After an event that the running thread did not cause: whoever takes the CPU from it now leaves it its slice.
    pub(crate) fn settle_outside(&'static self, cpu: &'static Cpu, now: u64) {
        cpu.outside.set(1);
        self.settle(cpu, now);
        cpu.outside.set(0);
    }

    /// See [`Cpu::floor`].
    #[cold]
    fn floor(cpu: &Cpu) -> u32 {
        let above = |classes: u32| ABOVE[classes as usize & 15].into();
        let ready: u32 = above(cpu.queue.occupied());
        let begun = u32::from(ready > 0 && cpu.slice_end.get() < EXPIRED);
        (ready - begun).max(above(cpu.queue.reaping()))
    }

    /// True if a higher class is ready, or a dead process of this class or a higher one is to be taken back.
    #[inline(always)]
    fn must_leave(cpu: &Cpu, thread: &Thread) -> bool {
        let class = thread.class() as u32;
        (cpu.queue.occupied() >> 1 | cpu.queue.reaping()) >> class != 0
    }

    #[cold]
    fn choose(&'static self, cpu: &'static Cpu, current: Option<&'static Thread>, now: u64) {
        self.yield_cpu(cpu, current, End::Front, now);
        let best = self.best(cpu);
        let reap = self.reap_class(cpu);
        if reap.is_some() && reap >= best {
            cpu.level.set(1 + reap.map_or(0, |class| class as u32));
            self.invite(cpu);
            return;
        }
        let next = best.and_then(|class| self.next_of(cpu, class, now));
        self.run(cpu, next, now);
        match next {
            Some(thread) => {
                self.set_slice(cpu, thread, now);
                self.invite(cpu);
            }
            None => self.seek(cpu),
        }
    }

    /// The highest class with a ready thread. A thread that comes first and whose class another CPU has changed meanwhile
    /// is queued anew before.
    fn best(&self, cpu: &Cpu) -> Option<QosClass> {
        loop {
            let class = cpu.queue.best()?;
            let first = cpu.queue.first(&self.threads, class)?;
            if first.class() == class {
                return Some(class);
            }
            cpu.queue.remove(&self.threads, first);
            cpu.queue.push(&self.threads, first, End::Back);
        }
    }

    /// Takes the first of a class; one whose slice was used up by what it woke goes behind the others.
    fn next_of(&self, cpu: &Cpu, class: QosClass, now: u64) -> Option<&'static Thread> {
        let first = cpu.queue.pop(&self.threads, class)?;
        let left = first.slice_left.get();
        if left & Thread::UNTIL != 0 && left & !Thread::UNTIL <= now {
            first.slice_left.set(0);
            cpu.queue.push(&self.threads, first, End::Back);
            return cpu.queue.pop(&self.threads, class);
        }
        Some(first)
    }

    /// The thread that holds the CPU and can go on.
    #[inline]
    fn running(&self, cpu: &Cpu) -> Option<&'static Thread> {
        let index = cpu.current.get();
        let thread = (index != 0).then(|| self.threads.at(index))?;
        (thread.state() == State::Running).then_some(thread)
    }

    /// The highest class in which a dead process is being taken back here.
    pub(crate) fn reap_class(&self, cpu: &Cpu) -> Option<QosClass> {
        let classes = cpu.queue.reaping();
        QosClass::ALL.into_iter().rev().find(|&class| classes & 1 << class as u32 != 0)
    }

    /// Takes the CPU from the thread that can go on; leaves nobody on it.
    fn yield_cpu(&self, cpu: &Cpu, current: Option<&'static Thread>, end: End, now: u64) {
        self.account(cpu, now);
        let slice_end = cpu.slice_end.get();
        cpu.current.atomic().store(0, Release);
        cpu.slice_end.set(u64::MAX);
        if let Some(thread) = current {
            // Who is interrupted keeps what is left of its slice, or it would never end for one that wakes others often.
            let (end, left) = match slice_end {
                u64::MAX => (end, 0),
                over if over <= now || over == EXPIRED => (End::Back, 0),
                later => (end, later - now),
            };
            let left = if end == End::Front { left } else { 0 };
            thread.slice_left.set(if left == 0 || cpu.outside.get() == 1 {
                left
            } else {
                Thread::UNTIL | (now + left)
            });
            thread.set_state(State::Ready);
            cpu.queue.push(&self.threads, thread, end);
        }
    }

    /// Gives the CPU to a thread, or to nobody.
    pub(crate) fn run(&self, cpu: &Cpu, thread: Option<&'static Thread>, now: u64) {
        self.account(cpu, now);
        cpu.slice_end.set(u64::MAX);
        cpu.level.set(thread.map_or(0, |thread| 1 + thread.class() as u32));
        cpu.current.atomic().store(thread.map_or(0, Thread::index), Release);
        self.trace(cpu, What::Run, thread);
        if let Some(thread) = thread {
            thread.set_state(State::Running);
            cpu.counters.switches.add(1);
            thread.switches.add(1);
            let here = 1 << cpu.id.get();
            if thread.ran_on.get() & here == 0 {
                thread.ran_on.set(thread.ran_on.get() | here);
                cpu.counters.tasks.add(1);
            }
        }
    }

    /// Gives the CPU from a thread that waits for an answer, or has given one, to its partner. No time is charged: the
    /// partner works on the account of whoever the CPU was given to by the scheduler.
    #[inline(always)]
    pub(crate) fn run_partner(&self, cpu: &Cpu, thread: &'static Thread) {
        cpu.current.set(thread.index());
        thread.set_state(State::Running);
    }

    /// Charges the time since the last change to whoever had it.
    fn account(&self, cpu: &Cpu, now: u64) {
        let spent = now.wrapping_sub(cpu.since.get());
        cpu.since.set(now);
        match cpu.current.get() {
            0 if self.reap_class(cpu).is_none() => cpu.counters.idle.add(spent),
            0 => cpu.counters.busy.add(spent),
            thread => {
                self.threads.at(thread).cpu_time.add(spent);
                cpu.counters.busy.add(spent);
            }
        }
    }

    /// A slice begins when somebody of the same class waits. It goes with the CPU along calls and answers: who calls a
    /// higher class all the time still comes to its end.
    #[inline(always)]
    fn set_slice(&self, cpu: &Cpu, thread: &Thread, now: u64) {
        let end = cpu.slice_end.get();
        if end >= EXPIRED && Self::waited_for(cpu, thread) {
            let left = if end == EXPIRED { 0 } else { self.fresh_slice(thread, now) };
            cpu.slice_end.set(now.saturating_add(left));
        }
    }

    fn waited_for(cpu: &Cpu, thread: &Thread) -> bool {
        cpu.queue.occupied() >> thread.class() as u32 & 1 == 1
    }

    /// What an interrupted thread has left, or a whole slice.
    fn fresh_slice(&self, thread: &Thread, now: u64) -> u64 {
        match thread.slice_left.take() {
            0 => self.machine.slice,
            until if until & Thread::UNTIL != 0 => (until & !Thread::UNTIL).saturating_sub(now),
            left => left,
        }
    }

    /// The slice may be over: then the running thread goes behind the others of its class.
    pub(crate) fn end_slice(&'static self, cpu: &'static Cpu, now: u64) {
        if cpu.slice_end.get() > now {
            return;
        }
        match self.running(cpu) {
            Some(thread) if !Self::waited_for(cpu, thread) => cpu.slice_end.set(EXPIRED),
            _ => self.rotate(cpu, now),
        }
    }

    /// Puts the running thread behind the others of its class.
    pub(crate) fn rotate(&'static self, cpu: &'static Cpu, now: u64) {
        let current = self.running(cpu);
        self.yield_cpu(cpu, current, End::Back, now);
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{self, WIDE};
    use crate::thread::{State, Thread};
    use crate::{Kernel, cpu::Cpu};
    use nexus_abi::QosClass;

    /// Two threads of one class, the first of which wakes a third of a higher class all the time.
    #[test]
    fn who_is_interrupted_often_still_comes_to_the_end_of_its_slice() {
        let kernel = testing::machine(1, 256);
        let process = testing::process(kernel, "app/test", &WIDE);
        let [waker, other, urgent]: [&Thread; 3] = core::array::from_fn(|_| testing::thread(kernel, process));
        urgent.set_base_class(QosClass::Interactive);
        testing::put_on_cpu(kernel, 0, waker);
        let cpu = &kernel.cpus[0];
        testing::wake(kernel, cpu, other);
        kernel.settle(cpu, 0);
        let mut now = 0;
        for _ in 0..2 * kernel.machine.slice / 10 {
            now += 10;
            testing::wake(kernel, cpu, urgent);
            kernel.settle(cpu, now);
            assert_eq!(cpu.current.get(), urgent.index());
            urgent.set_state(State::Waiting);
            cpu.current.set(0);
            kernel.settle(cpu, now);
            kernel.end_slice(cpu, now);
            kernel.settle(cpu, now);
        }
        assert!(other.cpu_time.get() > 0, "the other thread of the class never ran");
        assert!(waker.cpu_time.get() > 0);
    }

    /// How long the first of two threads of one class keeps the CPU from the other while a third of a higher class runs for
    /// 90 ticks of each 100: woken by `settle`, which tells by whom.
    fn kept_while_another_works(settle: fn(&'static Kernel, &'static Cpu, u64)) -> u64 {
        let kernel = testing::machine(1, 256);
        let process = testing::process(kernel, "app/test", &WIDE);
        let [waker, other, urgent]: [&Thread; 3] = core::array::from_fn(|_| testing::thread(kernel, process));
        urgent.set_base_class(QosClass::Interactive);
        testing::put_on_cpu(kernel, 0, waker);
        let cpu = &kernel.cpus[0];
        testing::wake(kernel, cpu, other);
        kernel.settle(cpu, 0);
        let mut now = 0;
        while cpu.current.get() == waker.index() {
            now += 10;
            testing::wake(kernel, cpu, urgent);
            settle(kernel, cpu, now);
            assert_eq!(cpu.current.get(), urgent.index());
            now += 90;
            urgent.set_state(State::Waiting);
            kernel.settle(cpu, now);
            kernel.end_slice(cpu, now);
            kernel.settle(cpu, now);
            assert!(now < 20 * kernel.machine.slice, "the other thread never runs");
        }
        assert_eq!(cpu.current.get(), other.index());
        now
    }

    #[test]
    fn who_wakes_a_higher_class_pays_for_its_work_and_who_is_interrupted_does_not() {
        let slice = testing::machine(1, 256).machine.slice;
        assert_eq!(kept_while_another_works(Kernel::settle), slice);
        assert_eq!(kept_while_another_works(Kernel::settle_outside), 10 * slice);
    }

    /// Two threads of one class, the first of which calls a server of a higher class all the time.
    #[test]
    fn who_calls_a_higher_class_often_still_comes_to_the_end_of_its_slice() {
        let kernel = testing::machine(1, 256);
        let process = testing::process(kernel, "app/test", &WIDE);
        let [caller, other, server]: [&Thread; 3] = core::array::from_fn(|_| testing::thread(kernel, process));
        server.set_base_class(QosClass::Interactive);
        testing::put_on_cpu(kernel, 0, caller);
        let cpu = &kernel.cpus[0];
        testing::wake(kernel, cpu, other);
        kernel.settle(cpu, 0);
        let (mut now, mut rounds) = (0, 0);
        while cpu.current.get() == caller.index() {
            now += 10;
            caller.set_state(State::Awaiting);
            kernel.run_partner(cpu, server);
            kernel.settle(cpu, now);
            assert_eq!(cpu.current.get(), server.index());
            now += 10;
            if cpu.alarm() <= now {
                kernel.timer(0, now);
            }
            server.set_state(State::Receiving);
            kernel.run_partner(cpu, caller);
            kernel.settle(cpu, now);
            if cpu.alarm() <= now {
                kernel.timer(0, now);
            }
            rounds += 1;
            assert!(rounds <= kernel.machine.slice / 10, "the other thread of the class never runs");
        }
        assert_eq!(cpu.current.get(), other.index());
    }
}
