//! The lock under every interleaving of few threads, by loom: the very file, over loom's atomics and threads.
//!
//! Loom models release and acquire; it does not model that a relaxed load may see a store that comes later in program order.
//! The kernel's notification is modelled by loom's `park`: a wake that comes before the wait is kept.

use loom::cell::UnsafeCell;
use loom::sync::{Arc, atomic};
use loom::thread::{self, Thread};
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::ptr::null_mut;
use std::sync::{Mutex, PoisonError};

#[allow(dead_code, unreachable_pub, reason = "the file as it is")]
#[allow(unsafe_code, reason = "it is the lock's own")]
#[path = "queue.rs"]
mod queue;

struct Seat(Thread);

#[derive(Clone, Debug)]
struct Waker(Thread);

impl Seat {
    fn take() -> Seat {
        Seat(thread::current())
    }

    fn waker(&self) -> Waker {
        Waker(self.0.clone())
    }

    fn wait(&self) {
        thread::park();
    }
}

impl Waker {
    fn wake(self) {
        self.0.unpark();
    }
}

/// A lock, and what it guards: loom fails if two accesses are not ordered.
struct Shared {
    lock: queue::Queue,
    value: UnsafeCell<usize>,
    entered: atomic::AtomicUsize,
}

impl Shared {
    fn new() -> Arc<Shared> {
        let lock = queue::Queue(atomic::AtomicPtr::new(null_mut()));
        Arc::new(Shared { lock, value: UnsafeCell::new(0), entered: atomic::AtomicUsize::new(0) })
    }

    fn enter(&self) {
        self.lock.lock();
        self.value.with_mut(|_| ());
        self.entered.fetch_add(1, atomic::Ordering::Relaxed);
        self.lock.unlock();
    }
}

fn every_interleaving(others: usize, rounds: usize, preemptions: Option<usize>) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = preemptions;
    let outcome = quietly(|| model.check(move || one_run(others, rounds)));
    let told = outcome.as_ref().err().and_then(|panic| panic.downcast_ref::<String>());
    assert!(outcome.is_ok(), "an interleaving breaks the lock: {told:?}");
}

/// Loom panics where it finds something; the test says so in its own words.
fn quietly(check: impl FnOnce()) -> std::thread::Result<()> {
    static HOOK: Mutex<()> = Mutex::new(());
    let _alone = HOOK.lock().unwrap_or_else(PoisonError::into_inner);
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| ()));
    let outcome = catch_unwind(AssertUnwindSafe(check));
    panic::set_hook(hook);
    outcome
}

fn one_run(others: usize, rounds: usize) {
    let shared = Shared::new();
    let threads: Vec<_> = (0..others)
        .map(|_| {
            let shared = shared.clone();
            thread::spawn(move || (0..rounds).for_each(|_| shared.enter()))
        })
        .collect();
    (0..rounds).for_each(|_| shared.enter());
    threads.into_iter().for_each(|thread| thread.join().expect("it ends"));
    assert_eq!(shared.entered.load(atomic::Ordering::Relaxed), (others + 1) * rounds);
    assert!(shared.lock.try_lock(), "free at the end");
}

#[test]
fn two_threads_exclude_each_other_and_none_waits_for_ever() {
    every_interleaving(1, 2, None);
}

#[test]
fn three_threads_exclude_each_other_and_none_waits_for_ever() {
    every_interleaving(2, 1, Some(3));
}
