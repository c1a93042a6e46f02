//! Two programs whose threads, 66 together, all wake at one instant on one CPU.

use alloc::{format, sync::Arc, vec::Vec};
use core::sync::atomic::Ordering;

use nexus_abi::Error;
use nexus_proto::exec::{self, Fate};
use nexus_rt::Channel;

use crate::{Shared, job};

const PROGRAMS: u64 = 2;
/// Threads of each.
const SLEEPERS: u64 = 33;

/// Starts them; they sleep on the last CPU.
pub(crate) fn begin(shared: &Arc<Shared>, seconds: u64) {
    job(shared, move |shared| watch(shared, seconds));
}

fn watch(shared: &Shared, seconds: u64) -> Result<(), Error> {
    let mut exec = exec::Client::new(Channel::to(exec::NAME)?);
    let last = shared.cpus.load(Ordering::Relaxed) - 1;
    let words = [SLEEPERS, u64::from(last), seconds].map(|word| format!("{word}"));
    let arguments = exec::pack(words.iter().map(|word| word.as_str()))?;
    let mut programs = Vec::new();
    for _ in 0..PROGRAMS {
        Shared::count(&shared.slept);
        programs.push(exec.start("sleepers", &arguments, None, None, None)?.process);
    }
    shared.wait_for_end()?;
    for process in programs {
        match exec.wait(process)?.fate()? {
            Fate::Exited(0) => {}
            fate => shared.wrong(&format!("a sleep did not end, or early: {fate:?}")),
        }
        Shared::count(&shared.woken);
    }
    Ok(())
}
