//! The lock between threads: exact counters, no lost wake, first come first served.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread::{self, sleep};
use std::time::Duration;

use nexus_rt::sys::Mutex;

/// Longer than any machine takes, if no wake was lost.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs `work` in threads; fails if one of them has not ended in time.
fn all_end(threads: usize, work: impl Fn(usize) + Send + Sync + 'static) {
    let work = Arc::new(work);
    let (ended, ends) = channel();
    for number in 0..threads {
        let (work, ended) = (work.clone(), ended.clone());
        thread::spawn(move || {
            work(number);
            ended.send(()).expect("the test waits");
        });
    }
    for _ in 0..threads {
        let end = ends.recv_timeout(PATIENCE);
        assert_ne!(end, Err(RecvTimeoutError::Timeout), "a thread waits for ever");
    }
}

#[test]
fn nothing_is_lost_between_threads_that_hold_it_briefly() {
    const ROUNDS: usize = 20_000;
    for threads in [2, 3, 8] {
        let counter = Arc::new(Mutex::new(0));
        let shared = counter.clone();
        all_end(threads, move |_| (0..ROUNDS).for_each(|_| *shared.lock() += 1));
        assert_eq!(*counter.lock(), threads * ROUNDS);
    }
}

#[test]
fn nothing_is_lost_when_the_holder_gives_its_cpu_away() {
    const ROUNDS: usize = 500;
    let counter = Arc::new(Mutex::new(0));
    let shared = counter.clone();
    all_end(4, move |_| {
        for _ in 0..ROUNDS {
            let mut held = shared.lock();
            let seen = *held;
            thread::yield_now();
            *held = seen + 1;
        }
    });
    assert_eq!(*counter.lock(), 4 * ROUNDS);
}

#[test]
fn a_waiter_waits_and_has_it_as_soon_as_it_is_unlocked() {
    let lock = Arc::new(Mutex::new(()));
    let (had, has) = channel();
    let held = lock.lock();
    let shared = lock.clone();
    thread::spawn(move || {
        let _held = shared.lock();
        had.send(()).expect("the test waits");
    });
    // Long enough for the thread to stand in line: then it sleeps, and only a wake helps.
    assert_eq!(has.recv_timeout(Duration::from_millis(200)), Err(RecvTimeoutError::Timeout), "it is held");
    drop(held);
    assert_eq!(has.recv_timeout(PATIENCE), Ok(()), "a thread waits for ever");
    drop(lock.lock());
}

#[test]
fn who_came_first_is_served_first() {
    const WAITERS: usize = 5;
    let order = Arc::new(Mutex::new(Vec::new()));
    let coming = Arc::new(AtomicUsize::new(0));
    let held = order.lock();
    let waiters: Vec<_> = (0..WAITERS)
        .map(|number| {
            let (order, arrived) = (order.clone(), coming.clone());
            let waiter = thread::spawn(move || {
                arrived.fetch_add(1, Ordering::SeqCst);
                order.lock().push(number);
            });
            while coming.load(Ordering::SeqCst) == number {
                sleep(Duration::from_millis(1));
            }
            // From here to the line it is a few instructions, but nothing says how long they take.
            sleep(Duration::from_millis(50));
            waiter
        })
        .collect();
    drop(held);
    waiters.into_iter().for_each(|waiter| waiter.join().expect("it ends"));
    assert_eq!(*order.lock(), (0..WAITERS).collect::<Vec<_>>());
}

#[test]
fn trying_never_waits_and_never_breaks_in() {
    let lock = Arc::new(Mutex::new(0));
    let shared = lock.clone();
    all_end(3, move |number| {
        for _ in 0..5_000 {
            match number {
                0 => shared.try_lock().into_iter().for_each(|mut held| *held += 0),
                _ => *shared.lock() += 1,
            }
        }
    });
    assert_eq!(*lock.lock(), 10_000);
}
