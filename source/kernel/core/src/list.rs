//! Lists of threads, linked through the threads themselves.
//!
//! A thread is in at most one list at a time; its [`crate::thread::State`] says which. So one pair of links is enough,
//! and taking a thread out of the middle costs the same as from the front.

use crate::{arena::Arena, links::follow, thread::Thread, word::Half};

/// First and last thread, by arena index; 0 is none. Guarded by whatever guards the object it is part of.
#[derive(Debug, Default)]
pub struct ThreadList {
    head: Half,
    pub(crate) tail: Half,
}

impl ThreadList {
    /// The first; `None` if it is empty.
    pub fn first(&self, threads: &Arena<Thread>) -> Option<&'static Thread> {
        match self.head.get() {
            0 => None,
            index => Some(threads.at(index)),
        }
    }

    /// True if nobody is in it.
    pub fn is_empty(&self) -> bool {
        self.head.get() == 0
    }

    /// Puts a thread first.
    pub fn push_front(&self, threads: &Arena<Thread>, thread: &Thread) {
        let (index, head) = (thread.index(), self.head.get());
        thread.previous.set(0);
        thread.next.set(head);
        if head == 0 {
            self.tail.set(index);
        } else {
            threads.at(head).previous.set(index);
        }
        self.head.set(index);
    }

    /// Puts a thread last.
    pub fn push_back(&self, threads: &Arena<Thread>, thread: &Thread) {
        let (index, tail) = (thread.index(), self.tail.get());
        thread.next.set(0);
        thread.previous.set(tail);
        if tail == 0 {
            self.head.set(index);
        } else {
            threads.at(tail).next.set(index);
        }
        self.tail.set(index);
    }

    /// Takes the first thread out.
    #[inline(always)]
    pub fn pop(&self, threads: &Arena<Thread>, first: &Thread) {
        let next = first.next.get();
        self.head.set(next);
        match next {
            0 => self.tail.set(0),
            index => {
                threads.at(index).previous.set(0);
                first.next.set(0);
            }
        }
    }

    /// Takes a thread out. It must be in this list.
    pub fn remove(&self, threads: &Arena<Thread>, thread: &Thread) {
        let (next, previous) = (thread.next.get(), thread.previous.get());
        if previous == 0 {
            return self.pop(threads, thread);
        }
        threads.at(previous).next.set(next);
        match next {
            0 => self.tail.set(previous),
            index => threads.at(index).previous.set(previous),
        }
    }

    /// The threads in it, first to last.
    pub fn iter<'a>(&self, threads: &'a Arena<Thread>) -> impl Iterator<Item = &'static Thread> + use<'a> {
        follow(self.head.get(), |index| threads.at(index), |thread| &thread.next)
    }
}

/// Threads of which the latest is the first to go. The link back of the top one means nothing. Guarded by whatever guards the object it is part of.
#[derive(Debug, Default)]
pub struct ThreadStack {
    /// Index of the latest; 0 if it is empty.
    pub(crate) top: Half,
}

impl ThreadStack {
    /// The latest; `None` if it is empty.
    pub fn first(&self, threads: &Arena<Thread>) -> Option<&'static Thread> {
        match self.top.get() {
            0 => None,
            index => Some(threads.at(index)),
        }
    }

    /// Puts a thread on top.
    #[inline(always)]
    pub fn push(&self, threads: &Arena<Thread>, thread: &Thread) {
        let (index, top) = (thread.index(), self.top.get());
        thread.next.set(top);
        self.top.set(index);
        if top != 0 {
            threads.at(top).previous.set(index);
        }
    }

    /// Takes the top thread out.
    pub fn pop(&self, top: &Thread) {
        self.top.set(top.next.get());
    }

    /// Takes a thread out. It must be in this stack.
    pub fn remove(&self, threads: &Arena<Thread>, thread: &Thread) {
        let (next, previous) = (thread.next.get(), thread.previous.get());
        if self.top.get() == thread.index() {
            self.top.set(next);
            return;
        }
        threads.at(previous).next.set(next);
        if next != 0 {
            threads.at(next).previous.set(previous);
        }
    }

    /// The threads in it, latest first.
    pub fn iter<'a>(&self, threads: &'a Arena<Thread>) -> impl Iterator<Item = &'static Thread> + use<'a> {
        follow(self.top.get(), |index| threads.at(index), |thread| &thread.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;
    use nexus_abi::Quota;
    use std::vec::Vec;

    #[test]
    fn a_stack_loses_its_middle_its_bottom_and_its_top() {
        let kernel = testing::machine(1, 64);
        let process = testing::process(kernel, "home", &Quota::default());
        let threads = [(); 4].map(|()| testing::thread(kernel, process));
        let stack = ThreadStack::default();
        threads.iter().for_each(|thread| stack.push(&kernel.threads, thread));
        let without = |at: usize| {
            stack.remove(&kernel.threads, threads[at]);
            stack.iter(&kernel.threads).map(|thread| thread.index()).collect::<Vec<_>>()
        };
        let numbers = threads.map(|thread| thread.index());

        assert_eq!(without(1), [numbers[3], numbers[2], numbers[0]]);
        assert_eq!(without(0), [numbers[3], numbers[2]]);
        assert_eq!(without(3), [numbers[2]]);
    }
}
