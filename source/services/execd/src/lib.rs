//! Loads and starts programs for those who may.
//!
//! A state machine over requests and signals: [`bundle`] knows the programs of the boot image, [`start`] makes a process
//! of one, [`table`] remembers what runs and how it ended, and this file decides who may: the badge first, then policy, which
//! is asked at each start. The kernel and policy are arguments, so the whole service runs under test.

#![no_std]

extern crate alloc;

pub mod bundle;
mod ground;
mod start;
mod table;

pub use ground::{Ground, open};
pub use start::Holdings;
pub use table::{MAX_RECORDS, MAX_WAITERS};

use alloc::vec::Vec;

use launch::Launched;
use nexus_abi::syscall::{
    Close, InfoProcess, InfoUsage, Notify, ProcessInfo, ProcessKill, ProcessOpen, ProcessStatus, ProcessWatch, QosSet,
};
use nexus_abi::{Error, Handle, Limits, Name, ProcessId, QosClass, ServiceId, start::ExitKind};
use nexus_ipc::{Answered, Call, Caller, Message, Outcome, Port, Serve, Signal};
use nexus_proto::audit::Ledger;
use nexus_proto::exec::{
    self, CONTROL, ClassSet, Ended, Exec, Killed, Limited, Listed, RAISE, START, Started, Stated, WITH_STARTER, Watched,
};

use bundle::Bundle;
use start::Streams;
use table::{Fate, Record, Table, Watch};

/// The service.
pub struct Execd<K> {
    kernel: K,
    bundle: Bundle<'static>,
    holdings: Holdings,
    table: Table,
    ledger: Ledger,
}

impl<K: Ground> Execd<K> {
    /// A service over the programs of a sealed boot image. `ECORRUPT`, `EPROTO`: the image is not sound.
    pub fn new(kernel: K, image: &'static [u8], holdings: Holdings) -> Result<Execd<K>, Error> {
        let ledger = Ledger::new(holdings.timebase);
        Ok(Execd { kernel, bundle: Bundle::read(image)?, holdings, table: Table::default(), ledger })
    }

    /// Finds the programs that a predecessor started and that run on, so that they can be listed and ended again. Who
    /// started them is forgotten: only those who may control all programs get at them. One that was only half made then is
    /// ended: nobody else would ever run it.
    pub fn recover(&mut self) -> Result<(), Error> {
        let info = self.holdings.info.ok_or(Error::Unavailable)?;
        let mut index = 1;
        loop {
            let found = match self.kernel.invoke(InfoProcess { info, index }) {
                Ok(found) => found,
                Err(Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            };
            index = found.id.number() + 1;
            if !found.service.is_service() && found.service != ServiceId::KERNEL {
                // One that ends meanwhile, or for which there is no place, is as it was before.
                let _ = match self.kernel.invoke(InfoUsage { info, index: found.id.number() }) {
                    Ok(usage) if usage.switches == 0 => self.discard(&found),
                    _ => self.adopt(&found),
                };
            }
        }
    }

    fn adopt(&mut self, found: &ProcessInfo) -> Result<(), Error> {
        let place = self.table.room()?;
        let opened = self.kernel.invoke(ProcessOpen { spawn: self.holdings.spawn, process: found.id })?;
        let process = opened.process;
        let watch = ProcessWatch { process, notification: self.holdings.ends, bits: 1 << place };
        self.kernel.invoke(watch).inspect_err(|_| self.close(process))?;
        let launched = Launched { process, id: found.id };
        let short = found.name.as_str().rsplit('/').next().unwrap_or_default();
        let terms = self.bundle.terms(short).unwrap_or((QosClass::Normal, Limits::NONE));
        self.table.put(place, Record::new(&launched, found.name, terms, ProcessId(0)));
        Ok(())
    }

    fn discard(&mut self, found: &ProcessInfo) -> Result<(), Error> {
        let process = self.kernel.invoke(ProcessOpen { spawn: self.holdings.spawn, process: found.id })?.process;
        let killed = self.kernel.invoke(ProcessKill { process, status: WITH_STARTER });
        self.close(process);
        killed.map(drop)
    }

    /// The kernel under it.
    pub fn kernel(&mut self) -> &mut K {
        &mut self.kernel
    }

    /// The place of a program that this caller may watch and end.
    fn place(&self, caller: &Caller, process: ProcessId) -> Result<usize, Error> {
        if caller.badge & (START | CONTROL) == 0 {
            return Err(Error::Permission);
        }
        let place = self.table.find(process).ok_or(Error::NotFound)?;
        let own = caller.may(START) && self.table.get(place).is_some_and(|record| record.starter == caller.process);
        if own || caller.may(CONTROL) { Ok(place) } else { Err(Error::Permission) }
    }

    /// Policy's leave to do something with a program; without it, or without policy, it is not done. One audit either way.
    fn leave(&mut self, caller: &Caller, (deed, permission): (&'static str, u64), program: Name) -> Result<(), Error> {
        let interface = Name::new(exec::NAME).ok_or(Error::Invalid)?;
        let decided = self.kernel.decide(caller.service, interface, permission).map(|rule| rule.name());
        if let Some(spoken) = self.ledger.take(self.kernel.now(), caller.service, decided) {
            let name = self.bundle.name_of(caller.service);
            let caller = name.as_ref().map_or("unknown", |name| name.as_str());
            self.kernel.audit(&spoken.of(deed, &caller, &program.as_str()));
        }
        decided.map(drop)
    }

    fn record(&mut self, caller: &Caller, process: ProcessId) -> Result<&mut Record, Error> {
        let place = self.place(caller, process)?;
        self.table.get_mut(place).ok_or(Error::NotFound)
    }

    /// Looks whether a program has ended. What it started ends with it, and what that started: nothing here can start
    /// anything meanwhile, so a program that starts others without end is ended with all of them. Only then is it told.
    fn settle(&mut self, place: usize, port: &mut dyn Port) {
        let Some(program) = self.note_end(place) else { return };
        let mut ended = Vec::from([program]);
        while let Some(starter) = ended.pop() {
            while let Some((orphan, process)) = self.table.started_by(starter) {
                // One that has ended already is noted all the same.
                let _ = self.kernel.invoke(ProcessKill { process, status: WITH_STARTER });
                ended.extend(self.note_end(orphan));
                self.tell(orphan, port);
                self.table.remove(orphan);
            }
        }
        self.tell(place, port);
    }

    /// Takes note of how a program ended, if it has; the program.
    fn note_end(&mut self, place: usize) -> Option<ProcessId> {
        let record = self.table.get_mut(place).filter(|record| record.fate.is_running())?;
        let status = self.kernel.invoke(ProcessStatus { process: record.process }).ok()?;
        let fate = Fate { kind: status.state, detail: status.detail, pc: status.pc, address: status.address };
        if fate.is_running() {
            return None;
        }
        record.fate = fate;
        if ExitKind::from_wire(fate.kind) == Some(ExitKind::Faulted) {
            let (cause, pc, address) = (fate.detail, fate.pc, fate.address);
            nexus_rt::log!("{} fault {cause} at {pc:#x} on {address:#x}", record.name.as_str());
        }
        let (id, process) = (record.id, record.process);
        self.close(process);
        Some(id)
    }

    /// Tells everybody who waits that a program has ended.
    fn tell(&mut self, place: usize, port: &mut dyn Port) {
        let Some(record) = self.table.get_mut(place) else { return };
        let (fate, watches) = (record.fate, core::mem::take(&mut record.watches));
        // Whoever gave up waiting is not answered; the record then stays for the next one who asks.
        let heard = record.waiters.drain(..).map(|ticket| ticket.answer(port, Ok(fate.into())));
        let taken = heard.filter(Result::is_ok).count() > 0;
        watches.into_iter().for_each(|watch| self.fire(watch));
        if taken {
            self.table.remove(place);
        }
    }

    fn fire(&mut self, watch: Watch) {
        // A watcher that is gone needs no signal.
        let _ = self.kernel.invoke(Notify { notification: watch.notification, bits: watch.bits });
        self.close(watch.notification);
    }

    fn close(&mut self, handle: Handle) {
        // Only what this service holds is closed; an error would mean that it is gone already.
        let _ = self.kernel.invoke(Close { handle });
    }
}

impl<K: Ground> Exec for Execd<K> {
    fn start(
        &mut self,
        call: &mut Call<'_>,
        program: &str,
        arguments: &[u8],
        stdin: Option<Handle>,
        stdout: Option<Handle>,
        stderr: Option<Handle>,
    ) -> Outcome<Started> {
        if !call.caller.may(START) {
            return Err(Error::Permission.into());
        }
        let arguments = exec::unpack(arguments)?;
        let program = self.bundle.program(program)?;
        self.leave(&call.caller, ("open", START), program.name())?;
        let place = self.table.room()?;
        let streams = Streams { stdin, stdout, stderr };
        let launched = start::start(&mut self.kernel, &self.holdings, &program, (&arguments, &streams, place))?;
        let terms = (program.record.qos, program.record.limits);
        self.table.put(place, Record::new(&launched, program.name(), terms, call.caller.process));
        streams.each().for_each(|(_, handle)| self.close(handle));
        Ok(Started { process: launched.id })
    }

    fn wait(&mut self, call: &mut Call<'_>, process: ProcessId) -> Outcome<Ended> {
        let place = self.place(&call.caller, process)?;
        let record = self.table.get_mut(place).ok_or(Error::NotFound)?;
        if !record.fate.is_running() {
            let fate = record.fate;
            self.table.remove(place);
            return Ok(fate.into());
        }
        if record.waiters.len() == MAX_WAITERS {
            return Err(Error::OverLimit.into());
        }
        let (ticket, deferred) = call.defer()?;
        record.waiters.push(ticket);
        Err(deferred.into())
    }

    fn state(&mut self, call: &mut Call<'_>, process: ProcessId) -> Outcome<Stated> {
        let Fate { kind, detail, pc, address } = self.record(&call.caller, process)?.fate;
        Ok(Stated { kind, detail, pc, address })
    }

    fn watch(&mut self, call: &mut Call<'_>, process: ProcessId, notification: Handle, bits: u64) -> Outcome<Watched> {
        let record = self.record(&call.caller, process)?;
        let watch = Watch { notification, bits, by: call.caller.process };
        let same = |old: &&mut Watch| (old.by, old.bits) == (watch.by, bits);
        if !record.fate.is_running() {
            self.fire(watch);
        } else if let Some(before) = record.watches.iter_mut().find(same) {
            // Asked again, it takes no second place: who asks each time it waits would soon find none.
            let before = core::mem::replace(before, watch);
            self.close(before.notification);
        } else if record.watches.len() == MAX_WAITERS {
            return Err(Error::OverLimit.into());
        } else {
            record.watches.push(watch);
        }
        Ok(Watched {})
    }

    fn kill(&mut self, call: &mut Call<'_>, process: ProcessId, status: i64) -> Outcome<Killed> {
        let place = self.place(&call.caller, process)?;
        let record = self.table.get(place).ok_or(Error::NotFound)?;
        if record.fate.is_running() {
            let process = record.process;
            self.kernel.invoke(ProcessKill { process, status })?;
            self.settle(place, call.port);
        }
        Ok(Killed {})
    }

    fn list(&mut self, call: &mut Call<'_>, index: u32) -> Outcome<Listed> {
        if call.caller.badge & (START | CONTROL) == 0 {
            return Err(Error::Permission.into());
        }
        let (index, record) = self.table.at_or_after(index as usize).ok_or(Error::NotFound)?;
        let Fate { kind, detail, .. } = record.fate;
        Ok(Listed { index: index as u32, process: record.id, name: record.name, kind, detail })
    }

    fn set_class(&mut self, call: &mut Call<'_>, process: ProcessId, class: QosClass) -> Outcome<ClassSet> {
        let record = self.record(&call.caller, process)?;
        if !record.fate.is_running() {
            return Err(Error::State.into());
        }
        let (limit, program) = (record.class, record.name);
        if class > limit.max(QosClass::Interactive) {
            // It takes a budget, which only the manifest gives.
            return Err(Error::Permission.into());
        }
        if class > limit {
            self.leave(&call.caller, ("raise", RAISE), program)?;
        }
        // The number is this program's until its record's handle is closed, whether or not it still runs.
        let set = self.kernel.invoke(QosSet { class: class as u8, target: process.number() });
        set.map(|_| ClassSet {}).map_err(|error| if error == Error::Invalid { Error::State } else { error }.into())
    }

    fn limit(&mut self, call: &mut Call<'_>, process: ProcessId, limits: Limits) -> Outcome<Limited> {
        let record = self.record(&call.caller, process)?;
        if !record.fate.is_running() {
            return Err(Error::State.into());
        }
        let (handle, program, within) = (record.process, record.name, limits.are_within(record.limits));
        if !within {
            self.leave(&call.caller, ("raise", RAISE), program)?;
        }
        let timebase = self.holdings.timebase;
        let set = launch::limit(&mut self.kernel, handle, &limits, timebase);
        set.map(|()| Limited {}).map_err(|error| if error == Error::PeerClosed { Error::State } else { error }.into())
    }
}

impl<K: Ground> Serve for Execd<K> {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        exec::dispatch(self, call, request)
    }

    /// Bit `n` says that the program in place `n` is gone and all it had is back.
    fn signal(&mut self, port: &mut dyn Port, signal: Signal) {
        (0..MAX_RECORDS).filter(|place| signal.bits >> place & 1 != 0).for_each(|place| self.settle(place, port));
    }
}

impl From<Fate> for Ended {
    fn from(fate: Fate) -> Ended {
        Ended { kind: fate.kind, detail: fate.detail, pc: fate.pc, address: fate.address }
    }
}

impl Fate {
    fn is_running(&self) -> bool {
        matches!(ExitKind::from_wire(self.kind), Some(ExitKind::Running | ExitKind::Dying))
    }
}
