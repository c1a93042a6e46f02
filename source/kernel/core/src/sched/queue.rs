//! Run queues: per CPU, one list a class.

use crate::thread::{Thread, class_of};
use crate::{arena::Arena, list::ThreadList, percpu::Sides, word::Half};
use core::ops::Deref;
use nexus_abi::QosClass;

/// Runnable tasks of one class and CPU above which nothing new is admitted. A wake is always queued.
pub const ADMISSION_LIMIT: u32 = 64;

/// Where the bits of classes with a process being taken back begin.
const REAPING: u32 = 8;
/// The time of whoever this CPU works for is used up: every event chooses anew.
const SPENT: u32 = 1 << 31;
const CLASSES: u32 = (1 << QosClass::COUNT) - 1;

/// 1 + the highest of four classes, one bit each; 0 for none.
const ABOVE: [u8; 16] = [0, 1, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4];

/// The highest of four classes, one bit each.
#[inline(always)]
pub(crate) fn highest(classes: u32) -> Option<QosClass> {
    let above = ABOVE[classes as usize & 15];
    (above != 0).then(|| class_of(u32::from(above) - 1))
}

/// Ready threads of one CPU.
#[derive(Debug, Default)]
pub struct RunQueue {
    lists: [ThreadList; QosClass::COUNT],
    load: Load,
}

/// How much is in a run queue: a hint for other CPUs.
#[derive(Debug, Default)]
pub struct Load {
    counts: [Half; QosClass::COUNT],
    /// Classes with a ready thread, one bit each, from [`REAPING`] on those with a process being taken back here, and
    /// [`SPENT`].
    occupied: Half,
}

/// Whether processes are being taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaping {
    /// None is.
    None,
    /// One or more are.
    Some,
}

/// Whether a budget is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spent {
    /// It is.
    Yes,
    /// It is not, or there is none.
    No,
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
        self.load.counts[class as usize].add(1);
        self.load.occupied.set(self.load.occupied.get() | 1 << class as u32);
    }

    /// Takes a thread out of the middle.
    pub fn remove(&self, threads: &Arena<Thread>, thread: &Thread) {
        let class = thread.queued_class.get() as usize & 3;
        self.lists[class].remove(threads, thread);
        self.load.counts[class].sub(1);
        if self.lists[class].is_empty() {
            self.load.occupied.set(self.load.occupied.get() & !(1 << class));
        }
    }

    /// The first thread of a class leaves, and another comes last in it.
    #[inline(always)]
    pub(super) fn turn(&self, threads: &Arena<Thread>, first: &Thread, last: &Thread, class: QosClass) {
        last.queued_class.set(class as u32);
        let list = &self.lists[class as usize];
        list.push_back(threads, last);
        list.pop_front(threads, first);
    }

    /// Says whether the time of whoever this CPU works for is used up.
    pub(crate) fn set_spent(&self, spent: Spent) {
        let rest = self.load.occupied.get() & !SPENT;
        self.load.occupied.set(if spent == Spent::Yes { rest | SPENT } else { rest });
    }

    /// Says whether a process is being taken back in a class.
    pub(crate) fn set_reaping(&self, class: QosClass, reaping: Reaping) {
        let bit = 1 << REAPING << class as u32;
        let rest = self.load.occupied.get() & !bit;
        self.load.occupied.set(if reaping == Reaping::Some { rest | bit } else { rest });
    }

    /// The first thread of a class.
    #[inline(always)]
    pub fn first(&self, threads: &Arena<Thread>, class: QosClass) -> Option<&'static Thread> {
        self.lists[class as usize].first(threads)
    }

    /// The queued threads of a class, for invariant checks.
    pub(crate) fn list(&self, class: QosClass) -> &ThreadList {
        &self.lists[class as usize]
    }
}

impl Load {
    /// The highest class with a ready thread.
    #[inline(always)]
    pub fn best(&self) -> Option<QosClass> {
        highest(self.occupied())
    }

    /// Classes with a ready thread, one bit each.
    #[inline(always)]
    pub fn occupied(&self) -> u32 {
        self.occupied.get() & CLASSES
    }

    /// 1 + the highest class with a ready thread, and 1 + the highest with a process being taken back; 0 for none. `None`:
    /// the running thread's time is used up.
    #[inline(always)]
    pub(super) fn heights(&self) -> Option<[u32; 2]> {
        let word = self.occupied.get();
        let height = |classes: u32| ABOVE[classes as usize & 15].into();
        (word & SPENT == 0).then(|| [height(word), height(word >> REAPING)])
    }

    /// [`Load::occupied`], and a bit above all classes if the running thread's time is used up.
    #[inline(always)]
    pub(crate) fn pressing(&self) -> u32 {
        self.occupied.get() & (CLASSES | SPENT)
    }

    /// Bit 0 for a ready thread of this class; further bits for any of a higher one, for a process that is being taken back
    /// and for time that is used up.
    #[inline(always)]
    pub(crate) fn from(&self, class: QosClass) -> u32 {
        self.occupied.get() >> class as u32
    }

    /// True if no thread is ready, no process is being taken back, and the running one has time.
    #[inline(always)]
    pub fn idle(&self) -> bool {
        self.occupied.get() == 0
    }

    /// Classes with a process being taken back, one bit each.
    #[inline(always)]
    pub fn reaping(&self) -> u32 {
        self.occupied.get() >> REAPING & CLASSES
    }

    /// Threads queued in a class.
    pub fn count(&self, class: QosClass) -> u32 {
        self.counts[class as usize].get()
    }

    /// The highest class in which a dead process is being taken back.
    #[inline(always)]
    pub(crate) fn reap_class(&self) -> Option<QosClass> {
        highest(self.reaping())
    }
}

impl Deref for RunQueue {
    type Target = Load;

    #[inline(always)]
    fn deref(&self) -> &Load {
        &self.load
    }
}

impl Sides for RunQueue {
    type Outside = Load;

    #[inline(always)]
    fn outside(&self) -> &Load {
        &self.load
    }
}
