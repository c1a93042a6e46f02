//! Two programs whose threads, 66 together, all wake at one instant on one CPU.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;
use core::time::Duration;

use alloc::format;
use nexus_abi::Error;
use nexus_proto::exec::{self, Fate};
use nexus_rt::Channel;

use crate::{Shared, job, pause};

const PROGRAMS: u64 = 2;
/// Threads of each.
const SLEEPERS: u64 = 33;
/// Between two looks at whether it is over.
const LOOK: Duration = Duration::from_millis(200);

/// Starts them; they sleep on the last CPU.
pub(crate) fn begin(shared: &Arc<Shared>, seconds: u64) {
    (0..PROGRAMS).for_each(|_| job(shared, move |shared| watch(shared, seconds)));
}

fn watch(shared: &Shared, seconds: u64) -> Result<(), Error> {
    let mut exec = exec::Client::new(Channel::to(exec::NAME)?);
    let last = shared.cpus.load(Ordering::Relaxed) - 1;
    let words = [SLEEPERS, u64::from(last), seconds].map(|word| format!("{word}"));
    Shared::count(&shared.slept);
    let arguments = exec::pack(words.iter().map(|word| word.as_str()))?;
    let process = exec.start("sleepers", &arguments, None, None, None)?.process;
    while shared.goes_on() {
        pause(LOOK)?;
    }
    match exec.wait(process)?.fate()? {
        Fate::Exited(0) => {}
        fate => shared.wrong(&format!("a sleep did not end, or early: {fate:?}")),
    }
    Shared::count(&shared.woken);
    Ok(())
}
