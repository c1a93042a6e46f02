//! Calls that are made one at a time, while a service dies at one of its system calls.
//!
//! Each names who dies and what the caller may then be told: nothing, if the call may be repeated.

use super::{BOUND, Client, line};
use nexus_abi::{Error, Name, QosClass, ServiceId};
use nexus_proto::timer::Turns;
use nexus_proto::{exec, logs, policy, record, timer};
use nexus_rt::time::deadline_in;

use crate::cast::VISITOR;

/// One call.
pub(crate) struct Deed {
    pub(crate) name: &'static str,
    /// The service that dies.
    pub(crate) victim: &'static str,
    /// With what the call may be refused then.
    pub(crate) refusals: &'static [Error],
    act: fn(&mut Client) -> Result<(), Error>,
}

const fn deed(
    name: &'static str,
    victim: &'static str,
    refusals: &'static [Error],
    act: fn(&mut Client) -> Result<(), Error>,
) -> Deed {
    Deed { name, victim, refusals, act }
}

/// What may be repeated is answered.
const ANSWERED: &[Error] = &[];
/// What may not be is, once.
const TOLD: &[Error] = &[Error::PeerClosed];

/// All of them: each service's calls, with words alone, bytes, handles, and answers that come later.
pub(crate) const DEEDS: [Deed; 14] = [
    deed("clock", "timed", ANSWERED, |client| timed(client)?.clock().map(drop)),
    deed("count", "timed", ANSWERED, |client| timed(client)?.count(QosClass::Normal).map(drop)),
    deed("register", "timed", ANSWERED, |client| {
        let events = client.events;
        timed(client)?.register(0, QosClass::Normal, Turns::once(deadline_in(BOUND)), 1, events).map(drop)
    }),
    deed("cancel", "timed", ANSWERED, |client| found(timed(client)?.cancel(0).map(drop))),
    deed("sender", "logd", ANSWERED, |client| logd(client)?.sender(0).map(drop)),
    deed("tail", "logd", ANSWERED, |client| logd(client)?.tail(8, record::Level::Trace as u8, logs::ANYBODY).map(drop)),
    deed("next", "logd", ANSWERED, |client| {
        found(logd(client)?.next(0, record::Level::Trace as u8, logs::ANYBODY).map(drop))
    }),
    deed("append", "logd", TOLD, |client| logd(client)?.append(&line()?).map(drop)),
    deed("explain", "policyd", ANSWERED, |client| {
        let name = Name::new(client.me()).ok_or(Error::Invalid)?;
        policy::Client::new(client.channel(policy::NAME)?).explain(name, name).map(drop)
    }),
    deed("delegation", "policyd", ANSWERED, |client| {
        found(policy::Client::new(client.channel(policy::NAME)?).delegation(0).map(drop))
    }),
    deed("list", "execd", ANSWERED, |client| found(execd(client)?.list(0).map(drop))),
    deed("start", "execd", TOLD, start),
    deed("start", "policyd", ANSWERED, start),
    deed("wait", "execd", TOLD, |client| {
        let mut execd = execd(client)?;
        let started = execd.start(VISITOR, &[], None, None, None)?;
        found(execd.wait(started.process).map(drop))
    }),
];

fn timed(client: &Client) -> Result<timer::Client<nexus_rt::Channel>, Error> {
    Ok(timer::Client::new(client.channel(timer::NAME)?))
}

fn logd(client: &Client) -> Result<logs::Client<nexus_rt::Channel>, Error> {
    Ok(logs::Client::new(client.channel(logs::NAME)?))
}

fn execd(client: &Client) -> Result<exec::Client<nexus_rt::Channel>, Error> {
    Ok(exec::Client::new(client.channel(exec::NAME)?))
}

fn start(client: &mut Client) -> Result<(), Error> {
    execd(client)?.start(VISITOR, &[], None, None, None).map(drop)
}

/// That there is none, or not any more, is an answer.
fn found(outcome: Result<(), Error>) -> Result<(), Error> {
    outcome.or_else(|error| if error == Error::NotFound { Ok(()) } else { Err(error) })
}

impl Deed {
    /// Whom it is about to the kernel.
    pub(crate) fn victim(&self) -> u64 {
        ServiceId::service(self.victim).0
    }

    /// Done within the bound, or it is an objection.
    pub(super) fn done_by(&self, client: &mut Client) -> Result<(), Error> {
        client.until = BOUND;
        let start = nexus_rt::Instant::now();
        let outcome = (self.act)(client);
        let late = nexus_rt::Instant::now().ticks().saturating_sub(start.after(BOUND).0);
        match outcome {
            Err(error) if !self.refusals.contains(&error) => {
                client.play.object(|| format!("{} of {} was refused: {}", self.name, self.victim, error.name()));
            }
            _ if late > 0 => client.play.object(|| format!("{} came {late} ticks behind the bound", self.name)),
            _ => {}
        }
        outcome
    }
}
