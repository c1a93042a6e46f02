//! What others may ask of init.

use nexus_abi::{Deadline, Error, ProcessId};
use nexus_ipc::{Answered, Call, Caller, Message, Notice, Outcome, Port, Serve, Signal};
use nexus_proto::supervisor::{self, CONTROL, Killed, Restarted, Service, Settled, Supervisor};
use wiring::Party;

use crate::ground::Ground;
use crate::init::Init;
use crate::routes::Question;

/// Callers that may wait for the services to be settled.
const MAX_EXPECTING: usize = 8;

impl<G: Ground> Serve for Init<G> {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        supervisor::dispatch(self, call, request)
    }

    fn notice(&mut self, call: &mut Call<'_>, message: &Message) {
        match Notice::from_message(message) {
            Ok(Notice::Up { nonce }) => self.answered(call, nonce),
            Ok(Notice::Route { nonce, interface, inbox }) => {
                let Caller { service, process: asker, .. } = call.caller;
                self.route(service, interface, Question { asker, nonce, inbox });
            }
            Ok(Notice::Decided { nonce, result }) => self.decided(call.caller.process, nonce, result),
            Ok(Notice::Pull { nonce, subject, interface }) => {
                self.pull(call.caller.process, nonce, subject, interface);
            }
            _ => message.handles.iter().for_each(|handle| call.port.close(handle)),
        }
        self.tell_settled(call.port);
    }

    fn signal(&mut self, port: &mut dyn Port, signal: Signal) {
        self.gone(signal.bits);
        self.tell_settled(port);
    }

    fn deadline(&self) -> Deadline {
        self.watch.deadline().min(self.leaves.deadline())
    }

    fn expired(&mut self, port: &mut dyn Port) {
        self.expire();
        self.advance();
        self.tell_settled(port);
    }
}

impl<G: Ground> Init<G> {
    fn tell_settled(&mut self, port: &mut dyn Port) {
        if self.watch.is_settled() {
            // Whoever gave up waiting needs no answer.
            self.expecting.drain(..).for_each(|ticket| _ = ticket.answer(port, Ok(Settled {})));
        }
    }

    /// A probe's answer counts only from the process that was probed.
    fn answered(&mut self, call: &Call<'_>, nonce: u64) {
        let Some(Party::Service(index)) = self.wiring.party(call.caller.service) else { return };
        let service = usize::from(index);
        let same = self.running[service].is_some_and(|running| running.launched.id == call.caller.process);
        if same && self.watch.up(service, nonce) {
            let name = self.name(service);
            self.ground.line(format_args!("up {}", name.as_str()));
            self.advance();
        }
    }

    fn position(&self, name: &str) -> Result<usize, Error> {
        self.wiring.services.iter().position(|service| service.name.as_str() == name).ok_or(Error::NotFound)
    }

    fn process(&self, service: usize) -> ProcessId {
        self.running[service].map_or(ProcessId(0), |running| running.launched.id)
    }
}

impl<G: Ground> Supervisor for Init<G> {
    fn list(&mut self, _call: &mut Call<'_>, index: u32) -> Outcome<Service> {
        let at = index as usize;
        let service = self.wiring.services.get(at).ok_or(Error::NotFound)?;
        let (state, restarts) = (self.watch.state(at) as u8, self.watch.restarts(at));
        Ok(Service { name: service.name, process: self.process(at), state, restarts })
    }

    fn kill(&mut self, call: &mut Call<'_>, service: &str) -> Outcome<Killed> {
        controls(call)?;
        let service = self.position(service)?;
        let running = self.running[service].ok_or(Error::State)?;
        self.end_process(&running);
        Ok(Killed {})
    }

    fn restart(&mut self, call: &mut Call<'_>, service: &str) -> Outcome<Restarted> {
        controls(call)?;
        let service = self.position(service)?;
        if self.running[service].is_some() || !self.watch.revive(service) {
            return Err(Error::State.into());
        }
        self.advance();
        match self.running[service] {
            Some(running) => Ok(Restarted { process: running.launched.id }),
            None => Err(Error::Unavailable.into()),
        }
    }

    fn settled(&mut self, call: &mut Call<'_>) -> Outcome<Settled> {
        if self.watch.is_settled() {
            return Ok(Settled {});
        }
        if self.expecting.len() >= MAX_EXPECTING {
            return Err(Error::Again.into());
        }
        let (ticket, deferred) = call.defer()?;
        self.expecting.push(ticket);
        Err(deferred.into())
    }
}

fn controls(call: &Call<'_>) -> Result<(), Error> {
    if call.caller.may(CONTROL) { Ok(()) } else { Err(Error::Permission) }
}
