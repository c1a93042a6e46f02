//! Turns: by a call of the running thread the CPU goes to another one, and nothing else is to be looked at.
//!
//! What [`super`] does after every event, for the two calls that mostly do no more: giving the CPU away, and waking somebody
//! of a higher class who waits here. It leaves the same state. `false` means that nothing was changed.

use super::{EXPIRED, queue::highest};
use crate::{event::serve::blank, prelude::*};
use nexus_abi::{ProcessId, ServiceId};

impl Kernel {
    /// The running thread's call, if it gives the CPU to another and needs no more; its answer is written then.
    #[inline(always)]
    pub fn turn(&'static self, cpu: Here, thread: &'static Thread, number: u64, now: u64) -> bool {
        let frame = &thread.frame;
        let turned = !self.refuses(number)
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
        let Some(heir) = cpu.first(&self.threads, class) else { return false };
        if cpu.load.from(class as u32) != 1 || !self.may_turn(cpu, heir, now) {
            return false;
        }
        self.account(cpu, now);
        thread.slice_left.set(0);
        thread.change_state(State::Running, State::Ready);
        thread.queued_class.set(class as u32);
        let list = &cpu.ready[class as usize];
        list.pop(&self.threads, heir);
        list.push_back(&self.threads, thread);
        heir.change_state(State::Ready, State::Running);
        self.set_payer(cpu, Some(heir), now);
        self.put_on(cpu, heir);
        cpu.slice_end.set(self.end_of_slice(heir, now));
        // All else that could raise it would have been in the way.
        cpu.floor.set(class as u32);
        true
    }

    /// The running thread is interrupted by one that was just woken and is in no list, of a higher class than all that is
    /// ready. It works for nobody else, and may turn.
    #[inline(always)]
    pub(crate) fn lose_turn(&'static self, cpu: Here, thread: &'static Thread, heir: &'static Thread, now: u64) {
        self.account(cpu, now);
        self.put_back(cpu, thread, End::Front, now);
        cpu.payer.set(heir.index());
        cpu.budget_end.set(u64::MAX);
        self.put_on(cpu, heir);
        cpu.slice_end.set(u64::MAX);
        match highest(cpu.load.from(0)) {
            Some(class) if cpu.guard_at.get() != u64::MAX => cpu.floor.set(1 + class as u32),
            _ => self.set_floor(cpu, now),
        }
    }

    /// The running thread is blocked until `server`, whose shard is held, has served it. If that is ready here it comes next
    /// of its class, in the slice of who waits; and so does that one, if it is answered while the slice runs: else whoever
    /// else there is would come between them with each call.
    pub(crate) fn lend_slice(&'static self, cpu: Here, thread: &Thread, server: &'static Thread, now: u64) {
        // Who was woken from elsewhere is in the queue then.
        if !cpu.mail.is_empty() {
            self.take_mail(cpu);
        }
        let (class, end) = (thread.class(), cpu.slice_end.get());
        let ready = server.state() == State::Ready && server.cpu() == cpu.id.get();
        if !ready || server.class() != class || end >= EXPIRED {
            return;
        }
        [thread, server].into_iter().for_each(|thread| thread.slice_left.set(Thread::UNTIL | end as u32));
        cpu.dequeue(&self.threads, server);
        if cpu.load.from(class as u32) <= 1 && end > now && self.may_turn(cpu, server, now) {
            server.change_state(State::Ready, State::Running);
            self.account(cpu, now);
            self.begin_turn(cpu, server, now);
        } else {
            cpu.enqueue(&self.threads, server, End::Front);
        }
    }

    /// Where a thread is queued that was woken: before the others of its class if it lent the slice that runs.
    pub(super) fn end_of_woken(cpu: Here, thread: &Thread) -> End {
        let lent = thread.slice_left.get() == Thread::UNTIL | cpu.slice_end.get() as u32;
        if lent { End::Front } else { End::Back }
    }

    /// True if choosing this thread is a matter of classes alone: no mail, no change, no guard's slice, no trace,
    /// no budget, no slice that is over, and no CPU that is new to it.
    #[inline(always)]
    pub(crate) fn may_turn(&self, cpu: Here, thread: &'static Thread, now: u64) -> bool {
        let calm = cpu.floor.get() != u32::MAX && !Self::has_news(cpu);
        calm && Self::knows(cpu, thread) && !thread.timed() && !thread.slice_is_over(now)
    }
}

pub(crate) fn whoami(context: &Context, _: Whoami) -> Verdict<Identity> {
    let thread = context.thread;
    Ok(Identity { process: ProcessId(thread.process.get()), service: ServiceId(thread.service.get()) })
}

pub(crate) fn yield_now(context: &Context, _: Yield) -> Verdict<Yielded> {
    context.kernel.rotate(context.cpu, End::Back, context.now);
    Ok(Yielded {})
}
