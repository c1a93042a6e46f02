//! A process that does not run yet.

use alloc::vec::Vec;

use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, STACK_TOP, START_PAGE};
use nexus_abi::start::{self, StartInfo};
use nexus_abi::syscall::{
    Close, Grant, LimitsSet, ProcessCreate, ProcessKill, ProcessPrefix, QosSet, ThreadCreate, ThreadStart, access,
};
use nexus_abi::{Error, Handle, Limits, Name, ProcessId, QosClass, Rights};
use nexus_rt::Kernel;

use crate::space::Space;
use crate::{Begin, File, Identity, LaunchError};

/// A process with its memory but without a thread. Must end in [`Embryo::start`] or [`Embryo::abandon`].
#[derive(Debug)]
#[must_use = "a process that never runs keeps its quota"]
pub struct Embryo {
    process: Handle,
    id: ProcessId,
    identity: Identity,
    entry: u64,
    handles: Vec<(Name, Handle)>,
}

/// Sets what a process may use of the CPUs. Of those that are named at least one must be there, or it may use all.
pub fn limit(kernel: &mut impl Kernel, process: Handle, limits: &Limits, timebase: u64) -> Result<(), Error> {
    let ticks = |us: u32| u64::from(us) * timebase / 1_000_000;
    let (shares, budget, period) = (limits.shares.into(), limits.budget.time_us, limits.budget.period_us);
    let mut set = |mask| {
        let set = LimitsSet { process, shares, mask, budget: ticks(budget), period: ticks(period) };
        kernel.invoke(set).map(drop)
    };
    match set(limits.cpus.into()) {
        // What is no limit at all was refused before the image was built: there is no such CPU.
        Err(Error::Invalid) if limits.are_sound() => set(u64::MAX),
        set => set,
    }
}

/// A process that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Launched {
    /// The process, with every right.
    pub process: Handle,
    /// Which one it is.
    pub id: ProcessId,
}

impl Embryo {
    /// Makes a process of this identity under `spawn`, with the file's segments and a stack of `stack_pages`.
    pub fn conceive(
        kernel: &mut impl Kernel,
        spawn: Handle,
        identity: &Identity,
        file: &File<'_>,
        stack_pages: u64,
    ) -> Result<Self, LaunchError> {
        let plan = loader::plan(file.bytes)?;
        let Identity { service, name, prefix, quota, shard } = *identity;
        let created = kernel.invoke(ProcessCreate { spawn, service, name, quota, shard })?;
        let process = created.process;
        let embryo = Self { process, id: created.id, identity: *identity, entry: plan.entry(), handles: Vec::new() };
        let furnished = kernel.invoke(ProcessPrefix { spawn, process, prefix }).map(drop).and_then(|()| {
            let mut space = Space { kernel: &mut *kernel, process };
            plan.segments().iter().try_for_each(|segment| space.segment(segment, file))?;
            space.fresh(STACK_TOP - stack_pages * PAGE_SIZE as u64, stack_pages, access::WRITE, &[])
        });
        Ok(embryo.unless_failed(kernel, furnished)?)
    }

    /// Which process it is.
    #[must_use]
    pub fn id(&self) -> ProcessId {
        self.id
    }

    /// The process, for calls that make objects in it.
    #[must_use]
    pub fn process(&self) -> Handle {
        self.process
    }

    /// Gives it a capability, to be found under `name`: `source` with fewer or equal rights, and a badge if `source`
    /// has none (0: keep).
    pub fn grant(
        &mut self,
        kernel: &mut impl Kernel,
        name: Name,
        source: Handle,
        rights: Rights,
        badge: u64,
    ) -> Result<(), Error> {
        let granted = kernel.invoke(Grant { process: self.process, source, rights, badge })?;
        self.handles.push((name, granted.handle));
        Ok(())
    }

    /// Writes its start page, makes its thread and lets it run.
    pub fn start(self, kernel: &mut impl Kernel, begin: &Begin<'_>) -> Result<Launched, Error> {
        let ran = self.run(kernel, begin);
        let embryo = self.unless_failed(kernel, ran)?;
        Ok(Launched { process: embryo.process, id: embryo.id })
    }

    /// Takes it apart again.
    pub fn abandon(self, kernel: &mut impl Kernel) {
        // An error means that there is nothing left to kill or to close.
        let _ = kernel.invoke(ProcessKill { process: self.process, status: 0 });
        let _ = kernel.invoke(Close { handle: self.process });
    }

    fn run(&self, kernel: &mut impl Kernel, begin: &Begin<'_>) -> Result<(), Error> {
        let texts = [begin.arguments, begin.environment];
        let mut page = alloc::vec![0; start::length(self.handles.len(), &texts).min(PAGE_SIZE)];
        let info = StartInfo {
            timebase: begin.timebase,
            ipc_page: IPC_PAGE,
            process: self.id,
            service: self.identity.service,
            heap_pages: self.identity.quota.frames.into(),
        };
        let length = start::write(&mut page, &info, &self.handles, begin.arguments, begin.environment)?;
        let process = self.process;
        if begin.limits != Limits::NONE {
            limit(kernel, process, &begin.limits, begin.timebase)?;
        }
        Space { kernel: &mut *kernel, process }.fresh(START_PAGE, 1, access::READ, &page[..length])?;
        let made = kernel.invoke(ThreadCreate {
            process: Some(process),
            entry: self.entry,
            stack: STACK_TOP,
            a0: START_PAGE,
            a1: length as u64,
            ipc_page: IPC_PAGE,
        })?;
        let classed = match begin.qos {
            QosClass::Normal => Ok(()),
            class => kernel.invoke(QosSet { class: class as u8, target: self.id.number() }).map(drop),
        };
        let started = classed.and_then(|()| kernel.invoke(ThreadStart { thread: made.thread }).map(drop));
        // The thread lives with its process; an error would mean that the handle is gone already.
        let _ = kernel.invoke(Close { handle: made.thread });
        started
    }

    fn unless_failed<E>(self, kernel: &mut impl Kernel, result: Result<(), E>) -> Result<Self, E> {
        match result {
            Ok(()) => Ok(self),
            Err(error) => {
                self.abandon(kernel);
                Err(error)
            }
        }
    }
}
