//! Programs that end by themselves, and programs that are killed while they spin.

use alloc::sync::Arc;

use nexus_abi::Error;
use nexus_proto::exec::{self, Fate};
use nexus_rt::Channel;

use crate::{Shared, job};

/// Status with which programs are killed.
const STATUS: i64 = 9;

/// Starts the job.
pub(crate) fn begin(shared: &Arc<Shared>) {
    job(shared, work);
}

fn work(shared: &Shared) -> Result<(), Error> {
    let mut exec = exec::Client::new(Channel::to(exec::NAME)?);
    let mut round = 0;
    while shared.goes_on() {
        let (what, expected) = if round % 2 == 0 { ("exit", Fate::Exited(0)) } else { ("spin", Fate::Killed(STATUS)) };
        Shared::count(&shared.started);
        let process = exec.start("rogue", &exec::pack([what])?, None, None, None)?.process;
        if round % 2 == 1 {
            exec.kill(process, STATUS)?;
        }
        if exec.wait(process)?.fate()? != expected {
            shared.wrong("a program ended otherwise");
        }
        Shared::count(&shared.ended);
        round += 1;
    }
    Ok(())
}
