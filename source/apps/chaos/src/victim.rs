//! The services that are killed, each with a question that may be repeated and one that may not.

use core::time::Duration;

use nexus_abi::{Error, Handle, Name, ProcessId};
use nexus_proto::{console, exec, logs, policy, stream, timer};
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
pub(crate) const VICTIMS: [&str; 6] = ["consoled", "policyd", "logd", "execd", "timed", SHELL];
/// It ends with consoled too, so that it has to rest before it is killed.
pub(crate) const SHELL: &str = "shell";
/// The way to the shell's pipes, which nobody has but under this proof.
const PIPES: &str = "pipes";

/// A client of each.
pub(crate) struct Clients {
    console: console::Client<Channel>,
    policy: policy::Client<Channel>,
    logs: logs::Client<Channel>,
    exec: exec::Client<Channel>,
    timer: timer::Client<Channel>,
    pipes: stream::Client<Channel>,
}

impl Clients {
    pub(crate) fn new() -> Result<Clients, Error> {
        inbox::learn(&[console::NAME, policy::NAME, logs::NAME, exec::NAME, timer::NAME, PIPES])?;
        Ok(Clients {
            console: console::Client::new(Channel::to(console::NAME)?),
            policy: policy::Client::new(Channel::to(policy::NAME)?),
            logs: logs::Client::new(Channel::to(logs::NAME)?),
            exec: exec::Client::new(Channel::to(exec::NAME)?),
            timer: timer::Client::new(Channel::to(timer::NAME)?),
            pipes: stream::Client::new(Channel::to(PIPES)?),
        })
    }

    /// Where calls to this victim go now.
    pub(crate) fn endpoint(&mut self, victim: usize) -> Handle {
        match victim {
            0 => self.console.transport().endpoint(),
            1 => self.policy.transport().endpoint(),
            2 => self.logs.transport().endpoint(),
            3 => self.exec.transport().endpoint(),
            4 => self.timer.transport().endpoint(),
            _ => self.pipes.transport().endpoint(),
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
            (4, _) => self.timer.until(until).clock().map(drop),
            // From the end of a pipe that is there to be written to.
            _ => self.pipes.until(until).read(1).map(drop),
        };
        match outcome {
            // What the services themselves refuse with: nobody claimed the console, no such program, no rule, too fast.
            Ok(()) | Err(Error::State | Error::NotFound | Error::Permission | Error::RateLimited) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The question for this victim that a caller with this number has. Not all victims have both.
    pub(crate) fn question(victim: usize, number: u64) -> Question {
        match victim {
            1 | 4 => Question::Again,
            5 => Question::Once,
            _ if number.is_multiple_of(2) => Question::Again,
            _ => Question::Once,
        }
    }
}
