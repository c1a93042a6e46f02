//! Where threads of this program sleep until a lock is theirs: notifications, one more than can be needed at once.
//!
//! [`add_seat`] makes one before each further thread starts, so a thread that has to wait finds one free; none is ever
//! made while waiting, when the quota might not have it.

use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::syscall::{NotificationCreate, Notify, Wait};
use nexus_abi::{Deadline, Error, Handle};

use crate::kernel::invoke;
use crate::program::{PANIC_STATUS, exit};

/// Seats, and with that threads, of one program.
const SEATS: usize = 64;

static NOTIFICATIONS: [AtomicU64; SEATS] = [const { AtomicU64::new(0) }; SEATS];
/// A bit for each seat that stands and is free.
static FREE: AtomicU64 = AtomicU64::new(0);

/// Makes seat `index`. `EOVERLIMIT`: there are enough, or the quota has no notification for it.
pub(crate) fn add_seat(index: usize) -> Result<(), Error> {
    let place = NOTIFICATIONS.get(index).ok_or(Error::OverLimit)?;
    place.store(invoke(NotificationCreate { process: None })?.notification.raw(), Ordering::Relaxed);
    FREE.fetch_or(1 << index, Ordering::Release);
    Ok(())
}

/// A seat, taken by one thread until dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    index: u32,
    notification: Handle,
}

/// Wakes who sits in a seat.
#[derive(Clone, Debug)]
pub(crate) struct Waker(Handle);

impl Seat {
    /// Takes a free one. A program that made threads behind the runtime's back can be without: it ends.
    pub(crate) fn take() -> Seat {
        let mut free = FREE.load(Ordering::Relaxed);
        while free != 0 {
            match FREE.compare_exchange(free, free & (free - 1), Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => break,
                Err(now) => free = now,
            }
        }
        let index = free.trailing_zeros();
        let raw = NOTIFICATIONS.get(index as usize).map_or(0, |place| place.load(Ordering::Relaxed));
        match Handle::from_raw(raw) {
            Some(notification) => Seat { index, notification },
            None => exit(PANIC_STATUS),
        }
    }

    /// What wakes it.
    pub(crate) fn waker(&self) -> Waker {
        Waker(self.notification)
    }

    /// Sleeps until it is woken, which may have happened already. A program that closed the notification ends.
    pub(crate) fn wait(&self) {
        if invoke(Wait { notification: self.notification, deadline: Deadline::NEVER }).is_err() {
            exit(PANIC_STATUS)
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        FREE.fetch_or(1 << self.index, Ordering::Release);
    }
}

impl Waker {
    /// Wakes the sleeper, or who sits there next.
    pub(crate) fn wake(self) {
        if invoke(Notify { notification: self.0, bits: 1 }).is_err() {
            exit(PANIC_STATUS)
        }
    }
}
