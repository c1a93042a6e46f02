//! A lock whose waiters give way: a program's threads share it, and its holder may be preempted.

use core::sync::atomic::{AtomicBool, Ordering};

use nexus_abi::syscall::Yield;

use crate::kernel::invoke;

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
        while !self.try_lock() {
            let _ = invoke(Yield {});
        }
    }

    fn try_lock(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    unsafe fn unlock(&self) {
        self.0.store(false, Ordering::Release);
    }
}
