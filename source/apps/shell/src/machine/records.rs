//! The log, through logd.

use super::kernel::microseconds;
use super::terminal::{Events, Loan};
use crate::system::{Entry, Query};
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;
use nexus_abi::{Error, ServiceId};
use nexus_proto::logs::{ANYBODY, Client, Found, NAME};
use nexus_proto::record::Record;
use nexus_rt::Channel;

/// How long a follower waits before it looks whether the log was started anew.
const LOOK: Duration = Duration::from_secs(1);

/// The last records.
pub(super) fn last(query: &Query) -> Result<Vec<Entry>, Error> {
    let mut log = Log::open(query)?;
    let mut entries = Vec::new();
    log.each(&mut |entry| entries.push(entry.clone()))?;
    Ok(entries)
}

/// The last records, and then each as it comes, until Ctrl-C.
pub(super) fn follow(events: Events, query: &Query, show: &mut dyn FnMut(&Entry)) -> Result<(), Error> {
    // While the terminal is lent, Ctrl-C is a signal and not a key.
    let _loan = Loan::take()?;
    let mut log = Log::open(query)?;
    loop {
        log.each(show)?;
        log.client.watch(log.after, events.handle(), Events::RECORDED)?;
        if events.wait_within(LOOK)? & Events::INTERRUPT != 0 {
            return Ok(());
        }
    }
}

/// What the manifest calls an identity; its number where nobody says.
pub(super) fn name_of(id: ServiceId) -> String {
    let named = Channel::to(NAME).and_then(|channel| Client::new(channel).name(id));
    named.map_or_else(|_| format!("{:016x}", id.0), |named| named.name.as_str().to_string())
}

struct Log {
    client: Client<Channel>,
    after: u64,
    level: u8,
    sender: ServiceId,
    names: Vec<(ServiceId, String)>,
}

impl Log {
    fn open(query: &Query) -> Result<Self, Error> {
        let mut client = Client::new(Channel::to(NAME)?);
        let level = query.level as u8;
        let sender = match &query.sender {
            Some(name) => identity(&mut client, name)?,
            None => ANYBODY,
        };
        let after = client.tail(query.count, level, sender)?.after;
        Ok(Log { client, after, level, sender, names: Vec::new() })
    }

    /// Shows every record that is there and was not shown.
    fn each(&mut self, show: &mut dyn FnMut(&Entry)) -> Result<(), Error> {
        if self.client.tail(0, self.level, ANYBODY)?.after < self.after {
            // The log was started anew and counts from the beginning.
            self.after = 0;
        }
        loop {
            match self.client.next(self.after, self.level, self.sender) {
                Ok(found) => {
                    self.after = found.sequence;
                    show(&self.entry(&found)?);
                }
                Err(Error::NotFound) => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }

    fn entry(&mut self, found: &Found) -> Result<Entry, Error> {
        let record = Record::read(&found.record).map_err(|_| Error::Protocol)?;
        let process = found.process.number();
        Ok(Entry {
            number: found.sequence,
            at_us: microseconds(found.at),
            level: record.level,
            sender: self.name(found.sender),
            pid: (process != 0).then_some(process),
            target: record.target.to_string(),
            text: record.text.to_string(),
            fields: record.pairs().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        })
    }

    fn name(&mut self, sender: ServiceId) -> String {
        if let Some((_, name)) = self.names.iter().find(|(id, _)| *id == sender) {
            return name.clone();
        }
        let named = self.client.name(sender).map(|named| named.name.as_str().to_string());
        let name = named.unwrap_or_else(|_| format!("{:016x}", sender.0));
        self.names.push((sender, name.clone()));
        name
    }
}

/// Who is called so: a service, or a program by its file or display name.
fn identity(client: &mut Client<Channel>, name: &str) -> Result<ServiceId, Error> {
    let program = format!("app/boot/{name}");
    let ids = [ServiceId::service(name), ServiceId::program(&program), ServiceId::program(name)];
    ids.into_iter().find(|&id| client.name(id).is_ok()).ok_or(Error::NotFound)
}
