//! Making a service's process with exactly what the manifest gives it.

use launch::{Begin, Embryo, Identity, Launched};
use nexus_abi::syscall::EndpointCreate;
use nexus_abi::{Error, Handle, Name, Rights};
use nexus_rt::env;
use wiring::{BELL, Grant, INIT, IRQ_SUFFIX, Party, RING, RING_SUFFIX, SIGNAL_SUFFIX, Service};

use crate::devices::{Held, find};
use crate::ground::Ground;
use crate::init::{Init, Running};

/// One-way messages that may wait for a service, if its quota has that many.
const QUEUE: u16 = 16;

impl<G: Ground> Init<G> {
    /// Makes the process of a service and lets it run.
    pub(crate) fn launch(&mut self, index: usize) -> Result<Running, Error> {
        let service = self.wiring.services[index];
        let file = self.bundle.service(service.name.as_str())?;
        let Service { id, name, prefix, quota, shard, .. } = service;
        let identity = Identity { service: id, name, prefix, quota, shard };
        let stack = service.stack_pages.into();
        let mut embryo = Embryo::conceive(&mut self.ground, self.spawns.services[index], &identity, &file, stack)?;
        let (process, queue) = (Some(embryo.process()), quota.messages.min(QUEUE));
        let endpoint = match self.ground.invoke(EndpointCreate { process, queue }) {
            Ok(created) => created.endpoint,
            Err(error) => {
                embryo.abandon(&mut self.ground);
                return Err(error);
            }
        };
        let launched = match self.furnish(&mut embryo, index, endpoint) {
            Ok(()) => self.run(embryo, &service),
            Err(error) => {
                embryo.abandon(&mut self.ground);
                Err(error)
            }
        };
        launched.map(|launched| Running { launched, endpoint }).inspect_err(|_| self.forget(endpoint))
    }

    fn run(&mut self, embryo: Embryo, service: &Service) -> Result<Launched, Error> {
        let arguments = [service.name.as_str()];
        let Service { qos, limits, .. } = *service;
        let begin = Begin { qos, limits, timebase: self.timebase, arguments: &arguments, environment: &[] };
        embryo.start(&mut self.ground, &begin)
    }

    /// Puts every handle into its table, its own endpoint first.
    fn furnish(&mut self, embryo: &mut Embryo, index: usize, endpoint: Handle) -> Result<(), Error> {
        let service = self.wiring.services[index];
        embryo.grant(&mut self.ground, known(env::SERVE)?, endpoint, Rights::ALL, 0)?;
        // Who starts programs passes on to them what they may have: the way to init, the console ring.
        let pass = if service.grants.has(Grant::Spawn) { Rights::TRANSFER } else { Rights::NONE };
        embryo.grant(&mut self.ground, known(env::INIT)?, self.roots.endpoint, Rights::USE.union(pass), 0)?;
        self.grants(embryo, &service, pass)?;
        self.rings_of(embryo, index)?;
        self.routes(embryo, index)?;
        self.devices(embryo, index)
    }

    /// The kernel's authority: each grant under its name, both rights to the console ring under one.
    fn grants(&mut self, embryo: &mut Embryo, service: &Service, pass: Rights) -> Result<(), Error> {
        let ring = [(Grant::Log, Rights::USE), (Grant::Console, Rights::TAKE)];
        let ring = ring.into_iter().filter(|&(grant, _)| service.grants.has(grant));
        let ring = ring.fold(Rights::NONE, |rights, (_, right)| rights.union(right));
        if ring != Rights::NONE {
            embryo.grant(&mut self.ground, known(env::LOG)?, self.roots.log, ring.union(pass), 0)?;
        }
        let others = |grant: &Grant| !matches!(grant, Grant::Log | Grant::Console | Grant::Records | Grant::Policy);
        for grant in service.grants.iter().filter(others) {
            let source = self.roots.behind(grant).or(self.spawns.programs).ok_or(Error::State)?;
            embryo.grant(&mut self.ground, known(grant.name())?, source, Rights::USE.union(pass), 0)?;
        }
        Ok(())
    }

    /// Its own ring to write; everybody's, to who reads them. Reading moves a ring's tail, which takes writing too.
    fn rings_of(&mut self, embryo: &mut Embryo, index: usize) -> Result<(), Error> {
        let Some(rings) = &self.rings else { return Ok(()) };
        let both = Rights::USE.union(Rights::TAKE);
        let reads = self.wiring.services[index].grants.has(Grant::Records);
        embryo.grant(&mut self.ground, known(RING)?, rings.services[index], both, 0)?;
        embryo.grant(&mut self.ground, known(BELL)?, rings.bell, if reads { both } else { Rights::USE }, 0)?;
        if reads {
            embryo.grant(&mut self.ground, joined(&known(INIT)?, RING_SUFFIX)?, rings.own, both, 0)?;
            for (service, &ring) in self.wiring.services.iter().zip(&rings.services) {
                embryo.grant(&mut self.ground, joined(&service.name, RING_SUFFIX)?, ring, both, 0)?;
            }
        }
        Ok(())
    }

    /// The routes whose server runs; the others are to be had from init when it does.
    fn routes(&mut self, embryo: &mut Embryo, index: usize) -> Result<(), Error> {
        for route in self.wiring.routes_of(Party::Service(index as u16)) {
            let endpoint = match self.wiring.interfaces[usize::from(route.interface)].owner {
                Party::Init => Some(self.roots.endpoint),
                Party::Service(server) => self.running[usize::from(server)].map(|running| running.endpoint),
                Party::Program(_) => None,
            };
            if let Some(endpoint) = endpoint {
                embryo.grant(&mut self.ground, route.name, endpoint, Rights::USE, route.badge)?;
            }
        }
        Ok(())
    }

    fn devices(&mut self, embryo: &mut Embryo, owner: usize) -> Result<(), Error> {
        for index in 0..self.wiring.devices.len() {
            let device = self.wiring.devices[index];
            if usize::from(device.owner) != owner {
                continue;
            }
            let held = self.hold(index)?;
            let drive = Rights::USE.union(Rights::TAKE);
            embryo.grant(&mut self.ground, device.name, held.window, drive, 0)?;
            if let Some((irq, signal)) = held.irq {
                embryo.grant(&mut self.ground, joined(&device.name, IRQ_SUFFIX)?, irq, Rights::USE, 0)?;
                embryo.grant(&mut self.ground, joined(&device.name, SIGNAL_SUFFIX)?, signal, drive, 0)?;
            }
        }
        Ok(())
    }

    /// The capabilities of a device, minted when they are first needed.
    fn hold(&mut self, index: usize) -> Result<Held, Error> {
        if let Some(held) = self.held[index] {
            return Ok(held);
        }
        let tree = self.tree.ok_or(Error::State)?;
        let place = find(tree, &self.wiring.devices[index])?;
        let held = Held::mint(&mut self.ground, self.roots.devices, &place)?;
        self.held[index] = Some(held);
        Ok(held)
    }
}

fn known(name: &str) -> Result<Name, Error> {
    Name::new(name).ok_or(Error::Invalid)
}

/// A device's name with a suffix. `ETOOLONG`: no handle can be called that.
fn joined(name: &Name, suffix: &str) -> Result<Name, Error> {
    let mut text = alloc::string::String::from(name.as_str());
    text.push_str(suffix);
    Name::new(&text).ok_or(Error::TooLong)
}
