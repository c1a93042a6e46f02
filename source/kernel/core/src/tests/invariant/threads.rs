//! Threads: each is in exactly the list that its state names, and nobody sleeps over a wake.

use super::{Check, Tally, walk, walk_links};
use crate::arena::{Tag, index_of};
use crate::cpu::{Cpu, Own};
use crate::thread::{State, Thread};
use crate::{Kernel, sched::EXPIRED};
use nexus_abi::{Handle, Kind, QosClass, Rights};

/// How many threads were found in lists, by state.
type Found = [u32; 1 + State::Parked as usize];

impl Thread {
    /// True if it may receive straight.
    fn knows_source(&self) -> bool {
        self.source_endpoint.get() > Thread::NOWHERE
    }
}

impl Kernel {
    pub(super) fn check_threads(&self, check: &mut Check) {
        let mut found = Found::default();
        for cpu in self.cpus {
            self.check_cpu(check, cpu.at_rest(), &mut found);
        }
        self.find_waiting(check, &mut found);
        let mut states = Found::default();
        let (mut awaiting, mut answers) = (Tally::default(), Tally::default());
        for (index, thread) in self.threads.iter().filter(|(_, thread)| thread.header.alive()) {
            check.at = index;
            states[thread.state() as usize] += 1;
            if matches!(thread.state(), State::Awaiting | State::Faulted) {
                awaiting.add_times(thread.token.get(), 1);
            }
            if self.awaiting(thread.link.get()).is_some() {
                answers.add_times(thread.link.get(), 1);
            }
            self.check_thread(check, index, thread);
        }
        self.find_replies(&mut answers);
        check.at = 0;
        check.same("every caller that waits for an answer has one that owes it", awaiting, answers);
        let listed = [State::Ready, State::Running, State::Calling, State::Receiving, State::Waiting, State::Mourning];
        for state in listed.map(|state| state as usize) {
            check.at = state as u32;
            check.same("every thread is in the list of its state", found[state], states[state]);
        }
    }

    fn check_thread(&self, check: &mut Check, index: u32, thread: &Thread) {
        check.that("a living thread is not dead", thread.state() != State::Dead);
        let home = self.processes.at(thread.header.owner.get()).header.shard();
        check.same("a thread lives in its process's home", thread.header.shard(), home);
        check.same("a token names its thread", Thread::index_of_token(thread.token.get()), index);
        check.same(
            "a thread runs in the highest class of itself and its donors",
            thread.class(),
            self.due_class(thread),
        );
        check.that("nobody is set aside who has time", thread.state() != State::Parked || self.parks(thread));
        let process = self.processes.get(thread.process.get());
        check.same("a thread's process lives", process.map(|process| process.index()), Some(thread.header.owner.get()));
        self.check_source(check, thread);
        if let Some(bound) = self.notifications.get(thread.bound.get()) {
            check.same("a notification knows whom it is bound to", bound.bound.get(), thread.header.me());
            let signalled = thread.state() == State::Receiving && self.peek(bound).is_some();
            check.that("nobody sleeps over a bound signal", !signalled);
            let told = !thread.knows_source();
            check.that("who has a bound signal does not receive straight", told || self.peek(bound).is_none());
        }
    }

    /// Whoever may receive straight has the right to, and its endpoint is near.
    fn check_source(&self, check: &mut Check, thread: &Thread) {
        if !thread.knows_source() {
            return;
        }
        let process = self.processes.at(index_of(thread.process.get()));
        let found = Handle::from_raw(thread.source.get()).and_then(|handle| self.slot(process, handle).ok());
        let named = found.filter(|slot| slot.allows(Kind::Endpoint, Rights::TAKE)).map(|slot| slot.object.get());
        check.same(
            "the source of a thread is an endpoint it may receive from",
            named,
            Some(thread.source_endpoint.get()),
        );
        if let Some(endpoint) = self.endpoints.get(thread.source_endpoint.get()) {
            check.same("the source of a thread is near", endpoint.header.shard(), thread.header.shard());
        }
    }

    fn check_cpu(&self, check: &mut Check, cpu: &Own, found: &mut Found) {
        for class in QosClass::ALL {
            let queued = walk(check, &self.threads, &cpu.ready[class as usize], |check, thread| {
                check.same("a queued thread is ready", thread.state(), State::Ready);
                check.same("a queued thread uses this CPU", thread.cpu(), cpu.id.get());
                check.same("a thread is queued under its class", thread.queued_class.get(), class as u32);
            });
            check.same("a run queue counts its threads", queued, cpu.load.count(class));
            let marks = cpu.load.from(class as u32);
            check.same("a run queue marks its occupied classes", marks & 1 != 0, queued > 0);
            let reaps = cpu.reaping[class as usize].get() != 0;
            check.same("a CPU marks the classes it takes back in", marks & 2 != 0, reaps);
            found[State::Ready as usize] += queued;
        }
        let mut mail = 0;
        for index in self.mail(cpu).filter(|mail| mail.kind() == Some(Kind::Thread)).map(Tag::index) {
            let thread = self.threads.at(index);
            (check.at, mail) = (index, mail + 1);
            check.same("mail is a ready thread", thread.state(), State::Ready);
            check.same("mail is for this CPU", thread.cpu(), cpu.id.get());
        }
        found[State::Ready as usize] += mail;
        check.at = cpu.id.get();
        check.that("nobody sleeps over mail", cpu.mail.is_empty() || cpu.kicked.get() == 1);
        self.check_current(check, cpu, found);
    }

    /// What is in a CPU's mailbox.
    pub(super) fn mail(&self, cpu: &Cpu) -> impl Iterator<Item = Tag> {
        let mut next = cpu.mail.first();
        let all = core::iter::from_fn(move || {
            let mail = next;
            next = Tag(match mail.kind()? {
                Kind::Process => self.processes.at(mail.index()).mail.get(),
                _ => self.threads.at(mail.index()).mail.get(),
            });
            Some(mail)
        });
        all.take((self.threads.pool.capacity + self.processes.pool.capacity) as usize)
    }

    fn check_current(&self, check: &mut Check, cpu: &Own, found: &mut Found) {
        let (best, reap) = (cpu.load.best(), cpu.load.reap_class());
        if cpu.current.get() == 0 {
            let kicked = cpu.kicked.get() == 1;
            check.that("a CPU idles only when nobody is ready", best.is_none() || reap >= best || kicked);
            return;
        }
        let thread = self.threads.at(cpu.current.get());
        check.at = cpu.current.get();
        check.same("the current thread runs", thread.state(), State::Running);
        check.same("the current thread uses this CPU", thread.cpu(), cpu.id.get());
        let lifted = cpu.lifted.get() == 1;
        let highest = lifted || best <= Some(thread.class()) && reap < Some(thread.class());
        let waited_for = cpu.load.count(thread.class()) > 0;
        // A CPU that is being kicked will choose anew: its threads' classes may have changed, or the first may not run here.
        if cpu.kicked.get() == 0 && cpu.evict.get() == 0 {
            check.that("the highest class runs", highest);
            check.that("who is waited for has a slice", !waited_for || cpu.slice_end.get() < EXPIRED);
        }
        found[State::Running as usize] += 1;
    }

    fn find_waiting(&self, check: &mut Check, found: &mut Found) {
        for (_, endpoint) in self.endpoints.iter().filter(|(_, endpoint)| endpoint.header.reference() != 0) {
            for class in 0..QosClass::COUNT {
                found[State::Calling as usize] +=
                    walk(check, &self.threads, &endpoint.callers[class], |check, thread| {
                        check.same("a queued caller calls", thread.state(), State::Calling);
                        check.that("a queued caller waits here", endpoint.header.names(thread.waits_on.get()));
                        check.same("a caller is queued under its class", thread.queued_class.get(), class as u32);
                    });
            }
            let receivers = endpoint.receivers.iter(&self.threads);
            let (receivers, _) = walk_links(check, &self.threads, receivers, |check, thread| {
                check.same("a queued receiver receives", thread.state(), State::Receiving);
                let here = index_of(endpoint.header.reference());
                check.same("a queued receiver waits here", index_of(thread.source_endpoint.get()), here);
            });
            found[State::Receiving as usize] += receivers;
            let waits = endpoint.queue[0].get() != 0 || endpoint.callers.iter().any(|list| !list.is_empty());
            check.that("nobody waits for a receiver that waits", !waits || endpoint.receivers.top.get() == 0);
            let knows = !endpoint.header.alive() || endpoint.waited_for() == waits;
            check.that("a living endpoint knows if somebody waits", knows);
        }
        for (_, notification) in self.notifications.iter().filter(|(_, item)| item.header.reference() != 0) {
            found[State::Waiting as usize] += walk(check, &self.threads, &notification.waiters, |check, thread| {
                check.same("a waiter waits", thread.state(), State::Waiting);
                check.that("a waiter waits here", notification.header.names(thread.waits_on.get()));
            });
        }
        for (_, process) in self.processes.iter().filter(|(_, process)| process.header.reference() != 0) {
            found[State::Mourning as usize] += walk(check, &self.threads, &process.mourners, |check, thread| {
                check.same("a mourner mourns", thread.state(), State::Mourning);
                check.that("a mourner waits here", process.header.names(thread.waits_on.get()));
            });
        }
    }

    /// Reply capabilities whose caller still waits.
    fn find_replies(&self, answers: &mut Tally) {
        for slot in (64..(self.blocks.blocks_touched() + 1) * 64).map(|place| self.blocks.at(place)) {
            if slot.kind() == Some(Kind::Reply) && self.awaiting(slot.object.get()).is_some() {
                answers.add_times(slot.object.get(), 1);
            }
        }
    }
}
