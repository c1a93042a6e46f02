//! The lock of a program's threads, on the line of [`Queue`].

use super::atomic::AtomicPtr;
use super::queue::{FREE, Queue};

/// A value that one thread at a time may use.
pub type Mutex<T> = lock_api::Mutex<QueueLock, T>;

/// A lock whose waiters wait, first come first served.
#[derive(Debug)]
pub struct QueueLock(Queue);

// SAFETY: One caller at a time leaves `lock`: by moving the word from FREE, which nobody else can, or by the grant that the
// one holder makes as it leaves. Each goes from a release to an acquire, so the next holder sees what the last one wrote.
unsafe impl lock_api::RawMutex for QueueLock {
    const INIT: QueueLock = QueueLock(Queue(AtomicPtr::new(FREE)));
    type GuardMarker = lock_api::GuardSend;

    fn lock(&self) {
        self.0.lock();
    }

    fn try_lock(&self) -> bool {
        self.0.try_lock()
    }

    unsafe fn unlock(&self) {
        self.0.unlock();
    }
}
