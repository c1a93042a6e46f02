//! A machine of records: processes that live until a test ends them, every call and every message kept.

pub(crate) mod media;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use init::Ground;
use nexus_abi::start::ExitKind;
use nexus_abi::syscall::{self, Answer, Syscall};
use nexus_abi::{Error, Handle, ProcessId, ServiceId};
use nexus_ipc::{Message, Notice};
use nexus_proto::audit::Audit;
use nexus_rt::Kernel;

/// A process as the machine knows it.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) id: ProcessId,
    pub(crate) service: ServiceId,
    pub(crate) state: [u64; 4],
    pub(crate) class: u8,
    /// Shares, CPUs, ticks of a period in how many; none: those of every process.
    pub(crate) limits: Option<(u32, u64, u64, u64)>,
    pub(crate) running: bool,
    /// What it was given: source, rights, badge.
    pub(crate) grants: Vec<(u64, u8, u64)>,
    pub(crate) gone_bits: u64,
}

/// What the machine remembers.
#[derive(Default)]
pub(crate) struct State {
    next: u64,
    pub(crate) now: u64,
    /// By handle.
    pub(crate) processes: BTreeMap<u64, Process>,
    /// Endpoint to its process's handle, 0 for init's own.
    pub(crate) endpoints: BTreeMap<u64, u64>,
    pub(crate) open: Vec<u64>,
    pub(crate) lines: Vec<String>,
    pub(crate) sent: Vec<(u64, Notice)>,
    /// Questions to policy fail with this.
    pub(crate) deaf: Option<Error>,
    pub(crate) audits: Vec<String>,
    pub(crate) revoked: Vec<u64>,
    /// Identities of minted spawn capabilities.
    pub(crate) spawns: BTreeMap<u64, ServiceId>,
    pub(crate) windows: Vec<(u64, u64)>,
    pub(crate) irqs: Vec<u32>,
    /// The call that minted it, and the address or line, by handle.
    minted: BTreeMap<u64, (u64, u64)>,
    /// Source, rights and badge of what was derived, by handle.
    pub(crate) derived: BTreeMap<u64, (u64, u8, u64)>,
    /// A call of this number is refused once.
    pub(crate) refuse: Option<u64>,
}

/// A handle on the machine that the test keeps while init has another.
#[derive(Clone, Default)]
pub(crate) struct Fake(pub(crate) Rc<RefCell<State>>);

pub(crate) fn handle(raw: u64) -> Handle {
    Handle::from_raw(raw).expect("not 0")
}

impl State {
    fn fresh(&mut self) -> Handle {
        self.next += 1;
        let raw = 100 + self.next;
        self.open.push(raw);
        handle(raw)
    }

    /// A handle to what can be had once at a time: a window at an address, a line of a number.
    fn only(&mut self, what: (u64, u64)) -> Result<Handle, Error> {
        if self.minted.iter().any(|(handle, minted)| *minted == what && self.open.contains(handle)) {
            return Err(Error::Exists);
        }
        let fresh = self.fresh();
        self.minted.insert(fresh.raw(), what);
        Ok(fresh)
    }

    /// The living process of a service.
    pub(crate) fn living(&self, service: ServiceId) -> Option<(u64, &Process)> {
        let lives = |process: &&Process| process.state[0] == ExitKind::Running as u64 && process.running;
        self.processes
            .iter()
            .map(|(handle, process)| (*handle, process))
            .find(|(_, process)| process.service == service && lives(process))
    }

    /// The endpoint of a service's living process.
    pub(crate) fn endpoint(&self, service: ServiceId) -> u64 {
        let (process, _) = self.living(service).expect("lives");
        *self.endpoints.iter().find(|(_, owner)| **owner == process).expect("has one").0
    }

    fn create(&mut self, call: syscall::ProcessCreate) -> Result<syscall::ProcessCreated, Error> {
        let covered = self.spawns.get(&call.spawn.raw()).ok_or(Error::BadHandle)?;
        if *covered != call.service {
            return Err(Error::Permission);
        }
        let process = self.fresh();
        let id = ProcessId(1 << 32 | process.raw());
        let made = Process {
            id,
            service: call.service,
            state: [0; 4],
            class: 1,
            limits: None,
            running: false,
            grants: Vec::new(),
            gone_bits: 0,
        };
        self.processes.insert(process.raw(), made);
        Ok(syscall::ProcessCreated { process, id })
    }

    fn answer(&mut self, number: u64, target: u64, input: &[u64; 8]) -> Result<[u64; 8], Error> {
        match number {
            syscall::SpawnMint::NUMBER => {
                let call = syscall::SpawnMint::decode(target, input)?;
                let spawn = self.fresh();
                self.spawns.insert(spawn.raw(), call.service);
                words(syscall::SpawnMinted { spawn })
            }
            syscall::ProcessCreate::NUMBER => {
                let call = syscall::ProcessCreate::decode(target, input)?;
                words(self.create(call)?)
            }
            syscall::MemoryCreate::NUMBER => words(syscall::MemoryCreated { memory: self.fresh() }),
            syscall::MemoryGrow::NUMBER => words(syscall::MemoryGrown { total: 1 << 20 }),
            syscall::Map::NUMBER => words(syscall::Mapped { pages: input[3] }),
            syscall::EndpointCreate::NUMBER => {
                let endpoint = self.fresh();
                self.endpoints.insert(endpoint.raw(), target);
                words(syscall::EndpointCreated { endpoint })
            }
            syscall::NotificationCreate::NUMBER => words(syscall::NotificationCreated { notification: self.fresh() }),
            syscall::Grant::NUMBER => {
                let call = syscall::Grant::decode(target, input)?;
                let process = self.processes.get_mut(&target).ok_or(Error::BadHandle)?;
                process.grants.push((call.source.raw(), call.rights.bits(), call.badge));
                words(syscall::Granted { handle: handle(7) })
            }
            syscall::Derive::NUMBER => {
                let call = syscall::Derive::decode(target, input)?;
                let derived = self.fresh();
                self.derived.insert(derived.raw(), (target, call.rights.bits(), call.badge));
                words(syscall::Derived { handle: derived })
            }
            syscall::WindowMint::NUMBER => {
                let window = self.only((number, input[0]))?;
                self.windows.push((input[0], input[1]));
                words(syscall::WindowMinted { window })
            }
            syscall::IrqMint::NUMBER => {
                let irq = self.only((number, input[0]))?;
                self.irqs.push(input[0] as u32);
                words(syscall::IrqMinted { irq })
            }
            _ => self.answer_about_processes(number, target, input),
        }
    }

    fn answer_about_processes(&mut self, number: u64, target: u64, input: &[u64; 8]) -> Result<[u64; 8], Error> {
        match number {
            syscall::ThreadCreate::NUMBER => {
                self.processes.get_mut(&target).ok_or(Error::BadHandle)?.running = true;
                words(syscall::ThreadCreated { thread: self.fresh() })
            }
            syscall::LimitsSet::NUMBER => {
                let call = syscall::LimitsSet::decode(target, input)?;
                let process = self.processes.get_mut(&target).ok_or(Error::BadHandle)?;
                process.limits = Some((call.shares, call.mask, call.budget, call.period));
                Ok([0; 8])
            }
            syscall::QosSet::NUMBER => {
                let of = |process: &&mut Process| process.id.number() == input[1] as u32;
                self.processes.values_mut().find(of).ok_or(Error::NotFound)?.class = input[0] as u8;
                Ok([0; 8])
            }
            syscall::ProcessWatch::NUMBER => {
                self.processes.get_mut(&target).ok_or(Error::BadHandle)?.gone_bits = input[1];
                Ok([0; 8])
            }
            syscall::ProcessStatus::NUMBER => {
                let [state, detail, pc, address] = self.processes.get(&target).ok_or(Error::BadHandle)?.state;
                words(syscall::ProcessStated { state, detail, pc, address })
            }
            syscall::ProcessKill::NUMBER => {
                let process = self.processes.get_mut(&target).ok_or(Error::BadHandle)?;
                process.state = [ExitKind::Killed as u64, 0, 0, 0];
                Ok([0; 8])
            }
            syscall::Close::NUMBER => {
                self.open.retain(|&open| open != target);
                Ok([0; 8])
            }
            syscall::Revoke::NUMBER => {
                self.revoked.push(target);
                Ok([0; 8])
            }
            syscall::ProcessPrefix::NUMBER | syscall::ThreadStart::NUMBER => Ok([0; 8]),
            _ => Err(Error::NoCall),
        }
    }
}

fn words(answer: impl Answer) -> Result<[u64; 8], Error> {
    let mut words = [0; 8];
    answer.encode(&mut |at, word| words[at] = word);
    Ok(words)
}

impl Kernel for Fake {
    fn raw(&mut self, number: u64, target: u64, input: [u64; 8]) -> Result<[u64; 8], Error> {
        let mut state = self.0.borrow_mut();
        if state.refuse == Some(number) {
            state.refuse = None;
            return Err(Error::Exhausted);
        }
        state.answer(number, target, &input)
    }

    fn fill(&mut self, _memory: Handle, _at: u64, _bytes: &[u8]) -> Result<(), Error> {
        Ok(())
    }

    fn now(&self) -> u64 {
        self.0.borrow().now
    }
}

impl Ground for Fake {
    fn send(&mut self, endpoint: Handle, message: &Message) -> Result<(), Error> {
        let notice = Notice::from_message(message)?;
        if let (Notice::Decide { .. }, Some(error)) = (notice, self.0.borrow().deaf) {
            return Err(error);
        }
        self.0.borrow_mut().sent.push((endpoint.raw(), notice));
        Ok(())
    }

    fn line(&mut self, text: std::fmt::Arguments<'_>) {
        self.0.borrow_mut().lines.push(text.to_string());
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        let Audit { deed, decision, reason, caller, object, .. } = *audit;
        let text = format!("{deed} {} {reason} {caller} {object}", decision.name());
        self.0.borrow_mut().audits.push(text);
    }
}
