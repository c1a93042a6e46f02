//! Routes: a handle by name, for whoever the manifest allows.
//!
//! A route is asked and answered one-way, so that init never waits for a client. The asker is known by the kernel's
//! record of the sender; the name in the message only chooses among what its manifest entry has. If the server is
//! about to start again the answer waits for it, in a bounded list. There a process has one place for each way: who
//! asks again has given up before, and what it asked then is refused, so that neither its questions nor the inboxes
//! that they keep pile up.

use alloc::vec::Vec;

use nexus_abi::start::ExitKind;
use nexus_abi::syscall::{Close, Derive, ProcessStatus};
use nexus_abi::{Error, Handle, Name, ProcessId, Rights, ServiceId};
use nexus_ipc::Notice;
use nexus_proto::supervisor::State;
use wiring::{Grant, Grants, Party, badge};

use crate::ground::Ground;
use crate::init::{Init, Running};

/// Answers that may wait for a server.
const MAX_WAITING: usize = 32;

/// A question whose server does not run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    server: usize,
    question: Question,
    badge: u64,
}

/// A route as it was asked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question {
    /// The kernel's record of the sender.
    pub(crate) asker: ProcessId,
    pub(crate) nonce: u64,
    pub(crate) inbox: Handle,
}

/// Where a name leads.
enum Target {
    /// To this capability, with these rights and this badge.
    Source(Handle, Rights, u64),
    /// To a service.
    Server(usize, u64),
}

impl<G: Ground> Init<G> {
    /// Answers a route, now or when its server runs.
    pub(crate) fn route(&mut self, asker: ServiceId, name: Name, question: Question) {
        match self.target(asker, name) {
            Ok(Target::Source(source, rights, badge)) => self.hand_over(question, source, rights, badge),
            Ok(Target::Server(server, badge)) => self.route_to(server, badge, question),
            Err(Error::NotFound) => self.ask(asker, name, question),
            Err(error) => self.answer(question, Err(error)),
        }
    }

    /// By the manifest's routes and grants; a service may also ask for what it provides, without any permission.
    fn target(&self, asker: ServiceId, name: Name) -> Result<Target, Error> {
        let holder = self.wiring.party(asker).ok_or(Error::Permission)?;
        if let Some(route) = self.wiring.routes_of(holder).find(|route| route.name == name) {
            return match self.wiring.interfaces[usize::from(route.interface)].owner {
                Party::Init => Ok(Target::Source(self.roots.endpoint, Rights::USE, route.badge)),
                Party::Service(server) => Ok(Target::Server(server.into(), route.badge)),
                Party::Program(_) => Err(Error::NotFound),
            };
        }
        let mut own = self.wiring.interfaces.iter().filter(|interface| interface.owner == holder);
        if let (Party::Service(server), Some(position)) = (holder, own.position(|interface| interface.name == name)) {
            return Ok(Target::Server(server.into(), badge(position, 0)));
        }
        let grant = granted(self.grants_of(holder), name).ok_or(Error::NotFound)?;
        let source = self.roots.behind(grant).ok_or(Error::NotFound)?;
        Ok(Target::Source(source, Rights::USE, 0))
    }

    fn grants_of(&self, holder: Party) -> Grants {
        match holder {
            Party::Init => Grants::default(),
            Party::Service(index) => self.wiring.services[usize::from(index)].grants,
            Party::Program(index) => self.wiring.programs[usize::from(index)].grants,
        }
    }

    fn route_to(&mut self, server: usize, badge: u64, question: Question) {
        match (self.running[server], self.watch.state(server)) {
            (Some(running), _) if self.lives(&running) => {
                self.hand_over(question, running.endpoint, Rights::USE, badge);
            }
            (_, State::Ended | State::GivenUp) => self.answer(question, Err(Error::Unavailable)),
            _ => {
                self.supersede(server, badge, question.asker);
                if self.waiting.len() >= MAX_WAITING {
                    self.answer(question, Err(Error::Again));
                } else {
                    self.waiting.push(Waiting { server, question, badge });
                }
            }
        }
    }

    /// False of one that is being taken back: its callers know already that it ended, and init is told last.
    fn lives(&mut self, running: &Running) -> bool {
        let stated = self.ground.invoke(ProcessStatus { process: running.launched.process });
        stated.is_ok_and(|stated| ExitKind::from_wire(stated.state) == Some(ExitKind::Running))
    }

    /// Refuses what this process asked before about the same way.
    fn supersede(&mut self, server: usize, badge: u64, asker: ProcessId) {
        let same =
            |waiting: &mut Waiting| (waiting.server, waiting.badge, waiting.question.asker) == (server, badge, asker);
        let before: Vec<Waiting> = self.waiting.extract_if(.., same).collect();
        before.into_iter().for_each(|waiting| self.answer(waiting.question, Err(Error::Again)));
    }

    /// A server started or ended: whoever waits for it is answered, or waits on.
    pub(crate) fn reroute(&mut self, server: usize) {
        let due: Vec<Waiting> = self.waiting.extract_if(.., |waiting| waiting.server == server).collect();
        due.into_iter().for_each(|waiting| self.route_to(server, waiting.badge, waiting.question));
    }

    fn hand_over(&mut self, question: Question, source: Handle, rights: Rights, badge: u64) {
        // The message takes a copy; sending needs the right to pass on, the receiver gets it too.
        let rights = rights.union(Rights::TRANSFER);
        match self.ground.invoke(Derive { source, rights, badge }) {
            Ok(derived) => {
                self.answer(question, Ok(derived.handle));
                self.forget(derived.handle);
            }
            Err(error) => self.answer(question, Err(error)),
        }
    }

    pub(crate) fn answer(&mut self, Question { nonce, inbox, .. }: Question, result: Result<Handle, Error>) {
        // Whoever gave a full or dead inbox gets no answer; its own deadline ends its wait.
        let _ = self.ground.send(inbox, &Notice::Routed { nonce, result }.to_message());
        self.forget(inbox);
    }

    /// Closes a handle that init no longer needs.
    pub(crate) fn forget(&mut self, handle: Handle) {
        // A handle that is gone already is what is wanted.
        let _ = self.ground.invoke(Close { handle });
    }
}

/// The grant of this name, if it is in the set. Both rights to the console ring go by the ring's name.
fn granted(grants: Grants, name: Name) -> Option<Grant> {
    let handed = |grant: &Grant| !matches!(grant, Grant::Spawn | Grant::Records | Grant::Policy);
    grants.iter().find(|grant| grant.name() == name.as_str() && handed(grant))
}
