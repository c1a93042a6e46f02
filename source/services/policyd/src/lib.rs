//! Decides who may use what, denies by default, and says why.
//!
//! A leaf: it calls nobody. [`rules`] is the manifest and what its holders delegate; this file knows who may ask what and
//! takes back what was given. init asks and is told by one-way messages; a revocation is answered once init has pulled
//! the grant. What this service refuses or changes itself it audits; what it only decides is audited by who acts on it.

#![no_std]

extern crate alloc;

mod machine;
mod rules;

pub use machine::{Outside, open};
pub use rules::MAX_DELEGATIONS;

use alloc::vec::Vec;

use nexus_abi::{Deadline, Error, Name, ServiceId};
use nexus_ipc::{Answered, Call, Message, Notice, Outcome, Port, Serve, Ticket};
use nexus_proto::audit::{Audit, Ledger};
use nexus_proto::policy::{self, ASK, DELEGATE, Decided, Delegated, EXPLAIN, Explained, Policy, Revoked, Rule};
use wiring::Wiring;

use rules::{Delegation, Rules, Standing};

/// Revocations that can wait for init at once.
pub const MAX_REVOCATIONS: usize = 8;
/// Milliseconds that a revocation waits for init.
const PATIENCE_MS: u64 = 1000;
const INIT: ServiceId = ServiceId::service(wiring::INIT);

/// Everything outside.
pub trait World {
    /// Sends init a one-way message.
    fn tell(&mut self, notice: Notice) -> Result<(), Error>;
    /// Records a decision.
    fn audit(&mut self, audit: &Audit<'_>);
}

/// A revocation that waits for init.
struct Pulling {
    nonce: u64,
    until: Deadline,
    subject: ServiceId,
    name: Name,
    ticket: Ticket<Revoked>,
}

/// The service.
pub struct Policyd<W> {
    world: W,
    rules: Rules,
    pulling: Vec<Pulling>,
    nonce: u64,
    patience: u64,
    ledger: Ledger,
}

impl<W: World> Policyd<W> {
    /// A service over the manifest's rules, at this many ticks a second.
    pub fn new(world: W, wiring: Wiring, timebase: u64) -> Self {
        let rules = Rules { wiring, delegations: Vec::new() };
        let patience = timebase.saturating_mul(PATIENCE_MS) / 1000;
        Self { world, rules, pulling: Vec::new(), nonce: 0, patience, ledger: Ledger::new(timebase) }
    }

    /// What is outside.
    pub fn world(&mut self) -> &mut W {
        &mut self.world
    }

    fn audit(&mut self, call: &Call<'_>, deed: &'static str, object: Name, outcome: Result<&'static str, Error>) {
        let caller = call.caller.service;
        let Some(spoken) = self.ledger.take(call.port.now(), caller, outcome) else { return };
        let name = self.rules.wiring.name_of(caller);
        let caller = name.as_ref().map_or("unknown", |name| name.as_str());
        self.world.audit(&spoken.of(deed, &caller, &object.as_str()));
    }

    fn record(&mut self, call: &Call<'_>, subject: ServiceId, name: Name, permits: u64) -> Result<(), Error> {
        permitted(call, DELEGATE)?;
        let by = call.caller.service;
        let leave = self.rules.leave(by, subject, name, permits)?;
        self.rules.record(Delegation { subject, name, leave, by, standing: Standing::Valid })
    }

    /// Ends a delegation at once; what came of it is init's to pull.
    fn pull(&mut self, call: &Call<'_>, subject: ServiceId, name: Name) -> Result<u64, Error> {
        permitted(call, DELEGATE)?;
        let by = call.caller.service;
        let of_caller = |given: &&mut Delegation| given.subject == subject && given.name == name && given.by == by;
        let given = self.rules.delegations.iter_mut().find(of_caller).ok_or(Error::NotFound)?;
        given.standing = Standing::Revoked;
        if self.pulling.len() == MAX_REVOCATIONS {
            return Err(Error::Again);
        }
        self.nonce += 1;
        self.world.tell(Notice::Pull { nonce: self.nonce, subject, interface: name })?;
        Ok(self.nonce)
    }

    /// init asks for a route that the manifest does not give. No answer is a denial, so one that cannot be sent is none.
    fn decide_route(&mut self, nonce: u64, subject: ServiceId, interface: Name) {
        let result = self.rules.given(subject, interface).ok_or(Error::Permission);
        let _ = self.world.tell(Notice::Decided { nonce, result });
    }

    fn pulled(&mut self, port: &mut dyn Port, nonce: u64) {
        if let Some(at) = self.pulling.iter().position(|pulling| pulling.nonce == nonce) {
            let Pulling { subject, name, ticket, .. } = self.pulling.swap_remove(at);
            self.rules.delegations.retain(|given| given.subject != subject || given.name != name);
            // Whoever asked may be gone; it is revoked all the same.
            let _ = ticket.answer(port, Ok(Revoked {}));
        }
    }
}

impl<W: World> Policy for Policyd<W> {
    fn decide(&mut self, call: &mut Call<'_>, subject: ServiceId, interface: Name, permits: u64) -> Outcome<Decided> {
        if subject != call.caller.service && !call.caller.may(ASK) {
            self.audit(call, "decide", interface, Err(Error::Permission));
            return Err(Error::Permission.into());
        }
        let verdict = self.rules.decide(subject, interface, permits)?;
        Ok(Decided { rule: verdict.rule as u8 })
    }

    fn delegate(&mut self, call: &mut Call<'_>, subject: ServiceId, name: Name, permits: u64) -> Outcome<Delegated> {
        let outcome = self.record(call, subject, name, permits);
        self.audit(call, "delegate", name, outcome.map(|()| Rule::Route.name()));
        Ok(outcome.map(|()| Delegated {})?)
    }

    fn revoke(&mut self, call: &mut Call<'_>, subject: ServiceId, name: Name) -> Outcome<Revoked> {
        let pulled = self.pull(call, subject, name);
        self.audit(call, "revoke", name, pulled.map(|_| Rule::Delegation.name()));
        let nonce = pulled?;
        let until = Deadline(call.port.now().saturating_add(self.patience));
        let (ticket, deferred) = call.defer()?;
        self.pulling.push(Pulling { nonce, until, subject, name, ticket });
        Err(deferred.into())
    }

    fn explain(&mut self, call: &mut Call<'_>, subject: Name, interface: Name) -> Outcome<Explained> {
        permitted(call, EXPLAIN)?;
        let subject = self.rules.called(subject).ok_or(Error::NotFound)?;
        let verdict = self.rules.judge(subject, interface);
        Ok(Explained { rule: verdict.rule as u8, permits: verdict.permits, by: verdict.by })
    }

    fn delegation(&mut self, call: &mut Call<'_>, index: u32) -> Outcome<policy::Delegation> {
        permitted(call, EXPLAIN)?;
        let given = self.rules.delegations.get(index as usize).ok_or(Error::NotFound)?;
        let Delegation { subject, name, leave, by, .. } = *given;
        Ok(policy::Delegation { subject, interface: name, permits: leave.permits, by })
    }
}

fn permitted(call: &Call<'_>, permission: u64) -> Result<(), Error> {
    if call.caller.may(permission) { Ok(()) } else { Err(Error::Permission) }
}

impl<W: World> Serve for Policyd<W> {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        policy::dispatch(self, call, request)
    }

    fn notice(&mut self, call: &mut Call<'_>, message: &Message) {
        match Notice::from_message(message) {
            Ok(Notice::Decide { nonce, subject, interface }) if call.caller.service == INIT => {
                self.decide_route(nonce, subject, interface);
            }
            Ok(Notice::Pulled { nonce }) if call.caller.service == INIT => self.pulled(call.port, nonce),
            _ => message.handles.iter().for_each(|handle| call.port.close(handle)),
        }
    }

    fn deadline(&self) -> Deadline {
        self.pulling.iter().map(|pulling| pulling.until).min().unwrap_or(Deadline::NEVER)
    }

    fn expired(&mut self, port: &mut dyn Port) {
        let now = port.now();
        for late in self.pulling.extract_if(.., |pulling| pulling.until.passed(now)) {
            // The delegation stays revoked; asking again pulls again.
            let _ = late.ticket.answer(port, Err(Error::TimedOut));
        }
    }
}
