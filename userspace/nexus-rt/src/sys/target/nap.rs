//! A short sleep of one thread, for locks whose holder has a lower class.

use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::syscall::{Close, NotificationCreate, Wait, Yield};
use nexus_abi::{Deadline, Handle};

use super::time;
use crate::kernel::invoke;

/// Ticks of one nap: about what an allocation takes.
const NAP: u64 = 1000;

/// The notification that nobody signals, on which threads sleep; 0: not made yet.
static BED: AtomicU64 = AtomicU64::new(0);

/// Sleeps a little. A program that may have no notification gives way instead.
pub(crate) fn nap() {
    // A wait on what nobody signals ends with its deadline, which is what it is for.
    let _ = match bed() {
        Some(notification) => {
            let deadline = Deadline(time().saturating_add(NAP));
            invoke(Wait { notification, deadline }).map(drop)
        }
        None => invoke(Yield {}).map(drop),
    };
}

fn bed() -> Option<Handle> {
    if let Some(made) = Handle::from_raw(BED.load(Ordering::Relaxed)) {
        return Some(made);
    }
    let made = invoke(NotificationCreate { process: None }).ok()?.notification;
    match BED.compare_exchange(0, made.raw(), Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => Some(made),
        Err(other) => {
            // Another thread was faster.
            let _ = invoke(Close { handle: made });
            Handle::from_raw(other)
        }
    }
}
