//! The rules: the manifest's, and what its holders delegate. What none of them allows is denied.

use alloc::vec::Vec;

use nexus_abi::{Error, Name, ServiceId};
use nexus_ipc::Leave;
use nexus_proto::policy::Rule;
use wiring::{INTERFACE_SHIFT, Party, Wiring};

/// Delegations that can stand at once.
pub const MAX_DELEGATIONS: usize = 32;
/// Permissions that an interface can have.
const PERMISSIONS: u64 = (1 << INTERFACE_SHIFT) - 1;

/// What somebody lets a program have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delegation {
    pub(crate) subject: ServiceId,
    pub(crate) name: Name,
    pub(crate) leave: Leave,
    pub(crate) by: ServiceId,
    pub(crate) standing: Standing,
}

/// Whether a delegation allows anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It does.
    Valid,
    /// It does not; what came of it is being taken back.
    Revoked,
}

/// What the rules say of one name to one party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) rule: Rule,
    pub(crate) permits: u64,
    pub(crate) by: ServiceId,
    /// Where the name leads, if it leads to an interface.
    pub(crate) interface: Option<u16>,
}

const DENIED: Verdict = Verdict { rule: Rule::Default, permits: 0, by: ServiceId::KERNEL, interface: None };

/// Every rule.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) wiring: Wiring,
    pub(crate) delegations: Vec<Delegation>,
}

impl Rules {
    /// What this identity may have of what it calls `name`.
    pub(crate) fn judge(&self, subject: ServiceId, name: Name) -> Verdict {
        let Some(party) = self.wiring.party(subject) else { return DENIED };
        let manifest = self.manifest(party, name);
        if manifest.rule != Rule::Default {
            return manifest;
        }
        let given = |given: &&Delegation| {
            given.subject == subject && (given.name == name || self.names(given.leave.interface, name))
        };
        match self.delegations.iter().filter(given).find(|given| given.standing == Standing::Valid) {
            Some(given) => Verdict {
                rule: Rule::Delegation,
                permits: given.leave.permits,
                by: given.by,
                interface: Some(given.leave.interface),
            },
            None => DENIED,
        }
    }

    /// What somebody lets it have under this very name: init gives under it, and pulls by it.
    pub(crate) fn given(&self, subject: ServiceId, name: Name) -> Option<Leave> {
        let manifest = self.manifest(self.wiring.party(subject)?, name);
        let given = |given: &&Delegation| given.subject == subject && given.name == name;
        let given = self.delegations.iter().find(given).filter(|given| given.standing == Standing::Valid);
        given.filter(|_| manifest.rule == Rule::Default).map(|given| given.leave)
    }

    /// What the manifest alone says.
    pub(crate) fn manifest(&self, party: Party, name: Name) -> Verdict {
        let named = self.wiring.routes_of(party).find(|route| route.name == name);
        let route = named.or_else(|| self.wiring.routes_of(party).find(|route| self.names(route.interface, name)));
        if let Some(route) = route {
            let (permits, interface) = (route.badge & PERMISSIONS, Some(route.interface));
            return Verdict { rule: Rule::Route, permits, interface, ..DENIED };
        }
        let owned =
            self.wiring.interfaces.iter().position(|interface| interface.owner == party && interface.name == name);
        if let Some(index) = owned {
            return Verdict { rule: Rule::Own, permits: PERMISSIONS, interface: Some(index as u16), ..DENIED };
        }
        let (own, grants) = match party {
            Party::Init => return DENIED,
            Party::Service(index) => {
                let service = &self.wiring.services[usize::from(index)];
                (service.name, service.grants)
            }
            Party::Program(index) => {
                let program = &self.wiring.programs[usize::from(index)];
                (program.name, program.grants)
            }
        };
        if own == name {
            return Verdict { rule: Rule::Own, permits: PERMISSIONS, ..DENIED };
        }
        match grants.iter().any(|grant| grant.name() == name.as_str()) {
            true => Verdict { rule: Rule::Grant, ..DENIED },
            false => DENIED,
        }
    }

    /// Whether an interface is called so by its owner, whatever the route to it is called.
    fn names(&self, interface: u16, name: Name) -> bool {
        self.wiring.interfaces.get(usize::from(interface)).is_some_and(|interface| interface.name == name)
    }

    /// Whether the permissions are inside what the rules give. `EINVAL`: no interface has them. `EPERM`: they are not.
    pub(crate) fn decide(&self, subject: ServiceId, name: Name, permits: u64) -> Result<Verdict, Error> {
        if permits & !PERMISSIONS != 0 {
            return Err(Error::Invalid);
        }
        let verdict = self.judge(subject, name);
        let inside = verdict.rule != Rule::Default && permits & !verdict.permits == 0;
        if inside { Ok(verdict) } else { Err(Error::Permission) }
    }

    /// What the caller would delegate: its own route of the manifest, and not more of it, to a program that exists.
    pub(crate) fn leave(&self, by: ServiceId, to: ServiceId, name: Name, permits: u64) -> Result<Leave, Error> {
        if permits & !PERMISSIONS != 0 {
            return Err(Error::Invalid);
        }
        match self.wiring.party(to).ok_or(Error::NotFound)? {
            Party::Program(_) => {}
            // Calls between services are those of the manifest, where they are known to close no circle.
            _ => return Err(Error::Permission),
        }
        let own = self.manifest(self.wiring.party(by).ok_or(Error::Permission)?, name);
        match own.interface.filter(|_| own.rule == Rule::Route && permits & !own.permits == 0) {
            Some(interface) => Ok(Leave { interface, permits }),
            None => Err(Error::Permission),
        }
    }

    /// Records a delegation, in the place of an earlier one of the same to the same. `EOVERLIMIT`: too many.
    pub(crate) fn record(&mut self, delegation: Delegation) -> Result<(), Error> {
        let same = |given: &Delegation| given.subject == delegation.subject && given.name == delegation.name;
        match self.delegations.iter().position(same) {
            Some(at) if self.delegations[at].by != delegation.by => Err(Error::Exists),
            Some(at) if self.delegations[at].standing == Standing::Revoked => Err(Error::Again),
            Some(at) => {
                self.delegations[at] = delegation;
                Ok(())
            }
            None if self.delegations.len() == MAX_DELEGATIONS => Err(Error::OverLimit),
            None => {
                self.delegations.push(delegation);
                Ok(())
            }
        }
    }

    /// What people call somebody: a service's name, a program's file or display name.
    pub(crate) fn called(&self, name: Name) -> Option<ServiceId> {
        let services = self.wiring.services.iter().map(|service| (service.name, service.id));
        let programs = self.wiring.programs.iter().map(|program| (program.name, program.id));
        let same = |known: &Name| {
            let (known, name) = (known.as_str(), name.as_str());
            known == name || known.rsplit('/').next() == Some(name)
        };
        services.chain(programs).find(|(known, _)| same(known)).map(|(_, id)| id)
    }
}
