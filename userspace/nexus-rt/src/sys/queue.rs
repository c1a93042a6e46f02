//! Who holds a lock and who waits for it: a program's threads share it, and its holder may be preempted.
//!
//! One word says free, held, or held with waiters, and then names the newest of them; each waiter stands in line on its
//! own stack and points to the one before it. Unlocking takes the oldest out of the line, makes it the holder and wakes
//! it. So nobody spins, whatever the classes of holder and waiter; nobody is overtaken; and nothing is allocated while
//! waiting, which the heap's own lock could not do. What a waiter sleeps on is the machine's [`Seat`].

use super::atomic::{AtomicBool, AtomicPtr, Ordering};
use super::{Seat, Waker};
use core::ptr::{null_mut, without_provenance_mut};

/// Nobody holds the lock.
pub(super) const FREE: *mut Waiter = null_mut();
/// Somebody holds it and nobody waits; also the end of a line.
const HELD: *mut Waiter = without_provenance_mut(1);

/// The lock word: [`FREE`], [`HELD`], or the newest waiter.
#[derive(Debug)]
pub(super) struct Queue(pub(super) AtomicPtr<Waiter>);

/// A thread in line, on that thread's stack until `granted`.
#[derive(Debug)]
pub(super) struct Waiter {
    /// Who came before, or [`HELD`]. Once in line only the lock's holder reads and writes it.
    older: AtomicPtr<Waiter>,
    /// Set by the holder when it passes the lock on. Whoever set it does not touch the waiter again.
    granted: AtomicBool,
    waker: Waker,
}

impl Queue {
    /// Returns once the caller holds the lock.
    pub(super) fn lock(&self) {
        if !self.try_lock() {
            self.wait_in_line();
        }
    }

    /// Takes the lock if it is free.
    pub(super) fn try_lock(&self) -> bool {
        self.0.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    /// The caller holds the lock, and from here on no longer.
    pub(super) fn unlock(&self) {
        if self.0.compare_exchange(HELD, FREE, Ordering::Release, Ordering::Relaxed).is_err() {
            self.pass_on();
        }
    }

    #[cold]
    fn wait_in_line(&self) {
        let seat = Seat::take();
        let waiter = Waiter { older: AtomicPtr::new(HELD), granted: AtomicBool::new(false), waker: seat.waker() };
        let mut newest = self.0.load(Ordering::Relaxed);
        loop {
            let (next, order) = if newest == FREE {
                (HELD, Ordering::Acquire)
            } else {
                waiter.older.store(newest, Ordering::Relaxed);
                // Whoever acquires this word, or one that a later waiter puts over it, sees the waiter as it is here.
                ((&raw const waiter).cast_mut(), Ordering::Release)
            };
            match self.0.compare_exchange(newest, next, order, Ordering::Relaxed) {
                Ok(_) if next == HELD => return,
                Ok(_) => break,
                Err(now) => newest = now,
            }
        }
        // A seat may have been woken for whoever sat there before.
        while !waiter.granted.load(Ordering::Acquire) {
            seat.wait();
        }
    }

    /// Gives the lock to the oldest waiter. The caller holds it, and somebody waits.
    #[cold]
    fn pass_on(&self) {
        let mut newest = self.0.load(Ordering::Acquire);
        let oldest = loop {
            let (oldest, behind) = ends_of(newest);
            if let Some(behind) = behind {
                behind.older.store(HELD, Ordering::Relaxed);
                break oldest;
            }
            // The only one is in the word. If that changes now, somebody stands behind it and the next look succeeds.
            match self.0.compare_exchange(newest, HELD, Ordering::Relaxed, Ordering::Acquire) {
                Ok(_) => break oldest,
                Err(now) => newest = now,
            }
        };
        // From the grant on its thread may go on and take the waiter away with its stack.
        let waker = oldest.waker.clone();
        oldest.granted.store(true, Ordering::Release);
        waker.wake();
    }
}

/// The oldest of a line, and who stands directly behind it.
fn ends_of<'a>(newest: *mut Waiter) -> (&'a Waiter, Option<&'a Waiter>) {
    let (mut at, mut behind) = (newest, None);
    loop {
        // SAFETY: Only the lock's holder comes here. What the word and `older` name stays in line, on the stack of a thread
        // that waits, until that holder grants it the lock; the word was acquired, so it is seen as it was put there.
        let waiter = unsafe { &*at };
        let older = waiter.older.load(Ordering::Relaxed);
        if older == HELD {
            return (waiter, behind);
        }
        (at, behind) = (older, Some(waiter));
    }
}
