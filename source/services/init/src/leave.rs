//! Routes that the manifest does not give: policy is asked, and what it gives can be pulled.
//!
//! init never waits: the question is a one-way message, the asker's inbox is kept until the answer comes, within a bound
//! of questions and of time. Where policy does not run, dies, or does not answer, nothing is granted and the asker is
//! told so. A grant is derived from a capability that init keeps, one a subject and name, so that revoking it ends
//! every handle that came of it; it lives as long as the policy process that gave it and the server that it leads to.

use alloc::vec::Vec;

use nexus_abi::syscall::{Derive, Revoke};
use nexus_abi::{Deadline, Error, Handle, Name, ProcessId, Rights, ServiceId};
use nexus_ipc::{Leave, Notice};
use nexus_proto::audit::Ledger;
use nexus_proto::policy::Rule;
use wiring::{Grant, Party, Wiring, badge};

use crate::ground::Ground;
use crate::init::{Init, Running};
use crate::routes::Question;

/// Questions that can wait for policy at once.
pub(crate) const MAX_ASKED: usize = 16;
/// Grants that can stand at once.
pub(crate) const MAX_GIVEN: usize = 32;
/// Milliseconds that a question waits for policy.
const PATIENCE_MS: u64 = 500;

/// A question that policy was asked.
#[derive(Clone, Copy, Debug)]
struct Asked {
    nonce: u64,
    until: Deadline,
    subject: ServiceId,
    name: Name,
    question: Question,
}

/// What policy gave.
#[derive(Clone, Copy, Debug)]
struct Given {
    subject: ServiceId,
    name: Name,
    leave: Leave,
    /// Whose endpoint it is; none: init's own.
    server: Option<usize>,
    /// What every handle of this grant is derived from.
    root: Handle,
}

/// Everything about policy.
#[derive(Debug)]
pub(crate) struct Leaves {
    /// Who is asked; none: the manifest says it all.
    policy: Option<usize>,
    patience: u64,
    nonce: u64,
    asked: Vec<Asked>,
    given: Vec<Given>,
    ledger: Ledger,
}

impl Leaves {
    pub(crate) fn new(wiring: &Wiring, timebase: u64) -> Self {
        let policy = wiring.services.iter().position(|service| service.grants.has(Grant::Policy));
        let patience = timebase.saturating_mul(PATIENCE_MS) / 1000;
        Self { policy, patience, nonce: 0, asked: Vec::new(), given: Vec::new(), ledger: Ledger::new(timebase) }
    }

    /// When the first question has waited long enough.
    pub(crate) fn deadline(&self) -> Deadline {
        self.asked.iter().map(|asked| asked.until).min().unwrap_or(Deadline::NEVER)
    }
}

impl<G: Ground> Init<G> {
    /// Asks policy about a route that the manifest does not give. `ENOENT` where nobody is to be asked.
    pub(crate) fn ask(&mut self, subject: ServiceId, name: Name, question: Question) {
        let Some(policy) = self.leaves.policy else { return self.answer(question, Err(Error::NotFound)) };
        match self.send_question(policy, subject, name) {
            Ok(nonce) => {
                let until = Deadline(self.ground.now().saturating_add(self.leaves.patience));
                self.leaves.asked.push(Asked { nonce, until, subject, name, question });
            }
            Err(error) => self.deny((subject, name), question, error),
        }
    }

    fn send_question(&mut self, policy: usize, subject: ServiceId, interface: Name) -> Result<u64, Error> {
        let running = self.running[policy].ok_or(Error::Unavailable)?;
        if self.leaves.asked.len() == MAX_ASKED {
            return Err(Error::Again);
        }
        self.leaves.nonce += 1;
        let nonce = self.leaves.nonce;
        let notice = Notice::Decide { nonce, subject, interface };
        match self.ground.send(running.endpoint, &notice.to_message()) {
            Ok(()) => Ok(nonce),
            // It died, and the news of that is still on its way.
            Err(Error::PeerClosed) => Err(Error::Unavailable),
            Err(error) => Err(error),
        }
    }

    /// Policy's answer; from any other process it is none.
    pub(crate) fn decided(&mut self, from: ProcessId, nonce: u64, result: Result<Leave, Error>) {
        if !self.is_policy(from) {
            return;
        }
        let Some(at) = self.leaves.asked.iter().position(|asked| asked.nonce == nonce) else { return };
        let Asked { subject, name, question, .. } = self.leaves.asked.swap_remove(at);
        match result.and_then(|leave| self.give(subject, name, leave)) {
            Ok(root) => {
                self.audit((subject, name), Ok(Rule::Delegation.name()));
                self.answer(question, Ok(root));
            }
            Err(error) => self.deny((subject, name), question, error),
        }
    }

    /// The root of a grant: that which stands, or a new one.
    fn give(&mut self, subject: ServiceId, name: Name, leave: Leave) -> Result<Handle, Error> {
        let same = |given: &Given| given.subject == subject && given.name == name;
        if let Some(at) = self.leaves.given.iter().position(same) {
            if self.leaves.given[at].leave == leave {
                return Ok(self.leaves.given[at].root);
            }
            let other = self.leaves.given.swap_remove(at);
            self.take_back(other.root);
        }
        if self.leaves.given.len() == MAX_GIVEN {
            return Err(Error::OverLimit);
        }
        let index = usize::from(leave.interface);
        let owner = self.wiring.interfaces.get(index).ok_or(Error::NotFound)?.owner;
        let position = self.wiring.interfaces[..index].iter().filter(|other| other.owner == owner).count();
        let (source, server) = match owner {
            Party::Init => (self.roots.endpoint, None),
            Party::Service(server) => {
                let running: Running = self.running[usize::from(server)].ok_or(Error::Unavailable)?;
                (running.endpoint, Some(usize::from(server)))
            }
            Party::Program(_) => return Err(Error::NotFound),
        };
        let rights = Rights::USE.union(Rights::TRANSFER);
        let root = self.ground.invoke(Derive { source, rights, badge: badge(position, leave.permits) })?.handle;
        self.leaves.given.push(Given { subject, name, leave, server, root });
        Ok(root)
    }

    /// Policy takes back what it gave, and is told when it is gone.
    pub(crate) fn pull(&mut self, from: ProcessId, nonce: u64, subject: ServiceId, name: Name) {
        if !self.is_policy(from) {
            return;
        }
        let due = self.leaves.given.extract_if(.., |given| given.subject == subject && given.name == name);
        let due: Vec<Given> = due.collect();
        due.into_iter().for_each(|given| self.take_back(given.root));
        if let Some(policy) = self.leaves.policy.and_then(|policy| self.running[policy]) {
            // Policy that has no room for this asks again.
            let _ = self.ground.send(policy.endpoint, &Notice::Pulled { nonce }.to_message());
        }
    }

    /// A service is gone: grants that lead to it are, and with policy every question and every grant.
    pub(crate) fn bereave(&mut self, service: usize) {
        let all = self.leaves.policy == Some(service);
        let due: Vec<Given> = self.leaves.given.extract_if(.., |given| all || given.server == Some(service)).collect();
        due.into_iter().for_each(|given| self.take_back(given.root));
        if all {
            let asked = core::mem::take(&mut self.leaves.asked);
            asked
                .into_iter()
                .for_each(|asked| self.deny((asked.subject, asked.name), asked.question, Error::Unavailable));
        }
    }

    /// Denies every question that has waited long enough.
    pub(crate) fn expire(&mut self) {
        let now = self.ground.now();
        let late: Vec<Asked> = self.leaves.asked.extract_if(.., |asked| asked.until.passed(now)).collect();
        late.into_iter().for_each(|asked| self.deny((asked.subject, asked.name), asked.question, Error::TimedOut));
    }

    fn is_policy(&self, process: ProcessId) -> bool {
        let policy = self.leaves.policy.and_then(|policy| self.running[policy]);
        policy.is_some_and(|running| running.launched.id == process)
    }

    fn take_back(&mut self, root: Handle) {
        // What is gone already is what is wanted.
        let _ = self.ground.invoke(Revoke { handle: root });
        self.forget(root);
    }

    fn deny(&mut self, about: (ServiceId, Name), question: Question, error: Error) {
        self.audit(about, Err(error));
        self.answer(question, Err(error));
    }

    fn audit(&mut self, (subject, name): (ServiceId, Name), outcome: Result<&'static str, Error>) {
        let Some(spoken) = self.leaves.ledger.take(self.ground.now(), subject, outcome) else { return };
        let caller = self.wiring.name_of(subject);
        let caller = caller.as_ref().map_or("unknown", |name| name.as_str());
        self.ground.audit(&spoken.of("grant", &caller, &name.as_str()));
    }
}
