//! From a program's file to a running process.

use alloc::vec::Vec;

use launch::{Begin, Embryo, File, Identity, Launched};
use nexus_abi::syscall::{Inspect, ProcessWatch};
use nexus_abi::{Error, Handle, Name, Rights};
use nexus_rt::{Kernel, env};
use wiring::Grant;

use crate::bundle::Program;

/// What the service was given to start programs with.
#[derive(Clone, Copy, Debug)]
pub struct Holdings {
    /// The memory object of the boot image.
    pub image: Handle,
    /// The right to make processes under program identities.
    pub spawn: Handle,
    /// Where the end of a program is signalled.
    pub ends: Handle,
    /// The way to init, handed on so that programs can ask for their routes.
    pub init: Option<Handle>,
    /// Kernel authority to hand on, where the manifest grants it.
    pub log: Option<Handle>,
    /// Likewise.
    pub info: Option<Handle>,
    /// Ticks of the `time` counter per second.
    pub timebase: u64,
}

/// The streams that a starter passes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    pub(crate) stdin: Option<Handle>,
    pub(crate) stdout: Option<Handle>,
    pub(crate) stderr: Option<Handle>,
}

impl Streams {
    /// Those that are there, with their names.
    pub(crate) fn each(self) -> impl Iterator<Item = (&'static str, Handle)> {
        let named = [("stdin", self.stdin), ("stdout", self.stdout), ("stderr", self.stderr)];
        named.into_iter().filter_map(|(name, handle)| Some((name, handle?)))
    }
}

/// Starts a program with arguments and streams; its end will signal bit `place`. Fails with nothing left behind.
pub(crate) fn start(
    kernel: &mut impl Kernel,
    holdings: &Holdings,
    program: &Program<'_>,
    (arguments, streams, place): (&[&str], &Streams, usize),
) -> Result<Launched, Error> {
    let record = &program.record;
    let wiring::Program { id, name, prefix, quota, shard, .. } = *record;
    let identity = Identity { service: id, name, prefix, quota, shard };
    let file = File { bytes: program.bytes, memory: holdings.image, page: program.page };
    let stack = u64::from(record.stack_pages);
    let mut embryo = Embryo::conceive(kernel, holdings.spawn, &identity, &file, stack)?;
    if let Err(error) = furnish(kernel, &mut embryo, holdings, (program, streams, place)) {
        embryo.abandon(kernel);
        return Err(error);
    }
    let own_name = record.name.as_str().rsplit('/').next().unwrap_or_default();
    let arguments: Vec<&str> = [own_name].into_iter().chain(arguments.iter().copied()).collect();
    let wiring::Program { qos, limits, .. } = *record;
    let begin = Begin { qos, limits, timebase: holdings.timebase, arguments: &arguments, environment: &[] };
    embryo.start(kernel, &begin)
}

fn furnish(
    kernel: &mut impl Kernel,
    embryo: &mut Embryo,
    holdings: &Holdings,
    (program, streams, place): (&Program<'_>, &Streams, usize),
) -> Result<(), Error> {
    let granted = program.record.grants.iter().map(|grant| {
        let held = match grant {
            Grant::Log => holdings.log,
            Grant::Info => holdings.info,
            _ => None,
        };
        held.map(|handle| (grant.name(), handle)).ok_or(Error::Unavailable)
    });
    for grant in granted {
        let (name, handle) = grant?;
        give(kernel, embryo, name, handle, Rights::USE)?;
    }
    if let Some(init) = holdings.init {
        give(kernel, embryo, env::INIT, init, Rights::USE)?;
    }
    for (name, handle) in streams.each() {
        let held = kernel.invoke(Inspect { handle })?.rights;
        give(kernel, embryo, name, handle, held.intersection(Rights::USE.union(Rights::TRANSFER)))?;
    }
    kernel.invoke(ProcessWatch { process: embryo.process(), notification: holdings.ends, bits: 1 << place })?;
    Ok(())
}

fn give(
    kernel: &mut impl Kernel,
    embryo: &mut Embryo,
    name: &str,
    handle: Handle,
    rights: Rights,
) -> Result<(), Error> {
    let name = Name::new(name).ok_or(Error::Invalid)?;
    embryo.grant(kernel, name, handle, rights, 0)
}
