//! The shell on the real machine: the console for keys and screen, services and kernel behind [`System`].
//!
//! Two threads: the first waits for keys and runs commands, the second serves the pipes between programs and answers
//! init's probes. When the console is gone the shell ends, and is started again with a way to the new one.

mod kernel;
mod pipeline;
mod records;
mod services;
mod terminal;

use crate::system::{
    Cpu, Entry, Explanation, Memory, NotStarted, Power, Process, Program, Query, Rest, Slot, Timers, Waited,
};
use crate::{Place, Session, System};
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::convert::Infallible;
use core::time::Duration;
use kernel::Tables;
use nexus_abi::{Error, Limits, Name, QosClass};
use nexus_proto::policy;
use nexus_rt::{Channel, Instant, Server, env, pipe::Plumber, thread};
use services::Programs;
use terminal::{Events, Loan, Terminal};

/// Pages of the second thread's stack.
const STACK: u64 = 4;
/// The boot argument that asks for the proof; `selftest=<program>`: for another program's, whose words
/// commas part.
const SELFTEST: &str = "selftest";

/// Runs the shell: the session in the first thread, which has the class that the manifest gives.
pub fn main() -> Result<Infallible, Error> {
    let plumber = Plumber::over(env::handle(env::SERVE)?)?;
    let (mut pipes, ends) = (plumber.service(), plumber.ends());
    let server = Server::of_start_page()?;
    let _served = thread::spawn(
        STACK,
        Box::new(move || {
            // It ends with the endpoint, and that with the process.
            let _ = server.bound_to(ends).and_then(|server| server.run(&mut pipes));
        }),
    )?;
    serve_session(plumber)
}

fn serve_session(plumber: Plumber) -> Result<Infallible, Error> {
    let mut terminal = Terminal::open()?;
    let mut machine = Machine { tables: Tables::open(), programs: Programs::new(terminal.events(), plumber) };
    let mut session = Session::default();
    // Without init's word the prompt comes all the same: whoever sits there may know what to do.
    let _ = services::settled();
    let proof = machine.tables.boot_arguments().split_whitespace().find_map(proof);
    if let Some(command) = proof {
        session.run(&command, &mut machine, &mut terminal);
        let status = u32::from(session.failed());
        let error = machine.power(Power::Off(status));
        nexus_rt::log!("the machine was not stopped: {}", error.name());
    }
    session.open(&mut terminal);
    loop {
        terminal.flush()?;
        for key in terminal.read()? {
            session.feed(key, &mut machine, &mut terminal);
        }
    }
}

/// The command that a boot argument stands for.
fn proof(word: &str) -> Option<String> {
    match word.strip_prefix(SELFTEST)? {
        "" => Some(String::from(SELFTEST)),
        program => program.strip_prefix('=').map(|program| format!("run {}", program.replace(',', " "))),
    }
}

/// Everything that commands ask for.
struct Machine {
    tables: Tables,
    programs: Programs,
}

impl System for Machine {
    fn processes(&mut self) -> Result<Vec<Process>, Error> {
        let mut rows = self.tables.processes()?;
        // Without execd only the records of ended programs are missing.
        rows.extend(self.programs.ended().unwrap_or_default());
        Ok(rows)
    }

    fn cpus(&mut self) -> Result<Vec<Cpu>, Error> {
        self.tables.cpus()
    }

    fn memory(&mut self) -> Result<Vec<Memory>, Error> {
        self.tables.memory()
    }

    fn services(&mut self) -> Result<Vec<Program>, Error> {
        services::list()
    }

    fn capabilities(&mut self, pid: u32) -> Result<Vec<Slot>, Error> {
        self.tables.capabilities_to(pid)
    }

    fn start(&mut self, stages: &[Vec<String>], place: Place) -> Result<Vec<u32>, NotStarted> {
        self.programs.start(stages, place)
    }

    fn wait(&mut self, pid: u32) -> Result<Waited, Error> {
        self.programs.wait(pid)
    }

    fn kill_program(&mut self, pid: u32) -> Result<(), Error> {
        self.programs.kill(pid)
    }

    fn set_class(&mut self, pid: u32, class: QosClass) -> Result<(), Error> {
        self.programs.set_class(pid, class)
    }

    fn limit(&mut self, pid: u32, limits: Limits) -> Result<(), Error> {
        self.programs.limit(pid, limits)
    }

    fn timers(&mut self) -> Result<Vec<Timers>, Error> {
        services::timers()
    }

    fn kill_service(&mut self, name: &str) -> Result<(), Error> {
        services::kill(name)
    }

    fn explain(&mut self, subject: &str, interface: &str) -> Result<Explanation, Error> {
        let (subject, interface) =
            (Name::new(subject).ok_or(Error::Invalid)?, Name::new(interface).ok_or(Error::Invalid)?);
        let told = policy::Client::new(Channel::to(policy::NAME)?).explain(subject, interface)?;
        let rule = policy::Rule::from_wire(told.rule).ok_or(Error::Protocol)?;
        Ok(Explanation { rule, permits: told.permits, by: records::name_of(told.by) })
    }

    fn records(&mut self, query: &Query) -> Result<Vec<Entry>, Error> {
        records::last(query)
    }

    fn follow(&mut self, query: &Query, show: &mut dyn FnMut(&Entry)) -> Result<(), Error> {
        records::follow(self.programs.events(), query, show)
    }

    fn rest(&mut self, time: Duration) -> Result<Rest, Error> {
        // While the terminal is lent, Ctrl-C is a signal and not a key.
        let _loan = Loan::take()?;
        let until = Instant::now().after(time);
        loop {
            match self.programs.events().wait_until(until)? {
                0 => return Ok(Rest::Over),
                bits if bits & Events::INTERRUPT != 0 => return Ok(Rest::Interrupted),
                // Left from a program that was awaited before.
                _ => {}
            }
        }
    }

    fn uptime_us(&mut self) -> u64 {
        kernel::microseconds(nexus_rt::Instant::now().ticks())
    }

    fn power(&mut self, power: Power) -> Error {
        self.tables.power(power)
    }
}
