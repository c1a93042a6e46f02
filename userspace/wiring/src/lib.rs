//! The resolved manifest: who runs, with what, and who may talk to whom.
//!
//! `system.toml` is for people; this is what remains of it once every name is an index and every rule was checked.
//! The image builder writes it, init and execd read it, tests build it by hand: one declaration of the records
//! ([`record`]), one reader that refuses whatever does not add up ([`Wiring::read`]).

#![no_std]

extern crate alloc;

mod codec;
mod digest;
mod record;
mod terms;

pub use codec::MAX_RECORDS;
pub use digest::digest;
pub use record::{
    BELL, Device, INIT, INTERFACE_SHIFT, IRQ_SUFFIX, Interface, Program, RING, RING_SUFFIX, Route, SERVE,
    SIGNAL_SUFFIX, Service, badge,
};
pub use terms::{Backoff, Grant, Grants, Party, Restart};

use alloc::vec::Vec;

/// The system as data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wiring {
    /// How restarts slow down and when they end.
    pub backoff: Backoff,
    /// Every service, in the order of starting.
    pub services: Vec<Service>,
    /// Every program of the boot image.
    pub programs: Vec<Program>,
    /// Every interface, by who provides it.
    pub interfaces: Vec<Interface>,
    /// Every permission to talk.
    pub routes: Vec<Route>,
    /// Every device that has an owner.
    pub devices: Vec<Device>,
}

impl Wiring {
    /// What `holder` may talk to.
    pub fn routes_of(&self, holder: Party) -> impl Iterator<Item = &Route> {
        self.routes.iter().filter(move |route| route.holder == holder)
    }

    /// The devices of a service.
    pub fn devices_of(&self, service: u16) -> impl Iterator<Item = &Device> {
        self.devices.iter().filter(move |device| device.owner == service)
    }

    /// What a party is called: its name, or of a program its display name.
    #[must_use]
    pub fn name_of(&self, id: nexus_abi::ServiceId) -> Option<nexus_abi::Name> {
        match self.party(id)? {
            Party::Init => None,
            Party::Service(index) => Some(self.services[usize::from(index)].name),
            Party::Program(index) => Some(self.programs[usize::from(index)].name),
        }
    }

    /// Who has this identity.
    #[must_use]
    pub fn party(&self, id: nexus_abi::ServiceId) -> Option<Party> {
        let services = self.services.iter().position(|service| service.id == id).map(|at| Party::Service(at as u16));
        services
            .or_else(|| self.programs.iter().position(|program| program.id == id).map(|at| Party::Program(at as u16)))
    }
}
