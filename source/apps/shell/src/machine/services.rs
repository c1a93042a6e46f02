//! Programs and services, through execd and init.

use super::plumbing::{PipeEnd, pipe};
use super::terminal::{Events, Loan};
use crate::Place;
use crate::system::{End, Process, Program, State, Waited};
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use nexus_abi::{Error, Handle, ProcessId};
use nexus_proto::exec::{self, Fate};
use nexus_proto::supervisor;
use nexus_rt::Channel;

/// The status with which programs are ended.
const KILLED: i64 = 137;

/// Programs that execd runs, and the loan of the terminal to those in front.
pub(super) struct Programs {
    events: Events,
    loan: Option<Loan>,
    /// The programs in front, in the order of their line.
    stages: Vec<Stage>,
    /// Pipes so far.
    pipes: u64,
}

/// One program in front, and its ends of pipes.
struct Stage {
    process: ProcessId,
    ends: Vec<PipeEnd>,
}

impl Programs {
    pub(super) fn new(events: Events) -> Self {
        Programs { events, loan: None, stages: Vec::new(), pipes: 0 }
    }

    pub(super) fn start(&mut self, stages: &[Vec<String>], place: Place) -> Result<Vec<u32>, Error> {
        if place == Place::Background {
            // Nobody would see when a program of a line behind the prompt ends, and close its pipes.
            let [words] = stages else { return Err(Error::Unavailable) };
            return start_one(words, [None; 3]).map(|process| Vec::from([process.number()]));
        }
        let loan = Loan::take()?;
        let screen = Some(loan.stream());
        self.loan = Some(loan);
        let mut input = None;
        for (at, words) in stages.iter().enumerate() {
            let result = self.start_stage(words, input.take(), (at + 1 < stages.len(), screen));
            match result {
                Ok(next) => input = next,
                Err(error) => {
                    self.abandon();
                    return Err(error);
                }
            }
        }
        Ok(self.stages.iter().map(|stage| stage.process.number()).collect())
    }

    /// Starts one program of a line, and makes the pipe to the next; answers the end for that one.
    fn start_stage(
        &mut self,
        words: &[String],
        input: Option<PipeEnd>,
        (more, screen): (bool, Option<Handle>),
    ) -> Result<Option<PipeEnd>, Error> {
        let mut ends: Vec<PipeEnd> = input.into_iter().collect();
        let stdin = ends.first().map_or(screen, |end| Some(end.handle()));
        let (mut stdout, mut next) = (screen, None);
        if more {
            self.pipes += 1;
            let (read, write) = pipe(self.pipes)?;
            stdout = Some(write.handle());
            ends.push(write);
            next = Some(read);
        }
        let process = start_one(words, [stdin, stdout, screen])?;
        self.stages.push(Stage { process, ends });
        Ok(next)
    }

    /// Ends a line that could not be started as a whole.
    fn abandon(&mut self) {
        for stage in core::mem::take(&mut self.stages) {
            let ended = client().and_then(|mut exec| {
                exec.kill(stage.process, KILLED)?;
                exec.wait(stage.process)
            });
            if let Err(error) = ended {
                nexus_rt::log!("program {}: {}", stage.process.number(), error.name());
            }
        }
        self.loan = None;
    }

    pub(super) fn wait(&mut self, pid: u32) -> Result<Waited, Error> {
        let process = find(pid)?;
        // While something is awaited, Ctrl-C is a signal and not a key.
        let _own = if self.loan.is_none() { Some(Loan::take()?) } else { None };
        let waited = self.wait_in_front(process);
        if !matches!(waited, Ok(Waited::Interrupted)) {
            self.stages.retain(|stage| stage.process != process);
        }
        if self.stages.is_empty() {
            self.loan = None;
        }
        waited
    }

    fn wait_in_front(&mut self, process: ProcessId) -> Result<Waited, Error> {
        let mut exec = client()?;
        exec.watch(process, self.events.handle(), Events::ENDED)?;
        for stage in self.stages.iter().filter(|stage| stage.process != process && !stage.ends.is_empty()) {
            // One that is gone already cannot be watched; its ends are closed below all the same.
            let _ = exec.watch(stage.process, self.events.handle(), Events::ENDED);
        }
        loop {
            for stage in &mut self.stages {
                if exec.state(stage.process).and_then(|stated| stated.fate()) != Ok(Fate::Running) {
                    stage.ends.clear();
                }
            }
            if exec.state(process)?.fate()? != Fate::Running {
                break;
            }
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

/// Starts one program with standard input, output and error.
fn start_one(words: &[String], [stdin, stdout, stderr]: [Option<Handle>; 3]) -> Result<ProcessId, Error> {
    let (name, arguments) = words.split_first().ok_or(Error::Invalid)?;
    let arguments = exec::pack(arguments.iter().map(String::as_str))?;
    Ok(client()?.start(name, &arguments, stdin, stdout, stderr)?.process)
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
