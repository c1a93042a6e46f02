//! Programs and services, through execd and init.

use super::pipeline;
use super::terminal::{Events, Loan};
use crate::Place;
use crate::system::{End, NotStarted, Process, Program, State, Timers, Waited};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use nexus_abi::{Error, Limits, ProcessId, QosClass};
use nexus_proto::exec::{self, Fate};
use nexus_proto::{supervisor, timer};
use nexus_rt::Channel;
use nexus_rt::pipe::Plumber;

/// The status with which `kill` and Ctrl-C end programs.
pub(super) const KILLED: i64 = 137;

/// How long a prompt waits for the rest of the system. Each service may take some seconds until init gives it up.
const PATIENCE: Duration = Duration::from_secs(60);

/// Programs that execd runs, and the loan of the terminal to the one in front.
pub(super) struct Programs {
    events: Events,
    front: Option<Front>,
    plumber: Plumber,
}

/// What runs in front: its programs that were not awaited yet, and the terminal that they have.
struct Front {
    _loan: Loan,
    pids: Vec<u32>,
}

impl Programs {
    pub(super) fn new(events: Events, plumber: Plumber) -> Self {
        Programs { events, front: None, plumber }
    }

    pub(super) fn events(&self) -> Events {
        self.events
    }

    pub(super) fn start(&mut self, stages: &[Vec<String>], place: Place) -> Result<Vec<u32>, NotStarted> {
        self.front = None;
        let loan = match place {
            Place::Foreground => Some(Loan::take()?),
            Place::Background => None,
        };
        let terminal = loan.as_ref().map(Loan::stream);
        let started = pipeline::start(&self.plumber, &mut client()?, stages, terminal)?;
        let pids: Vec<u32> = started.into_iter().map(ProcessId::number).collect();
        self.front = loan.map(|loan| Front { _loan: loan, pids: pids.clone() });
        Ok(pids)
    }

    pub(super) fn wait(&mut self, pid: u32) -> Result<Waited, Error> {
        let process = find(pid)?;
        // While something is awaited, Ctrl-C is a signal and not a key.
        let mut front = match self.front.take() {
            Some(front) => front,
            None => Front { _loan: Loan::take()?, pids: Vec::new() },
        };
        let mut exec = client()?;
        exec.watch(process, self.events.handle(), Events::ENDED)?;
        while exec.state(process)?.fate()? == Fate::Running {
            // A signal may be left from a program that was awaited before: the state decides.
            if self.events.wait()? & Events::INTERRUPT != 0 {
                return Ok(Waited::Interrupted);
            }
        }
        // The other stages go on with the terminal.
        front.pids.retain(|&stage| stage != pid);
        self.front = Some(front).filter(|front| !front.pids.is_empty());
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

    pub(super) fn set_class(&mut self, pid: u32, class: QosClass) -> Result<(), Error> {
        client()?.set_class(find(pid)?, class).map(drop)
    }

    pub(super) fn limit(&mut self, pid: u32, limits: Limits) -> Result<(), Error> {
        client()?.limit(find(pid)?, limits).map(drop)
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
            rows.push(Process {
                pid,
                name,
                class: None,
                terms: None,
                state,
                cpu_us: 0,
                frames: 0,
                handles: 0,
                threads: 0,
            });
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

/// Waits until the services that the manifest names are up, or init has done what it can.
pub(super) fn settled() -> Result<(), Error> {
    let init = Channel::to(supervisor::NAME)?.patient(Some(PATIENCE));
    supervisor::Client::new(init).settled().map(drop)
}

/// The timers of every class.
pub(super) fn timers() -> Result<Vec<Timers>, Error> {
    let mut service = timer::Client::new(Channel::to(timer::NAME)?);
    let row = |class| {
        let window_us = timer::window(class).as_micros() as u64;
        Ok(Timers { class, window_us, counted: service.count(class)?, lateness: service.lateness(class)? })
    };
    QosClass::ALL.into_iter().map(row).collect()
}

/// Ends a service.
pub(super) fn kill(name: &str) -> Result<(), Error> {
    supervisor::Client::new(Channel::to(supervisor::NAME)?).kill(name).map(drop)
}

/// A client of the execd that runs now: one that was restarted is asked for again, before anything is asked of it that
/// must not happen twice.
fn client() -> Result<exec::Client<Channel>, Error> {
    let mut exec = exec::Client::new(Channel::to(exec::NAME)?);
    // Listing may be repeated, so it follows the restart; an empty list is an answer too.
    match exec.list(0) {
        Ok(_) | Err(Error::NotFound) => Ok(exec),
        Err(error) => Err(error),
    }
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
