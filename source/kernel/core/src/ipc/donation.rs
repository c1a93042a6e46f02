//! Donation: who is waited for runs at least in the class of who waits.
//!
//! A thread's class follows from what stands in the kernel anyway: its own class, the caller that its link names, and the
//! callers in the lists of the endpoint that it serves. Nothing is counted beside them that could differ from them; after
//! a change of any of them the class is made anew, and passed on to whom the thread itself waits for.

use super::endpoint::Endpoint;
use crate::prelude::*;
use core::sync::atomic::Ordering::Release;
use nexus_abi::message::MAX_CALL_DEPTH;

impl Kernel {
    /// The thread that callers who wait at an endpoint lift: the youngest of those that receive there.
    pub(crate) fn heir(&self, endpoint: &Endpoint) -> Option<&'static Thread> {
        let owner = self.processes.at(endpoint.header.owner.get());
        let named = |thread: &&'static Thread| thread.serves() == index_of(endpoint.header.me());
        endpoint.header.alive().then(|| self.threads_of(owner).find(named))?
    }

    /// The same, if it is not this thread, which serves the endpoint too.
    #[inline(always)]
    pub(super) fn other_heir(&self, endpoint: &Endpoint, thread: &Thread) -> Option<&'static Thread> {
        let owner = self.processes.at(thread.header.owner.get());
        if owner.account.used(Resource::Threads) == 1 && endpoint.header.owner.get() == thread.header.owner.get() {
            return None;
        }
        self.heir(endpoint).filter(|heir| !core::ptr::eq(*heir, thread))
    }

    /// The highest class of those who wait for a thread.
    pub(crate) fn donated(&self, thread: &Thread) -> Option<QosClass> {
        if self.machine.selfish {
            return None;
        }
        let served = self.awaiting(thread.link.get()).map(Thread::class);
        let endpoint = Some(self.endpoints.at(thread.serves())).filter(|endpoint| endpoint.waited_for());
        let heir = endpoint.filter(|endpoint| self.heir(endpoint).is_some_and(|heir| core::ptr::eq(heir, thread)));
        let waiting = heir.and_then(|endpoint| {
            QosClass::ALL.into_iter().rev().find(|&class| !endpoint.callers[class as usize].is_empty())
        });
        served.max(waiting)
    }

    /// The class that a thread has to have.
    pub(crate) fn due_class(&self, thread: &Thread) -> QosClass {
        self.donated(thread).map_or(thread.base_class(), |class| class.max(thread.base_class()))
    }

    /// A running thread serves somebody less, or has a class of its own again.
    #[inline(always)]
    pub(super) fn drop_donor(&self, thread: &Thread) {
        if thread.class() != thread.base_class() {
            thread.set_class(self.due_class(thread));
        }
    }

    /// Makes a thread's class anew after a change of what it follows from. A change is passed on along [`MAX_CALL_DEPTH`]
    /// threads. Holds all shards, unless the thread is known to wait for nobody.
    #[inline(always)]
    pub(crate) fn reclass(&'static self, cpu: Here, thread: Option<&'static Thread>) {
        if thread.is_some() {
            self.pass_along(cpu, thread);
        }
    }

    #[inline(never)]
    fn pass_along(&'static self, cpu: Here, thread: Option<&'static Thread>) {
        let (mut next, mut left) = (thread, 1 + MAX_CALL_DEPTH);
        while let Some(thread) = next.filter(|_| left > 0) {
            next = self.pass_on(cpu, thread);
            left -= 1;
        }
    }

    /// Gives a thread the class that it has to have; whom it waits for, if that is a change.
    fn pass_on(&'static self, cpu: Here, thread: &'static Thread) -> Option<&'static Thread> {
        let class = self.due_class(thread);
        let changed = class != thread.class();
        if changed {
            thread.set_class(class);
            cpu.counters.lifted.add(1);
        }
        match thread.state() {
            State::Parked if !self.parks(thread) => self.make_ready(cpu, thread),
            State::Running | State::Ready if changed || self.parks(thread) => self.say_changed(cpu, thread),
            State::Calling if changed => {
                let endpoint = self.endpoints.at(index_of(thread.waits_on.get()));
                endpoint.remove_caller(&self.threads, thread);
                endpoint.add_caller(&self.threads, thread);
                return self.heir(endpoint);
            }
            State::Awaiting | State::Faulted if changed => return self.server_of(thread),
            _ => {}
        }
        None
    }

    /// Who has to answer a thread that waits for an answer; nobody if the call is deferred.
    pub(super) fn server_of(&self, thread: &Thread) -> Option<&'static Thread> {
        let server = self.threads.at(thread.waits_on.get() as u32);
        (server.link.get() == thread.token.get()).then_some(server)
    }

    /// Tells a thread's CPU that its class or its time was changed.
    pub(crate) fn say_changed(&self, cpu: Here, thread: &Thread) {
        if let Some(home) = self.cpus.get(thread.cpu() as usize) {
            // Release: who sees the mark, with or without the kick, sees the class and queues the thread by it.
            home.changed.atomic().store(1, Release);
            if home.id.get() != cpu.id.get() {
                self.kick_cpu(cpu, home);
            }
        }
    }

    /// From now on a thread serves this endpoint. Holds all shards, unless it did so before.
    #[inline(always)]
    pub(super) fn serve_at(&'static self, cpu: Here, thread: &'static Thread, endpoint: &Endpoint) {
        if thread.serves() != index_of(endpoint.header.me()) {
            self.begin_to_serve(cpu, thread, endpoint);
        }
    }

    #[inline(never)]
    fn begin_to_serve(&'static self, cpu: Here, thread: &'static Thread, endpoint: &Endpoint) {
        let left = self.endpoints.at(thread.serves());
        let before = self.heir(endpoint);
        thread.source_endpoint.set(index_of(endpoint.header.me()).into());
        let after = [before, self.heir(endpoint), self.heir(left), Some(thread)];
        after.into_iter().for_each(|changed| self.reclass(cpu, changed));
    }
}
