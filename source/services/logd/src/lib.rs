//! Keeps the records of every program, and answers who asks for them.
//!
//! Records come through rings, one a service, granted by init, and through calls from programs. [`shelf`] keeps the
//! last ones of each level, [`account`] counts and limits each sender, this file joins the two and decides who may. The
//! rings and the signals are arguments, so the whole service runs under test.

#![no_std]

extern crate alloc;

mod account;
mod machine;
mod shelf;

pub use account::{MAX_SENDERS, Sender};
pub use machine::{Bell, open};
pub use shelf::{LEVEL_BYTES, LEVEL_RECORDS};

use alloc::vec::Vec;

use nexus_abi::{Deadline, Error, Handle, ProcessId, ServiceId};
use nexus_ipc::ring::{MAX_RECORD, Reader, Shared};
use nexus_ipc::{Answered, Call, Message, Outcome, Port, Serve, Signal};
use nexus_proto::logs::{self, APPEND, Appended, Found, Logs, Named, READ, Tailed, Watched};
use nexus_proto::record::{Level, MAX_BYTES, Record};
use wiring::Wiring;

use account::Accounts;
use shelf::Shelves;

/// Callers that can wait for a record at once.
pub const MAX_WATCHES: usize = 8;
/// Records that one look takes out of one ring at most: as many as it can hold.
const DRAIN: usize = nexus_ipc::ring::CAPACITY / 8;
/// The service's own name, for what it says about others' records.
const OWN: ServiceId = ServiceId::service("logd");

/// Signals to others.
pub trait Signals {
    /// Signals bits to a notification.
    fn notify(&mut self, notification: Handle, bits: u64);
}

/// Who waits for a record behind a number.
#[derive(Clone, Copy, Debug)]
struct Watch {
    process: ProcessId,
    after: u64,
    notification: Handle,
    bits: u64,
}

/// The service.
pub struct Logd<M, S> {
    signals: S,
    wiring: Wiring,
    rings: Vec<(ServiceId, Reader<M>)>,
    accounts: Accounts,
    shelves: Shelves,
    watches: Vec<Watch>,
}

impl<M: Shared, S: Signals> Logd<M, S> {
    /// A service with nothing kept, over these rings and this many ticks a second.
    pub fn new(signals: S, wiring: Wiring, rings: Vec<(ServiceId, M)>, timebase: u64) -> Self {
        Self {
            signals,
            wiring,
            rings: rings.into_iter().map(|(sender, memory)| (sender, Reader::over(memory))).collect(),
            accounts: Accounts::new(timebase),
            shelves: Shelves::default(),
            watches: Vec::new(),
        }
    }

    /// The signals that it gives.
    pub fn signals(&mut self) -> &mut S {
        &mut self.signals
    }

    /// Takes every ring's records, as many as it can hold.
    pub fn drain(&mut self, port: &mut dyn Port) {
        let mut buffer = [0; MAX_RECORD];
        for at in 0..self.rings.len() {
            let sender = self.rings[at].0;
            for _ in 0..DRAIN {
                let Some(record) = self.rings[at].1.next(&mut buffer) else { break };
                // What is refused is counted; a ring has nobody to tell.
                let _ = self.keep(port.now(), sender, ProcessId(0), record);
            }
            let dropped = self.rings[at].1.dropped();
            self.accounts.dropped(port.now(), sender, dropped);
        }
        self.fire(port);
    }

    fn keep(
        &mut self,
        now: u64,
        sender: ServiceId,
        process: ProcessId,
        record: Result<&[u8], Error>,
    ) -> Result<u64, Error> {
        let account = self.accounts.spend(now, sender)?;
        let read = record.and_then(|bytes| Record::read(bytes).map(|read| (read.level, bytes)));
        let Ok((level, bytes)) = read else {
            account.malformed += 1;
            self.accounts.owe(now);
            return Err(Error::Invalid);
        };
        account.kept += 1;
        Ok(self.shelves.put(level, now, (sender, process), bytes))
    }

    /// Signals who waited for what is there now.
    fn fire(&mut self, port: &mut dyn Port) {
        let last = self.shelves.last();
        for watch in self.watches.extract_if(.., |watch| watch.after < last) {
            self.signals.notify(watch.notification, watch.bits);
            port.close(watch.notification);
        }
    }

    /// Says how many of a sender's records were lost since it was said last.
    fn confess(&mut self, port: &mut dyn Port) {
        for (sender, lost) in self.accounts.losses() {
            let name = self.wiring.name_of(sender);
            let name = name.as_ref().map_or("somebody", |name| name.as_str());
            let text = alloc::format!("{lost} records of {name} were lost");
            let fields = alloc::format!("count={lost}\0");
            let record = Record { level: Level::Warn, target: "loss", text: &text, fields: &fields };
            let mut buffer = [0; MAX_BYTES];
            let bytes = record.write(&mut buffer).expect("a name and a number fit a record");
            self.shelves.put(Level::Warn, port.now(), (OWN, ProcessId(0)), bytes);
        }
        self.fire(port);
    }
}

impl<M: Shared, S: Signals> Logs for Logd<M, S> {
    fn append(&mut self, call: &mut Call<'_>, record: &[u8]) -> Outcome<Appended> {
        permitted(call, APPEND)?;
        let (sender, process) = (call.caller.service, call.caller.process);
        let sequence = self.keep(call.port.now(), sender, process, Ok(record))?;
        self.fire(call.port);
        Ok(Appended { sequence })
    }

    fn next(&mut self, call: &mut Call<'_>, after: u64, level: u8, sender: ServiceId) -> Outcome<Found> {
        permitted(call, READ)?;
        let level = Level::from_wire(level).ok_or(Error::Invalid)?;
        let kept = self.shelves.next(after, level, sender).ok_or(Error::NotFound)?;
        let (sender, process) = kept.from;
        Ok(Found { sequence: kept.sequence, at: kept.at, sender, process, record: kept.bytes.to_vec() })
    }

    fn tail(&mut self, call: &mut Call<'_>, count: u32, level: u8, sender: ServiceId) -> Outcome<Tailed> {
        permitted(call, READ)?;
        let level = Level::from_wire(level).ok_or(Error::Invalid)?;
        Ok(Tailed { after: self.shelves.tail(count, level, sender) })
    }

    fn sender(&mut self, call: &mut Call<'_>, index: u32) -> Outcome<logs::Sender> {
        permitted(call, READ)?;
        let account = self.accounts.at(index as usize).ok_or(Error::NotFound)?;
        let Sender { id, kept, malformed, limited, dropped, .. } = *account;
        Ok(logs::Sender { sender: id, kept, malformed, limited, dropped })
    }

    fn name(&mut self, call: &mut Call<'_>, sender: ServiceId) -> Outcome<Named> {
        permitted(call, READ)?;
        let init = (sender == ServiceId::service(wiring::INIT)).then(|| nexus_abi::Name::new(wiring::INIT)).flatten();
        let name = init.or_else(|| self.wiring.name_of(sender)).ok_or(Error::NotFound)?;
        Ok(Named { name })
    }

    fn watch(&mut self, call: &mut Call<'_>, after: u64, notification: Handle, bits: u64) -> Outcome<Watched> {
        permitted(call, READ)?;
        let watch = Watch { process: call.caller.process, after, notification, bits };
        match self.watches.iter().position(|watch| watch.process == call.caller.process) {
            Some(at) => call.port.close(core::mem::replace(&mut self.watches[at], watch).notification),
            None if self.watches.len() == MAX_WATCHES => return Err(Error::OverLimit.into()),
            None => self.watches.push(watch),
        }
        self.fire(call.port);
        Ok(Watched {})
    }
}

fn permitted(call: &Call<'_>, permission: u64) -> Result<(), Error> {
    if call.caller.may(permission) { Ok(()) } else { Err(Error::Permission) }
}

impl<M: Shared, S: Signals> Serve for Logd<M, S> {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        logs::dispatch(self, call, request)
    }

    fn signal(&mut self, port: &mut dyn Port, _signal: Signal) {
        self.drain(port);
    }

    fn deadline(&self) -> Deadline {
        self.accounts.due()
    }

    fn expired(&mut self, port: &mut dyn Port) {
        self.confess(port);
    }
}
