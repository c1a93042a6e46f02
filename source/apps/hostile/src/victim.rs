//! Who must not notice anything: a process with memory of its own, and the services.

use nexus_abi::syscall::{MemoryCreate, MemoryGrow};
use nexus_abi::{Error, ProcessId};
use nexus_proto::console;
use nexus_proto::exec::{self, Fate};
use nexus_proto::supervisor::{self, State};
use nexus_rt::memory::{Access, View};
use nexus_rt::{Channel, kernel::invoke};

/// Pages that nobody else may change.
const PAGES: u64 = 4;
/// Services that are looked at, at most.
const SERVICES: usize = 16;

/// Memory with a pattern, and the services as they were at first.
pub(crate) struct Victim {
    memory: View,
    services: [Option<ProcessId>; SERVICES],
}

impl Victim {
    /// Makes the memory and asks for the services.
    pub(crate) fn new() -> Result<Victim, Error> {
        let object = invoke(MemoryCreate { process: None, pages: PAGES })?.memory;
        while invoke(MemoryGrow { memory: object, pages: PAGES })?.total < PAGES {}
        let memory = View::map(object, 0, PAGES, Access::Write)?;
        for at in (0..memory.size()).step_by(8) {
            memory.store_u64(at, pattern(at))?;
        }
        let mut victim = Victim { memory, services: [None; SERVICES] };
        victim.services = victim.list()?.1;
        Ok(victim)
    }

    /// The services that are up, and whether all are.
    fn list(&self) -> Result<(bool, [Option<ProcessId>; SERVICES]), Error> {
        let mut services = supervisor::Client::new(Channel::to(supervisor::NAME)?);
        let (mut found, mut all_up) = ([None; SERVICES], true);
        for (index, place) in found.iter_mut().enumerate() {
            match services.list(index as u32) {
                Ok(service) => {
                    all_up &= State::from_wire(service.state) == Some(State::Up);
                    *place = Some(service.process);
                }
                Err(Error::NotFound) => break,
                Err(error) => return Err(error),
            }
        }
        Ok((all_up, found))
    }

    /// Memory and services are as they were; init answers, and so does the console.
    pub(crate) fn is_well(&self) -> Result<(), &'static str> {
        for at in (0..self.memory.size()).step_by(8) {
            if self.memory.load_u64(at) != Ok(pattern(at)) {
                return Err("the victim's memory is what it was");
            }
        }
        let (all_up, services) = self.list().map_err(|_| "init answers")?;
        if !all_up || services != self.services {
            return Err("every service is up, and was never restarted");
        }
        let mut screen = console::Client::new(Channel::to(console::NAME).map_err(|_| "there is a way to the console")?);
        // The session is the shell's: that is the answer.
        match screen.write(b"x") {
            Err(Error::Permission) => Ok(()),
            _ => Err("the console answers, and refuses strangers"),
        }
    }

    /// All that was printed is sent, so that a flood that comes next pushes no verdict out of the ring.
    pub(crate) fn is_heard(&self) -> Result<(), &'static str> {
        let flushed = Channel::to(console::NAME).and_then(|screen| console::Client::new(screen).flush());
        flushed.map(drop).map_err(|_| "the console sends what was printed")
    }

    /// execd starts programs, and says how they ended.
    pub(crate) fn is_served(&self) -> Result<(), &'static str> {
        let served = || -> Result<Fate, Error> {
            let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
            let process = programs.start("rogue", &exec::pack(["exit", "7"])?, None, None, None)?.process;
            programs.wait(process)?.fate()
        };
        if served() == Ok(Fate::Exited(7)) { Ok(()) } else { Err("programs are started and waited for") }
    }
}

fn pattern(at: usize) -> u64 {
    (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}
