//! Run queues: per CPU, one list a class, and a word that says in which classes something waits.

use crate::cpu::Own;
use crate::prelude::*;

/// Runnable tasks of one class and CPU above which nothing new is admitted. A wake is always queued.
pub const ADMISSION_LIMIT: u32 = 64;

/// Of each class's two bits: a thread of it is ready.
const READY: u32 = 0b0101_0101;
/// Of each class's two bits: a dead process is being taken back in it.
const REAPING: u32 = READY << 1;
/// The time of whoever this CPU works for is used up: every event chooses anew.
pub(crate) const SPENT: u32 = 1 << 31;

/// The highest class that has one of these bits.
pub(crate) fn highest(waiting: u32) -> Option<QosClass> {
    let class = if waiting > 0b1111 { 2 + u32::from(waiting > 0b11_1111) } else { u32::from(waiting > 0b11) };
    (waiting != 0).then(|| class_of(class))
}

/// How much waits on a CPU: a hint for other CPUs.
#[derive(Debug, Default)]
pub struct Load {
    counts: [Half; QosClass::COUNT],
    /// What the CPU has to do, the more urgent the higher: two bits a class, [`READY`] and [`REAPING`], and [`SPENT`].
    waiting: Half,
}

/// Where in its class a thread is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Next of its class: it was preempted by a higher one.
    Front,
    /// After everybody of its class.
    Back,
}

impl Own {
    /// Queues a ready thread under its present class.
    pub(crate) fn enqueue(&self, threads: &Arena<Thread>, thread: &Thread, end: End) {
        let class = thread.class();
        thread.queued_class.set(class as u32);
        let list = &self.ready[class as usize];
        match end {
            End::Front => list.push_front(threads, thread),
            End::Back => list.push_back(threads, thread),
        }
        self.load.counts[class as usize].add(1);
        self.mark(1 << (2 * class as u32));
    }

    /// Takes a thread out of the middle.
    pub(crate) fn dequeue(&self, threads: &Arena<Thread>, thread: &Thread) {
        let class = thread.queued_class.get() as usize & 3;
        self.ready[class].remove(threads, thread);
        self.load.counts[class].sub(1);
        if self.ready[class].is_empty() {
            self.load.unmark(1 << (2 * class));
        }
    }

    /// Says which process is the first to be taken back in a class; 0: none is.
    pub(crate) fn mark_reaping(&self, class: QosClass, first: u32) {
        self.load.unmark(2 << (2 * class as u32));
        self.mark(u32::from(first != 0) << (2 * class as u32 + 1));
    }

    /// Says what the CPU has to do: who runs is chosen anew.
    pub(super) fn mark(&self, bits: u32) {
        self.load.waiting.set(self.load.waiting.get() | bits);
        self.floor.set(u32::MAX);
    }

    /// The first thread of the highest class with one.
    pub(crate) fn best(&self, threads: &Arena<Thread>) -> Option<&'static Thread> {
        self.first(threads, self.load.best()?)
    }

    /// The first thread of a class.
    pub(crate) fn first(&self, threads: &Arena<Thread>, class: QosClass) -> Option<&'static Thread> {
        self.ready[class as usize].first(threads)
    }
}

impl Load {
    /// Takes marks away.
    pub(super) fn unmark(&self, bits: u32) {
        self.waiting.set(self.waiting.get() & !bits);
    }

    /// The highest class with a ready thread.
    pub fn best(&self) -> Option<QosClass> {
        highest(self.ready())
    }

    /// The highest class in which a dead process is being taken back.
    pub(crate) fn reap_class(&self) -> Option<QosClass> {
        highest(self.waiting.get() & REAPING)
    }

    /// Classes with a ready thread, one bit in two each.
    pub(crate) fn ready(&self) -> u32 {
        self.waiting.get() & READY
    }

    /// Bit 0 for a ready thread of this class, bit 1 for a process that is being taken back in it, further ones for any of a
    /// higher class and for time that is used up.
    pub(crate) fn from(&self, class: u32) -> u32 {
        self.waiting.get() >> (2 * class)
    }

    /// Threads queued in a class.
    pub fn count(&self, class: QosClass) -> u32 {
        self.counts[class as usize].get()
    }
}
