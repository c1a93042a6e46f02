//! Making processes: identity by a spawn capability, quota carved from the creator's.

use super::{Process, quota::Resource};
use crate::caps::{Capability, slot::Slot};
use crate::event::{Context, Verdict, serve::Serve};
use crate::{Kernel, memory::Stash};
use nexus_abi::syscall::{
    ProcessCreate, ProcessCreated, ProcessOpen, ProcessOpened, ProcessPrefix, ProcessPrefixed, SpawnMint, SpawnMinted,
};
use nexus_abi::{Error, Kind, Name, ProcessId, Quota, Rights, ServiceId, Shard, start::ExitKind};

/// Scope of the spawn root: every identity.
pub const SCOPE_ROOT: u64 = 0;

/// What a new process is.
pub(crate) struct Birth<'a> {
    /// The shard where its objects live.
    pub home: usize,
    /// Its service id.
    pub service: ServiceId,
    /// Its display name.
    pub name: Name,
    /// What it may own.
    pub quota: &'a Quota,
}

impl Kernel {
    /// Refuses a quota without a frame for the root table, and a process without a place.
    pub(crate) fn may_make_process(&self, quota: &Quota) -> Result<(), Error> {
        if quota.frames == 0 {
            return Err(Error::OverLimit);
        }
        if self.processes.pool.left.get() > 0 { Ok(()) } else { Err(Error::Exhausted) }
    }

    /// Brings a process to life, with a frame of a stash as its root table and an empty capability table. The caller has
    /// checked its quota.
    pub(crate) fn new_process(&self, birth: &Birth, stash: &mut Stash) -> &'static Process {
        let root = stash.take().unwrap_or(0);
        let process = self.processes.allocate(birth.home);
        self.make_root(process, root);
        let table = self.frames.address(root) >> 12;
        process.satp.set(self.machine.satp_mode | u64::from(process.index()) << 44 | table);
        process.account.open(birth.quota);
        process.account.charge(Resource::Frames, 1);
        process.service.set(birth.service.0);
        process.name.iter().zip(birth.name.to_words()).for_each(|(place, word)| place.set(word));
        process.state.set(ExitKind::Running as u64);
        // The rest is as taking back the last process here left it: nothing.
        let words = [&process.fault_endpoint, &process.fault_badge, &process.cpu_time, &process.switches];
        words.into_iter().chain(&process.prefix).for_each(|word| word.set(0));
        process.shares.set(Process::SHARES);
        process.most_shares.set(Process::FREE_SHARES);
        process.affinity.set((1 << self.cpus.len()) - 1);
        process.budget.set(0, 0, 0);
        process.budget.spendings.set(0);
        process
    }
}

/// `EPERM` unless this spawn capability covers the identity; `EINVAL` for an identity nobody can have.
fn check_scope(spawn: &Slot, service: ServiceId) -> Result<(), Error> {
    if service == ServiceId::KERNEL || service == ServiceId::ANY_PROGRAM {
        return Err(Error::Invalid);
    }
    let scope = spawn.object.get();
    let program = scope == ServiceId::ANY_PROGRAM.0 && !service.is_service();
    if scope == SCOPE_ROOT || scope == service.0 || program { Ok(()) } else { Err(Error::Permission) }
}

impl Serve for ProcessCreate {
    fn serve(self, context: &Context) -> Verdict<ProcessCreated> {
        let kernel = context.kernel;
        let parent = context.process();
        let home = self.shard.map_or(parent.header.shard(), Shard::number);
        let birth = Birth { home, service: self.service, name: self.name, quota: &self.quota };
        let (mut stash, _held, ()) = kernel.with_frames(|| {
            check_scope(context.capability(self.spawn, Kind::Spawn, Rights::USE)?, self.service)?;
            parent.account.check_child(&self.quota)?;
            kernel.check_slots_beside(parent, 1, self.quota.slot_blocks.into())?;
            kernel.may_make_process(&self.quota)?;
            Ok((1, ()))
        })?;
        let process = kernel.new_process(&birth, &mut stash);
        parent.account.carve(&process.account);
        kernel.own(parent, Kind::Process, &process.header);
        let handle = kernel.insert(parent, &Capability::full(Kind::Process, process), 0)?;
        Ok(ProcessCreated { process: handle, id: ProcessId(process.header.me()) })
    }
}

impl Serve for ProcessPrefix {
    fn serve(self, context: &Context) -> Verdict<ProcessPrefixed> {
        let (_, _held) = context.hold_all();
        let spawn = context.capability(self.spawn, Kind::Spawn, Rights::USE)?;
        let process = context.subject(Some(self.process), Rights::MANAGE)?;
        check_scope(spawn, ServiceId(process.service.get()))?;
        process.prefix.iter().zip(self.prefix.to_words()).for_each(|(place, word)| place.set(word));
        Ok(ProcessPrefixed {})
    }
}

impl Serve for ProcessOpen {
    fn serve(self, context: &Context) -> Verdict<ProcessOpened> {
        let (kernel, _held) = context.hold_all();
        let spawn = context.capability(self.spawn, Kind::Spawn, Rights::USE)?;
        let process = kernel.processes.get(self.process.0).filter(|process| process.running());
        let process = process.ok_or(Error::NotFound)?;
        check_scope(spawn, ServiceId(process.service.get()))?;
        let handle = kernel.insert(context.process(), &Capability::full(Kind::Process, process), 0)?;
        Ok(ProcessOpened { process: handle })
    }
}

impl Serve for SpawnMint {
    fn serve(self, context: &Context) -> Verdict<SpawnMinted> {
        let (kernel, _held) = context.hold_all();
        let found = context.capability(self.root, Kind::Spawn, Rights::USE.union(Rights::MANAGE))?;
        if found.object.get() != SCOPE_ROOT {
            return Err(Error::Permission.into());
        }
        if self.service == ServiceId::KERNEL {
            return Err(Error::Invalid.into());
        }
        let spawn = Capability {
            kind: Kind::Spawn,
            object: self.service.0,
            shard: self.root.shard(),
            rights: found.rights().intersection(Rights::USE.union(Rights::TRANSFER)),
            badge: 0,
        };
        Ok(SpawnMinted { spawn: kernel.insert(context.process(), &spawn, found.place.get())? })
    }
}
