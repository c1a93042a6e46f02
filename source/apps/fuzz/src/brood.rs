//! Making processes of this very program: children, their neighbours, the victim.

use launch::{Begin, Embryo, File, Identity};
use nexus_abi::image::{EntryKind, Image};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{
    Close, EndpointCreate, MemoryCreate, MemoryGrow, NotificationCreate, ProcessCreate, ProcessKill, WaitSetCreate,
};
use nexus_abi::{Error, Handle, Limits, Name, QosClass, Quota, Rights, ServiceId, Shard};
use nexus_rt::kernel::invoke;
use nexus_rt::{Machine, env, memory};

/// Pages of a process's main stack.
const STACK_PAGES: u64 = 4;

/// What every process here is made from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Brood {
    file: File<'static>,
    spawn: Handle,
    timebase: u64,
}

impl Brood {
    /// From the boot image, in which this program lies as a file too.
    pub(crate) fn new() -> Result<Brood, Error> {
        let handle = env::handle("image")?;
        let image = Image::read(memory::sealed(handle)?)?;
        let entry = image.entries().find(|entry| entry.kind == EntryKind::Program).ok_or(Error::NotFound)?;
        let bytes = image.contents(&entry).ok_or(Error::Corrupt)?;
        let file = File { bytes, memory: handle, page: entry.offset / PAGE_SIZE as u64 };
        Ok(Brood { file, spawn: env::handle("spawn")?, timebase: env::start()?.info().timebase })
    }

    /// A process that does not run yet.
    pub(crate) fn conceive(&self, service: ServiceId, quota: Quota, shard: Option<Shard>) -> Result<Embryo, Error> {
        let name = Name::new("fuzz").ok_or(Error::Invalid)?;
        let identity = Identity { service, name, prefix: name, quota, shard };
        Ok(Embryo::conceive(&mut Machine, self.spawn, &identity, &self.file, STACK_PAGES)?)
    }

    /// Lets a process run in a role; answers its handle.
    pub(crate) fn start(&self, embryo: Embryo, role: &str) -> Result<Handle, Error> {
        let begin = Begin {
            qos: QosClass::Normal,
            limits: Limits::NONE,
            timebase: self.timebase,
            arguments: &["fuzz", role],
            environment: &[],
        };
        Ok(embryo.start(&mut Machine, &begin)?.process)
    }
}

/// Puts a handle into a process's table, under a name.
pub(crate) fn give(embryo: &mut Embryo, name: &str, source: Handle, rights: Rights) -> Result<(), Error> {
    embryo.grant(&mut Machine, Name::new(name).ok_or(Error::Invalid)?, source, rights, 0)
}

/// Makes objects that belong to `owner`, and gives an embryo every right to them.
pub(crate) fn give_objects_of(owner: Handle, embryo: &mut Embryo, names: [&str; 4]) -> Result<(), Error> {
    let process = Some(owner);
    let memory = invoke(MemoryCreate { process, pages: 2 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    let made = [
        invoke(EndpointCreate { process, queue: 1 })?.endpoint,
        invoke(NotificationCreate { process })?.notification,
        invoke(WaitSetCreate { process })?.wait_set,
        memory,
    ];
    for (name, handle) in names.into_iter().zip(made) {
        give(embryo, name, handle, Rights::ALL)?;
        invoke(Close { handle })?;
    }
    Ok(())
}

/// Gives an embryo handles to a process that is dead, and to what it had.
pub(crate) fn give_remains(brood: &Brood, embryo: &mut Embryo) -> Result<(), Error> {
    let quota = Quota { frames: 8, endpoints: 1, messages: 1, notifications: 2, memories: 1, ..Quota::default() };
    let (service, name) = (ServiceId::program("app/dead"), Name::default());
    let process = invoke(ProcessCreate { spawn: brood.spawn, service, name, quota, shard: None })?.process;
    give(embryo, "dead", process, Rights::ALL)?;
    give_objects_of(process, embryo, ["dead-endpoint", "dead-signal", "dead-set", "dead-memory"])?;
    invoke(ProcessKill { process, status: 0 })?;
    invoke(Close { handle: process }).map(drop)
}
