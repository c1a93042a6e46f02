//! init's state, and the step from a decision of [`Watch`] to the deed.

use alloc::vec;
use alloc::vec::Vec;

use launch::Launched;
use nexus_abi::syscall::{Close, ProcessKill, ProcessWatch};
use nexus_abi::{Error, Handle};
use nexus_ipc::{Notice, Ticket};
use nexus_proto::supervisor::Settled;
use wiring::Wiring;

use crate::bundle::Bundle;
use crate::devices::Held;
use crate::ground::Ground;
use crate::leave::Leaves;
use crate::rings::Rings;
use crate::roots::{Roots, Spawns};
use crate::routes::Waiting;
use crate::watch::{After, End, Step, Timing, Watch};

/// A service that has a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Running {
    pub(crate) launched: Launched,
    /// Where its clients' requests go.
    pub(crate) endpoint: Handle,
}

/// The first process.
pub struct Init<G> {
    pub(crate) ground: G,
    pub(crate) roots: Roots,
    pub(crate) spawns: Spawns,
    /// None where nobody reads records.
    pub(crate) rings: Option<Rings>,
    pub(crate) bundle: Bundle,
    pub(crate) wiring: Wiring,
    pub(crate) watch: Watch,
    /// By service index.
    pub(crate) running: Vec<Option<Running>>,
    /// By device index, minted at the first start of its owner.
    pub(crate) held: Vec<Option<Held>>,
    /// The device tree; none once every device is held.
    pub(crate) tree: Option<&'static [u8]>,
    pub(crate) waiting: Vec<Waiting>,
    pub(crate) leaves: Leaves,
    /// Who waits for the services to be settled.
    pub(crate) expecting: Vec<Ticket<Settled>>,
    pub(crate) timebase: u64,
}

impl<G: Ground> Init<G> {
    /// Reads the manifest from the boot image and mints what its services will need.
    pub fn new(
        mut ground: G,
        roots: Roots,
        (image, tree): (&'static [u8], &'static [u8]),
        timebase: u64,
    ) -> Result<Self, Error> {
        let mut bundle = Bundle::new(image, roots.image)?;
        let wiring = bundle.wiring()?;
        let spawns = Spawns::mint(&mut ground, roots.spawn, &wiring)?;
        let rings = Rings::make(&mut ground, &wiring)?;
        let policies = wiring.services.iter().map(|service| service.restart);
        let watch = Watch::new(policies, Timing::new(&wiring.backoff, timebase));
        Ok(Self {
            running: vec![None; wiring.services.len()],
            held: vec![None; wiring.devices.len()],
            tree: Some(tree),
            waiting: Vec::new(),
            leaves: Leaves::new(&wiring, timebase),
            expecting: Vec::new(),
            ground,
            roots,
            spawns,
            rings,
            bundle,
            wiring,
            watch,
            timebase,
        })
    }

    /// The rings for records.
    pub fn rings(&self) -> Option<&Rings> {
        self.rings.as_ref()
    }

    /// Says so and starts the first service.
    pub fn begin(&mut self) {
        self.ground.line(format_args!("start"));
        self.advance();
    }

    /// Does everything that is due.
    pub(crate) fn advance(&mut self) {
        while let Some(step) = self.watch.next(self.ground.now()) {
            match step {
                Step::Start(service) => self.start(service),
                Step::Probe(service, nonce) => self.probe(service, nonce),
                Step::End(service) => self.end(service),
                Step::Ready => self.ready(),
            }
        }
    }

    pub(crate) fn name(&self, service: usize) -> nexus_abi::Name {
        self.wiring.services[service].name
    }

    fn start(&mut self, service: usize) {
        let name = self.name(service);
        self.ground.line(format_args!("start {}", name.as_str()));
        let nonce = self.watch.started(service, self.ground.now());
        match self.launch(service).and_then(|running| self.attend(service, running, nonce)) {
            Ok(running) => {
                self.running[service] = Some(running);
                self.reroute(service);
            }
            Err(error) => {
                self.ground.line(format_args!("{} cannot start: {}", name.as_str(), error.name()));
                self.after(service, End::Failed);
            }
        }
    }

    /// Asks to be told of the end, and probes. What fails here ends the process.
    fn attend(&mut self, service: usize, running: Running, nonce: u64) -> Result<Running, Error> {
        let process = running.launched.process;
        let watch = ProcessWatch { process, notification: self.roots.gone, bits: gone_bit(service) };
        let probe = Notice::Probe { nonce }.to_message();
        let watched = self.ground.invoke(watch).map(drop);
        match watched.and_then(|()| self.ground.send(running.endpoint, &probe)) {
            Ok(()) => Ok(running),
            Err(error) => {
                self.end_process(&running);
                self.close(&running);
                Err(error)
            }
        }
    }

    fn probe(&mut self, service: usize, nonce: u64) {
        if let Some(running) = self.running[service] {
            // A full queue is what a later probe is for.
            let _ = self.ground.send(running.endpoint, &Notice::Probe { nonce }.to_message());
        }
    }

    /// A service did not answer in time. Its end arrives as any other does.
    fn end(&mut self, service: usize) {
        let name = self.name(service);
        self.ground.line(format_args!("{} does not answer", name.as_str()));
        if let Some(running) = self.running[service] {
            self.end_process(&running);
        }
    }

    fn ready(&mut self) {
        self.tree = None;
        self.roots.drop_unneeded(&mut self.ground, &self.wiring);
        self.ground.line(format_args!("ready"));
    }

    /// Applies the policy to an end and says what follows.
    pub(crate) fn after(&mut self, service: usize, end: End) {
        let name = self.name(service);
        let name = name.as_str();
        match self.watch.ended(service, end, self.ground.now()) {
            After::Again(ticks) => {
                let ms = u128::from(ticks) * 1000 / u128::from(self.timebase.max(1));
                self.ground.line(format_args!("restart {name} in {ms} ms"));
            }
            After::Left => self.ground.line(format_args!("leave {name}")),
            After::GivenUp => self.ground.line(format_args!("give up {name}")),
        }
        self.reroute(service);
    }

    pub(crate) fn end_process(&mut self, running: &Running) {
        // An error means that it is gone already.
        let _ = self.ground.invoke(ProcessKill { process: running.launched.process, status: 0 });
    }

    pub(crate) fn close(&mut self, running: &Running) {
        for handle in [running.endpoint, running.launched.process] {
            // A handle that is gone already is what is wanted.
            let _ = self.ground.invoke(Close { handle });
        }
    }
}

/// The bit that a service's end sets; of more than 64 services several share one.
pub(crate) fn gone_bit(service: usize) -> u64 {
    1 << (service % 64)
}
