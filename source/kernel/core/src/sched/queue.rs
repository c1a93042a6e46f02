//! Run queues: per CPU, one list a class.

use crate::{arena::Arena, list::ThreadList, thread::Thread, word::Half};
use nexus_abi::QosClass;

/// Runnable tasks of one class and CPU above which nothing new is admitted. A wake is always queued.
pub const ADMISSION_LIMIT: u32 = 64;

/// Ready threads of one CPU. Only that CPU touches it.
#[derive(Debug, Default)]
pub struct RunQueue {
    lists: [ThreadList; QosClass::COUNT],
    counts: [Half; QosClass::COUNT],
    /// Classes with a ready thread, one bit each.
    occupied: Half,
}

/// Where in its class a thread is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Next of its class: it was preempted by a higher one.
    Front,
    /// After everybody of its class.
    Back,
}

impl RunQueue {
    /// Queues a ready thread under its present class.
    pub fn push(&self, threads: &Arena<Thread>, thread: &Thread, end: End) {
        let class = thread.class();
        thread.queued_class.set(class as u32);
        let list = &self.lists[class as usize];
        match end {
            End::Front => list.push_front(threads, thread),
            End::Back => list.push_back(threads, thread),
        }
        self.counts[class as usize].add(1);
        self.occupied.set(self.occupied.get() | 1 << class as u32);
    }

    /// Takes a thread out of the middle.
    pub fn remove(&self, threads: &Arena<Thread>, thread: &Thread) {
        let class = thread.queued_class.get() as usize & 3;
        self.lists[class].remove(threads, thread);
        self.counts[class].sub(1);
        if self.lists[class].is_empty() {
            self.occupied.set(self.occupied.get() & !(1 << class));
        }
    }

    /// The highest class with a ready thread.
    #[inline(always)]
    pub fn best(&self) -> Option<QosClass> {
        let occupied = self.occupied.get();
        QosClass::ALL.into_iter().rev().find(|&class| occupied & 1 << class as u32 != 0)
    }

    /// Classes with a ready thread, one bit each.
    #[inline(always)]
    pub fn occupied(&self) -> u32 {
        self.occupied.get()
    }

    /// The first thread of a class.
    #[inline(always)]
    pub fn first(&self, threads: &Arena<Thread>, class: QosClass) -> Option<&'static Thread> {
        self.lists[class as usize].first(threads)
    }

    /// Takes the first thread of a class.
    pub fn pop(&self, threads: &Arena<Thread>, class: QosClass) -> Option<&'static Thread> {
        let thread = self.lists[class as usize].first(threads)?;
        self.remove(threads, thread);
        Some(thread)
    }

    /// Threads queued in a class.
    pub fn count(&self, class: QosClass) -> u32 {
        self.counts[class as usize].get()
    }

    /// The queued threads of a class, for invariant checks.
    pub(crate) fn list(&self, class: QosClass) -> &ThreadList {
        &self.lists[class as usize]
    }
}
