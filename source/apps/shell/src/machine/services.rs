//! Programs and services, through execd and init.

use super::terminal::{Events, Loan};
use crate::Place;
use crate::system::{End, Process, Program, State, Waited};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use nexus_abi::{Error, ProcessId};
use nexus_proto::exec::{self, Fate};
use nexus_proto::supervisor;
use nexus_rt::Channel;

/// The status with which programs are ended.
const KILLED: i64 = 137;

/// Programs that execd runs, and the loan of the terminal to the one in front.
pub(super) struct Programs {
    events: Events,
    loan: Option<Loan>,
}

impl Programs {
    pub(super) fn new(events: Events) -> Self {
        Programs { events, loan: None }
    }

    pub(super) fn start(&mut self, stages: &[Vec<String>], place: Place) -> Result<Vec<u32>, Error> {
        let [words] = stages else {
            // Nobody serves the stream between two programs yet.
            return Err(Error::Unavailable);
        };
        let (name, arguments) = words.split_first().ok_or(Error::Invalid)?;
        let arguments = exec::pack(arguments.iter().map(String::as_str))?;
        if place == Place::Foreground {
            self.loan = Some(Loan::take()?);
        }
        let stream = self.loan.as_ref().map(Loan::stream);
        let started = client().and_then(|mut exec| exec.start(name, &arguments, stream, stream, stream));
        if started.is_err() {
            self.loan = None;
        }
        Ok(Vec::from([started?.process.number()]))
    }

    pub(super) fn wait(&mut self, pid: u32) -> Result<Waited, Error> {
        let process = find(pid)?;
        // While something is awaited, Ctrl-C is a signal and not a key.
        let _loan = match self.loan.take() {
            Some(loan) => loan,
            None => Loan::take()?,
        };
        let mut exec = client()?;
        exec.watch(process, self.events.handle(), Events::ENDED)?;
        while exec.state(process)?.fate()? == Fate::Running {
            // A signal may be left from a program that was awaited before: the state decides.
            if self.events.wait()? & Events::INTERRUPT != 0 {
                return Ok(Waited::Interrupted);
            }
        }
        match exec.wait(process)?.fate()? {
            Fate::Exited(status) => Ok(Waited::Ended(End::Exited(status))),
            Fate::Killed(status) => Ok(Waited::Ended(End::Killed(status))),
            Fate::Faulted { cause, pc, address } => Ok(Waited::Ended(End::Faulted { cause, pc, address })),
            Fate::Running => Err(Error::Protocol),
        }
    }

    pub(super) fn kill(&mut self, pid: u32) -> Result<(), Error> {
        client()?.kill(find(pid)?, KILLED).map(drop)
    }

    /// Programs that ended and were not waited for.
    pub(super) fn ended(&self) -> Result<Vec<Process>, Error> {
        let mut exec = client()?;
        let mut rows = Vec::new();
        for listed in listed()? {
            let stated = exec.state(listed.process)?;
            let end = match stated.fate()? {
                Fate::Running => continue,
                Fate::Exited(status) => End::Exited(status),
                Fate::Killed(status) => End::Killed(status),
                Fate::Faulted { cause, pc, address } => End::Faulted { cause, pc, address },
            };
            let (pid, name) = (listed.process.number(), listed.name.as_str().to_string());
            let state = State::Ended(end);
            rows.push(Process { pid, name, class: None, state, cpu_us: 0, frames: 0, handles: 0, threads: 0 });
        }
        Ok(rows)
    }
}

/// All services.
pub(super) fn list() -> Result<Vec<Program>, Error> {
    let mut supervisor = supervisor::Client::new(Channel::to(supervisor::NAME)?);
    let mut rows = Vec::new();
    loop {
        match supervisor.list(rows.len() as u32) {
            Ok(service) => {
                let state = supervisor::State::from_wire(service.state).ok_or(Error::Protocol)?;
                let lives = matches!(state, supervisor::State::Starting | supervisor::State::Up);
                rows.push(Program {
                    name: service.name.as_str().to_string(),
                    pid: lives.then(|| service.process.number()),
                    state: state.name(),
                    restarts: service.restarts,
                });
            }
            Err(Error::NotFound) => return Ok(rows),
            Err(error) => return Err(error),
        }
    }
}

/// Ends a service.
pub(super) fn kill(name: &str) -> Result<(), Error> {
    supervisor::Client::new(Channel::to(supervisor::NAME)?).kill(name).map(drop)
}

/// A client of the execd that runs now: one that was restarted is asked for again, before anything is asked of it that
/// must not happen twice.
fn client() -> Result<exec::Client<Channel>, Error> {
    let mut exec = exec::Client::new(Channel::to(exec::NAME)?);
    // Listing may be repeated, so it follows the restart; its answer does not matter.
    let _ = exec.list(0);
    Ok(exec)
}

/// Everything in execd's table.
fn listed() -> Result<Vec<exec::Listed>, Error> {
    let mut exec = client()?;
    let (mut rows, mut index) = (Vec::new(), 0);
    loop {
        match exec.list(index) {
            Ok(row) => {
                index = row.index.max(index) + 1;
                rows.push(row);
            }
            Err(Error::NotFound) => return Ok(rows),
            Err(error) => return Err(error),
        }
    }
}

/// The program that people call by this number: of several, the one that was started last.
fn find(pid: u32) -> Result<ProcessId, Error> {
    let processes = listed()?.into_iter().map(|row| row.process);
    processes.filter(|process| process.number() == pid).max_by_key(|process| process.0).ok_or(Error::NotFound)
}
