//! What attacks share: raw messages, accomplices, and a word to whoever judges.

use alloc::vec::Vec;
use core::time::Duration;

use nexus_abi::message::WORDS;
use nexus_abi::syscall::{Close, Derive, EndpointCreate, NotificationCreate, Notify, Wait};
use nexus_abi::{Deadline, Error, Handle, ProcessId, Rights};
use nexus_proto::exec::{self, Fate};
use nexus_rt::sys::{Arrival, Departure, counted};
use nexus_rt::{Channel, Instant, env, kernel::invoke};

/// How long an attack waits for something that should come: where several harts share a busy host's time it may be slow.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// The name under which this program can be started again.
const SELF: &str = "attacker";

/// A message call with registers of the caller's choice.
pub(crate) fn message(number: u64, target: u64, extent: u64, words: [u64; WORDS]) -> Result<Arrival, Error> {
    message_until(number, target, extent, Instant::now().after(PATIENCE), words)
}

/// Likewise, with a deadline.
pub(crate) fn message_until(
    number: u64,
    target: u64,
    extent: u64,
    deadline: Deadline,
    words: [u64; WORDS],
) -> Result<Arrival, Error> {
    let arrival = counted(&Departure { number, target, deadline: deadline.0, extent, words }).arrival;
    arrival.status.error().map_or(Ok(arrival), Err)
}

/// Tells the judge that the attack stands and can be looked at: it then ends this program.
pub(crate) fn ready() {
    if let Ok(judge) = env::handle("stdin") {
        // Who runs the attack by hand gave no notification.
        let _ = invoke(Notify { notification: judge, bits: 2 });
    }
}

/// Another process of this program, which does something on behalf of this one.
pub(crate) struct Accomplice {
    process: ProcessId,
}

impl Accomplice {
    /// Starts it; it finds `handle` under the name `stdin`.
    pub(crate) fn start(words: &[&str], handle: Option<Handle>) -> Result<Accomplice, Error> {
        let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
        let process = programs.start(SELF, &exec::pack(words.iter().copied())?, handle, None, None)?.process;
        Ok(Accomplice { process })
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Result<Fate, Error> {
        exec::Client::new(Channel::to(exec::NAME)?).wait(self.process)?.fate()
    }

    /// Ends it.
    pub(crate) fn kill(self) -> Result<(), Error> {
        let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
        programs.kill(self.process, 0)?;
        programs.wait(self.process).map(drop)
    }
}

/// An endpoint of this program, and a handle to it that may be passed on.
pub(crate) fn door(queue: u16) -> Result<(Handle, Handle), Error> {
    let endpoint = invoke(EndpointCreate { process: None, queue })?.endpoint;
    let rights = Rights::USE.union(Rights::TRANSFER);
    let door = invoke(Derive { source: endpoint, rights, badge: 0 })?.handle;
    Ok((endpoint, door))
}

/// A notification of this program, and a handle to it that may be passed on.
pub(crate) fn bell() -> Result<(Handle, Handle), Error> {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let rights = Rights::USE.union(Rights::TRANSFER);
    let bell = invoke(Derive { source: notification, rights, badge: 0 })?.handle;
    Ok((notification, bell))
}

/// Waits for a signal.
pub(crate) fn heard(notification: Handle) -> Result<u64, Error> {
    invoke(Wait { notification, deadline: Instant::now().after(PATIENCE) }).map(|waited| waited.bits)
}

/// Closes handles that were made for one part of an attack.
pub(crate) fn close(handles: &[Handle]) -> Result<(), Error> {
    handles.iter().try_for_each(|&handle| invoke(Close { handle }).map(drop))
}

/// Numbers that look random and are the same each time.
pub(crate) fn numbers(seed: u64, count: usize) -> Vec<u64> {
    let mut state = seed;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    core::iter::repeat_with(next).take(count).collect()
}
