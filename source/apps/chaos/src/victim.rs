//! The services that are killed, each with a question that may be repeated and one that may not.

use core::time::Duration;

use nexus_abi::{Error, Handle, Name, ProcessId};
use nexus_proto::{console, exec, logs, policy, timer};
use nexus_rt::{Channel, inbox, time::deadline_in};

/// How long a call may take, the restart included.
pub(crate) const PATIENCE: Duration = Duration::from_millis(500);

/// Whether a question may be asked again by the client itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Question {
    /// It is asked again when the service died.
    Again,
    /// It is not: the caller is told.
    Once,
}

/// The names of the victims.
pub(crate) const VICTIMS: [&str; 5] = ["consoled", "policyd", "logd", "execd", "timed"];

/// A client of each.
pub(crate) struct Clients {
    console: console::Client<Channel>,
    policy: policy::Client<Channel>,
    logs: logs::Client<Channel>,
    exec: exec::Client<Channel>,
    timer: timer::Client<Channel>,
}

impl Clients {
    pub(crate) fn new() -> Result<Clients, Error> {
        inbox::learn(&[console::NAME, policy::NAME, logs::NAME, exec::NAME, timer::NAME])?;
        Ok(Clients {
            console: console::Client::new(Channel::to(console::NAME)?),
            policy: policy::Client::new(Channel::to(policy::NAME)?),
            logs: logs::Client::new(Channel::to(logs::NAME)?),
            exec: exec::Client::new(Channel::to(exec::NAME)?),
            timer: timer::Client::new(Channel::to(timer::NAME)?),
        })
    }

    /// Where calls to this victim go now.
    pub(crate) fn endpoint(&mut self, victim: usize) -> Handle {
        match victim {
            0 => self.console.transport().endpoint(),
            1 => self.policy.transport().endpoint(),
            2 => self.logs.transport().endpoint(),
            3 => self.exec.transport().endpoint(),
            _ => self.timer.transport().endpoint(),
        }
    }

    /// Asks. What the service itself refuses is an answer; the error is the way's.
    pub(crate) fn ask(&mut self, victim: usize, question: Question) -> Result<(), Error> {
        let until = deadline_in(PATIENCE);
        let name = Name::default();
        let outcome = match (victim, question) {
            (0, Question::Again) => self.console.until(until).retake().map(drop),
            (0, Question::Once) => self.console.until(until).write(b"").map(drop),
            (1, _) => self.policy.until(until).explain(name, name).map(drop),
            (2, Question::Again) => self.logs.until(until).sender(0).map(drop),
            (2, Question::Once) => self.logs.until(until).append(b"").map(drop),
            (3, Question::Again) => self.exec.until(until).list(0).map(drop),
            (3, Question::Once) => self.exec.until(until).wait(ProcessId(0)).map(drop),
            _ => self.timer.until(until).clock().map(drop),
        };
        match outcome {
            // What the services themselves refuse with: nobody claimed the console, no such program, no rule, too fast.
            Ok(()) | Err(Error::State | Error::NotFound | Error::Permission | Error::RateLimited) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Whether this victim has a question that may not be repeated.
    pub(crate) fn asks_once(victim: usize) -> bool {
        matches!(victim, 0 | 2 | 3)
    }
}
