//! A lock whose waiters give way: a program's threads share it, and its holder may be preempted.
//!
//! Giving way is enough between threads of one class. A holder of a lower class never runs while a waiter of a higher one
//! is ready, so who has given way in vain sleeps a little.

use core::sync::atomic::{AtomicBool, Ordering};

use nexus_abi::syscall::Yield;

use super::nap;
use crate::kernel::invoke;

/// Times that a waiter gives way before it sleeps.
const POLITE: u32 = 16;

/// A value that one thread at a time may use.
pub type Mutex<T> = lock_api::Mutex<YieldLock, T>;

/// The lock word.
#[derive(Debug)]
pub struct YieldLock(AtomicBool);

// SAFETY: `try_lock` succeeds for one caller until `unlock`; the orderings make the holder's writes visible to the next.
unsafe impl lock_api::RawMutex for YieldLock {
    const INIT: YieldLock = YieldLock(AtomicBool::new(false));
    type GuardMarker = lock_api::GuardSend;

    fn lock(&self) {
        let mut tries = 0;
        while !self.try_lock() {
            if tries == POLITE {
                nap();
                continue;
            }
            let _ = invoke(Yield {});
            tries += 1;
        }
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}
