//! What init is born with, and what it keeps.

use alloc::vec::Vec;

use nexus_abi::start::{StartPage, first};
use nexus_abi::syscall::{Close, EndpointCreate, NotificationCreate, SpawnMint};
use nexus_abi::{Error, Handle, ServiceId};
use nexus_rt::Kernel;
use wiring::{Grant, Wiring};

/// One-way messages that wait for init: a probe's answer or a route each.
const QUEUE: u16 = 48;

/// init's capabilities.
#[derive(Clone, Copy, Debug)]
pub struct Roots {
    /// The boot image.
    pub image: Handle,
    /// The device tree.
    pub device_tree: Handle,
    /// Mints windows and interrupt lines.
    pub devices: Handle,
    /// Mints the right to create processes.
    pub spawn: Handle,
    /// The system's tables.
    pub info: Handle,
    /// The machine's power.
    pub power: Handle,
    /// The console ring.
    pub log: Handle,
    /// Where routes, probe answers and the operator's requests arrive.
    pub endpoint: Handle,
    /// Signalled when a service is gone.
    pub gone: Handle,
}

impl Roots {
    /// What the kernel gave, and an endpoint and a notification of init's own.
    pub fn take(kernel: &mut impl Kernel, start: &StartPage<'_>) -> Result<Self, Error> {
        let given = |name: &str| start.handle(name).ok_or(Error::Unavailable);
        Ok(Self {
            image: given(first::IMAGE)?,
            device_tree: given(first::DEVICE_TREE)?,
            devices: given(first::DEVICES)?,
            spawn: given(first::SPAWN)?,
            info: given(first::INFO)?,
            power: given(first::POWER)?,
            log: given(first::LOG)?,
            endpoint: kernel.invoke(EndpointCreate { process: None, queue: QUEUE })?.endpoint,
            gone: kernel.invoke(NotificationCreate { process: None })?.notification,
        })
    }

    /// The capability behind a grant; `None` where it is not one of these.
    #[must_use]
    pub fn behind(&self, grant: Grant) -> Option<Handle> {
        match grant {
            Grant::Log | Grant::Console => Some(self.log),
            Grant::Info => Some(self.info),
            Grant::Power => Some(self.power),
            Grant::Image => Some(self.image),
            Grant::Spawn | Grant::Records | Grant::Policy => None,
        }
    }

    /// Closes what no restart and no route of this manifest can ask for. init's own log and image stay.
    pub fn drop_unneeded(&self, kernel: &mut impl Kernel, wiring: &Wiring) {
        let granted = |grant: Grant| {
            wiring
                .services
                .iter()
                .map(|service| service.grants)
                .chain(wiring.programs.iter().map(|program| program.grants))
                .any(|grants| grants.has(grant))
        };
        let unneeded = [(Grant::Info, self.info), (Grant::Power, self.power)];
        let unneeded = unneeded.into_iter().filter(|&(grant, _)| !granted(grant)).map(|(_, handle)| handle);
        for handle in unneeded.chain([self.devices, self.device_tree, self.spawn]) {
            // A handle that is gone already is what is wanted.
            let _ = kernel.invoke(Close { handle });
        }
    }
}

/// The rights to create the services' processes, one each, and that of every program for those who start programs.
#[derive(Clone, Debug)]
pub struct Spawns {
    /// By service index.
    pub services: Vec<Handle>,
    /// None if nobody starts programs.
    pub programs: Option<Handle>,
}

impl Spawns {
    /// Mints them all, so that the root can go.
    pub fn mint(kernel: &mut impl Kernel, root: Handle, wiring: &Wiring) -> Result<Self, Error> {
        let mut mint = |service| kernel.invoke(SpawnMint { root, service }).map(|minted| minted.spawn);
        let services = wiring.services.iter().map(|service| mint(service.id)).collect::<Result<_, _>>()?;
        let wanted = wiring.services.iter().any(|service| service.grants.has(Grant::Spawn));
        let programs = if wanted { Some(mint(ServiceId::ANY_PROGRAM)?) } else { None };
        Ok(Self { services, programs })
    }
}
