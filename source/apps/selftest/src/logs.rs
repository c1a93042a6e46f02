//! The log: what its interface promises, through the kernel.

use core::time::Duration;

use crate::Failure;
use nexus_abi::syscall::{Close, NotificationCreate, Wait, Whoami};
use nexus_abi::{Deadline, Error, Handle, ServiceId};
use nexus_proto::contract::logs as contract;
use nexus_proto::logs::{self, Client, RATE};
use nexus_proto::record::{Level, Record};
use nexus_rt::{Channel, Instant, kernel::invoke};

/// In which an account gains what the next check spends.
const REST: Duration = Duration::from_millis(16 * 1000 / RATE as u64);

fn channel(route: &str) -> Result<Channel, Failure> {
    Channel::to(route).map_err(|error| Failure::Refused("a route to logd", error))
}

pub(crate) fn own() -> Result<ServiceId, Failure> {
    invoke(Whoami {}).map(|identity| identity.service).map_err(|error| Failure::Refused("its identity", error))
}

fn with_events(check: impl FnOnce(Handle) -> Result<(), Failure>) -> Result<(), Failure> {
    let made = invoke(NotificationCreate { process: None });
    let events = made.map_err(|error| Failure::Refused("a notification", error))?.notification;
    let outcome = check(events);
    invoke(Close { handle: events }).map_err(|error| Failure::Refused("close", error))?;
    outcome
}

/// Waits until this program may add some records again: nobody signals the notification.
fn rest() -> Result<(), Failure> {
    with_events(|events| match invoke(Wait { notification: events, deadline: Instant::now().after(REST) }) {
        Err(Error::TimedOut) => Ok(()),
        Err(error) => Err(Failure::Refused("a pause", error)),
        Ok(_) => Err(Failure::Wrong("nobody signals a pause")),
    })
}

/// Malformed requests and callers without permission.
pub(crate) fn hostile_requests_are_refused() -> Result<(), Failure> {
    with_events(|events| Ok(contract::hardened(channel(logs::NAME)?, channel("logs-denied")?, events)?))
}

/// Parts of records over their bounds.
pub(crate) fn oversized_fields_are_refused() -> Result<(), Failure> {
    Ok(contract::oversized_fields(channel(logs::NAME)?, own()?)?)
}

/// A sender that does not rest.
pub(crate) fn a_flood_is_limited() -> Result<(), Failure> {
    contract::rate_limited(channel(logs::NAME)?, own()?)?;
    rest()
}

/// Records that claim to be another's.
pub(crate) fn claimed_identities_are_refused() -> Result<(), Failure> {
    Ok(contract::identity_spoof(channel(logs::NAME)?, own()?)?)
}

/// What was recorded can be asked for: through the interface, through the macros of every program, through a ring.
pub(crate) fn records_can_be_asked_for() -> Result<(), Failure> {
    with_events(|events| {
        let fired = || invoke(Wait { notification: events, deadline: Deadline(0) }).is_ok();
        Ok(contract::queried(channel(logs::NAME)?, own()?, events, fired)?)
    })?;
    let mut client = Client::new(channel(logs::NAME)?);
    let end = client.tail(0, Level::Trace as u8, logs::ANYBODY);
    let end = end.map_err(|error| Failure::Refused("the log's end", error))?.after;
    log::warn!("through the {}", "macros");
    let found = client.next(end, Level::Warn as u8, own()?).map_err(|error| Failure::Refused("a query", error))?;
    match Record::read(&found.record) {
        Ok(record) if record.text == "through the macros" => {}
        _ => return Err(Failure::Wrong("the macros of the log crate write records")),
    }
    // execd said that it is ready; that went through its ring.
    let execd = client.next(0, Level::Info as u8, ServiceId::service("execd"));
    let execd = execd.map_err(|error| Failure::Refused("a query for a service", error))?;
    match Record::read(&execd.record) {
        Ok(record) if record.text == "ready" => Ok(()),
        _ => Err(Failure::Wrong("what a service says stands in the log as its own")),
    }
}
