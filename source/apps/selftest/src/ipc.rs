//! Messages: deadlines end waits, and the kernel says who sends.

use crate::{Failure, exec};
use core::time::Duration;
use nexus_abi::{Error, Handle, syscall::Close, syscall::EndpointCreate};
use nexus_ipc::{Message, Transport};
use nexus_rt::{Channel, Instant, kernel::invoke};

/// How long the call waits.
const WAIT: Duration = Duration::from_millis(20);
/// How much later than its deadline a wait may end on a machine with other work.
const SLACK: Duration = Duration::from_millis(500);

/// A call that nobody receives ends with `ETIMEDOUT`, not before its deadline.
pub(crate) fn deadline_ends_a_call() -> Result<(), Failure> {
    let endpoint = invoke(EndpointCreate { process: None, queue: 0 });
    let endpoint = endpoint.map_err(|error| Failure::Refused("an endpoint", error))?.endpoint;
    let outcome = timed_out_call(endpoint);
    invoke(Close { handle: endpoint }).map_err(|error| Failure::Refused("close", error))?;
    outcome
}

fn timed_out_call(endpoint: Handle) -> Result<(), Failure> {
    let began = Instant::now();
    let deadline = began.after(WAIT);
    let answer = Channel::new(endpoint).call(&Message::tagged(1), deadline);
    let waited = Instant::now().since(began);
    if answer.err() != Some(Error::TimedOut) {
        return Err(Failure::Wrong("a call that nobody receives ends with ETIMEDOUT"));
    }
    if waited < WAIT {
        return Err(Failure::Wrong("a wait does not end before its deadline"));
    }
    if waited > WAIT + SLACK {
        return Err(Failure::Wrong("a wait ends soon after its deadline"));
    }
    Ok(())
}

/// The sender's service id in a received message is the kernel's own record, whatever the message says.
pub(crate) fn kernel_names_the_sender() -> Result<(), Failure> {
    let (capture, _, _) = exec::run_sample("sender")?;
    match capture.writer {
        Some(writer) if writer.service == exec::SAMPLE_ID => Ok(()),
        _ => Err(Failure::Wrong("the kernel stamps the program's own service id")),
    }
}
