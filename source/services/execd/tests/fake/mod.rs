//! A kernel of counters: processes that end when their program says, handles that must all be closed again.

use std::collections::BTreeMap;

use execd::Ground;
use nexus_abi::syscall::{self, Answer, Syscall};
use nexus_abi::{Error, Handle, Kind, Name, ProcessId, Rights, ServiceId};
use nexus_proto::audit::Audit;
use nexus_proto::policy::Rule;
use nexus_rt::Kernel;

/// A process as the kernel knows it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) runs: bool,
    /// `process_status`.
    pub(crate) status: [u64; 4],
    pub(crate) watch: u64,
    /// Names are in the start page; here only how many handles it was given.
    pub(crate) grants: Vec<(u64, u8)>,
}

/// The kernel.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    next: u64,
    /// Handles of the caller: what each names.
    pub(crate) open: BTreeMap<u64, &'static str>,
    pub(crate) processes: BTreeMap<u64, Process>,
    /// Bits signalled to the service.
    pub(crate) signalled: u64,
    /// Bits signalled to others, by notification.
    pub(crate) notified: Vec<(u64, u64)>,
    /// What policy answers instead of a route.
    pub(crate) policy: Option<Error>,
    pub(crate) asked: Vec<(ServiceId, String, u64)>,
    pub(crate) audits: Vec<String>,
    /// Classes that were set, and of whom.
    pub(crate) classes: Vec<(u64, u64)>,
    /// Limits that were set: shares, CPUs, ticks of a period in how many.
    pub(crate) limits: Vec<(u32, u64, u64, u64)>,
    /// The number of a call that is refused, and with what.
    pub(crate) refuse: Option<(u64, Error)>,
    grown: BTreeMap<u64, u64>,
}

impl Fake {
    /// A handle of the caller.
    pub(crate) fn handle(&mut self, what: &'static str) -> Handle {
        self.next += 1;
        self.open.insert(self.next, what);
        Handle::from_raw(self.next).expect("counted from 1")
    }

    /// How many handles name a thing of this sort.
    pub(crate) fn count(&self, what: &str) -> usize {
        self.open.values().filter(|&&held| held == what).count()
    }

    fn limit(&mut self, call: syscall::LimitsSet) -> Result<[u64; 8], Error> {
        self.open.get(&call.process.raw()).ok_or(Error::BadHandle)?;
        self.limits.push((call.shares, call.mask, call.budget, call.period));
        Ok([0; 8])
    }

    /// Ends a running process.
    pub(crate) fn end(&mut self, process: u64, status: [u64; 4]) {
        if let Some(process) = self.processes.get_mut(&process).filter(|process| process.status[0] == 0) {
            (process.status, process.runs) = (status, false);
            self.signalled |= process.watch;
        }
    }

    /// Ends every running process whose program ends by itself.
    pub(crate) fn run(&mut self) {
        let running: Vec<_> = self.processes.iter().filter(|(_, process)| process.runs).collect();
        let ends: Vec<_> = running
            .into_iter()
            .filter_map(|(&process, Process { name, .. })| match name.as_str() {
                "app/boot/hello" => Some((process, [2, 0, 0, 0])),
                "app/boot/crash" => Some((process, [4, 13, 0x1_0000, 8])),
                _ => None,
            })
            .collect();
        ends.into_iter().for_each(|(process, status)| self.end(process, status));
    }

    fn process(&mut self, target: u64) -> Result<&mut Process, Error> {
        if !self.open.contains_key(&target) {
            return Err(Error::BadHandle);
        }
        self.processes.get_mut(&target).ok_or(Error::WrongKind)
    }

    fn create(&mut self, call: syscall::ProcessCreate) -> syscall::ProcessCreated {
        let process = self.handle("process");
        let name = call.name.as_str().into();
        self.processes.insert(process.raw(), Process { name, ..Process::default() });
        syscall::ProcessCreated { process, id: ProcessId(process.raw()) }
    }

    fn life(&mut self, number: u64, target: u64, input: &[u64; 8]) -> Result<[u64; 8], Error> {
        let process = self.process(target)?;
        match number {
            syscall::ProcessStatus::NUMBER => {
                let [state, detail, pc, address] = process.status;
                return Ok(words(syscall::ProcessStated { state, detail, pc, address }));
            }
            syscall::ProcessKill::NUMBER => self.end(target, [3, input[0], 0, 0]),
            _ => process.watch = syscall::ProcessWatch::decode(target, input)?.bits,
        }
        Ok([0; 8])
    }

    fn found(&self, index: u64) -> Result<[u64; 8], Error> {
        let found = self.processes.iter().find(|(id, process)| **id >= index && process.status[0] == 0);
        let (&id, process) = found.ok_or(Error::NotFound)?;
        let name = Name::new(&process.name).ok_or(Error::Invalid)?;
        let service = match process.name.contains('/') {
            true => ServiceId::program(&process.name),
            false => ServiceId::service(&process.name),
        };
        Ok(words(syscall::ProcessInfo { id: ProcessId(id), service, name, state: 0, parent: 1 }))
    }

    fn opened(&mut self, process: u64) -> Result<[u64; 8], Error> {
        if !self.processes.contains_key(&process) {
            return Err(Error::NotFound);
        }
        self.open.insert(process, "process");
        Ok(words(syscall::ProcessOpened { process: Handle::from_raw(process).ok_or(Error::Invalid)? }))
    }

    fn grow(&mut self, call: syscall::MemoryGrow) -> syscall::MemoryGrown {
        let total = self.grown.entry(call.memory.raw()).or_default();
        *total += call.pages;
        syscall::MemoryGrown { total: *total }
    }
}

fn words(answer: impl Answer) -> [u64; 8] {
    let mut words = [0; 8];
    answer.encode(&mut |at, word| words[at] = word);
    words
}

impl Kernel for Fake {
    fn raw(&mut self, number: u64, target: u64, input: [u64; 8]) -> Result<[u64; 8], Error> {
        if let Some((_, error)) = self.refuse.filter(|(refused, _)| *refused == number) {
            return Err(error);
        }
        match number {
            syscall::ProcessCreate::NUMBER => {
                let call = syscall::ProcessCreate::decode(target, &input)?;
                Ok(words(self.create(call)))
            }
            syscall::MemoryCreate::NUMBER => Ok(words(syscall::MemoryCreated { memory: self.handle("memory") })),
            syscall::MemoryGrow::NUMBER => Ok(words(self.grow(syscall::MemoryGrow::decode(target, &input)?))),
            syscall::Map::NUMBER => {
                let call = syscall::Map::decode(target, &input)?;
                Ok(words(syscall::Mapped { pages: call.pages }))
            }
            syscall::Grant::NUMBER => {
                let call = syscall::Grant::decode(target, &input)?;
                let grants = &mut self.process(target)?.grants;
                grants.push((call.source.raw(), call.rights.bits()));
                Ok(words(syscall::Granted { handle: Handle::pack(1, 0, grants.len() as u64).ok_or(Error::Invalid)? }))
            }
            syscall::Inspect::NUMBER => {
                let inspected = syscall::Inspected { kind: Kind::Endpoint, rights: Rights::ALL, badge: 0, size: 0 };
                self.open.contains_key(&target).then(|| words(inspected)).ok_or(Error::BadHandle)
            }
            syscall::ThreadCreate::NUMBER => {
                self.next += 1;
                let thread = Handle::from_raw(self.next << 32 | target).ok_or(Error::Invalid)?;
                self.open.insert(thread.raw(), "thread");
                Ok(words(syscall::ThreadCreated { thread }))
            }
            syscall::ThreadStart::NUMBER => {
                self.process(target & 0xffff_ffff)?.runs = true;
                Ok([0; 8])
            }
            syscall::ProcessWatch::NUMBER | syscall::ProcessKill::NUMBER | syscall::ProcessStatus::NUMBER => {
                self.life(number, target, &input)
            }
            syscall::InfoProcess::NUMBER => self.found(input[0]),
            syscall::InfoUsage::NUMBER => {
                let switches = u64::from(self.processes.get(&input[0]).ok_or(Error::NotFound)?.runs);
                let class = nexus_abi::QosClass::Normal;
                Ok(words(syscall::Usage { cpu: 0, frames: 0, handles: 0, threads: 1, switches, class }))
            }
            syscall::ProcessOpen::NUMBER => self.opened(input[0]),
            syscall::Notify::NUMBER => {
                self.open.get(&target).ok_or(Error::BadHandle)?;
                self.notified.push((target, input[0]));
                Ok([0; 8])
            }
            syscall::Close::NUMBER => self.open.remove(&target).map(|_| [0; 8]).ok_or(Error::BadHandle),
            syscall::LimitsSet::NUMBER => self.limit(syscall::LimitsSet::decode(target, &input)?),
            syscall::QosSet::NUMBER => {
                self.classes.push((input[0], input[1]));
                Ok([0; 8])
            }
            syscall::ProcessPrefix::NUMBER | syscall::MemorySeal::NUMBER => Ok([0; 8]),
            _ => Err(Error::NoCall),
        }
    }

    fn fill(&mut self, _: Handle, _: u64, _: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> u64 {
        0
    }
}

impl Ground for Fake {
    fn decide(&mut self, subject: ServiceId, interface: Name, permits: u64) -> Result<Rule, Error> {
        self.asked.push((subject, interface.as_str().to_owned(), permits));
        self.policy.map_or(Ok(Rule::Route), Err)
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        let Audit { deed, decision, reason, caller, object, .. } = *audit;
        self.audits.push(format!("{deed} {} {reason} {caller} {object}", decision.name()));
    }
}
