//! Threads that all wake at one instant, again and again.

use alloc::sync::Arc;

use nexus_abi::syscall::{NotificationCreate, Wait};
use nexus_abi::{Deadline, Error};
use nexus_rt::Instant;
use nexus_rt::kernel::invoke;

use crate::{Shared, job};

const SLEEPERS: u64 = 6;
/// Ticks between two instants: about 13 ms.
const BEAT: u64 = 1 << 17;

/// Starts them.
pub(crate) fn begin(shared: &Arc<Shared>) {
    (0..SLEEPERS).for_each(|_| job(shared, sleep));
}

fn sleep(shared: &Shared) -> Result<(), Error> {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    while shared.goes_on() {
        let instant = (Instant::now().ticks() | (BEAT - 1)) + 1;
        Shared::count(&shared.slept);
        match invoke(Wait { notification, deadline: Deadline(instant) }) {
            Err(Error::TimedOut) if Instant::now().ticks() >= instant => Shared::count(&shared.woken),
            Err(Error::TimedOut) => shared.wrong("a sleep ended early"),
            _ => shared.wrong("a sleep ended otherwise"),
        }
    }
    Ok(())
}
