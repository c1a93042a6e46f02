//! Making processes: identity by a spawn capability, quota carved from the creator's.

use super::quota::Limits;
use crate::prelude::*;
use nexus_abi::{Name, ProcessId, Quota, ServiceId, Shard, start::ExitKind};

/// Scope of the spawn root: every identity.
pub const SCOPE_ROOT: u64 = 0;

impl Kernel {
    /// `EOVERLIMIT` unless the parent has all of a quota, which has a frame for the root table, and a process more; `ENOMEM`
    /// without a place for it.
    pub(crate) fn check_child(&self, parent: &Process, quota: &Quota) -> Result<(), Error> {
        parent.account.check_child(quota)?;
        if quota.frames == 0 {
            return Err(Error::OverLimit);
        }
        if self.processes.pool.left.get() > 0 { Ok(()) } else { Err(Error::Exhausted) }
    }

    /// Brings a process to life, with this frame as its root table and an empty capability table: what it is, and
    /// what it may own. The caller has checked its quota.
    pub(crate) fn new_process(
        &self,
        home: usize,
        is: (ServiceId, Name),
        limits: Limits,
        root: u32,
    ) -> &'static Process {
        let process = self.processes.allocate(home);
        self.make_root(process, root);
        let table = self.frames.address(root) >> 12;
        process.satp.set(self.machine.satp_mode | u64::from(process.index()) << 44 | table);
        process.account.open(limits);
        process.account.charge(Resource::Frames, 1);
        process.service.set(is.0.0);
        process.name.iter().zip(is.1.to_words()).for_each(|(place, word)| place.set(word));
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

pub(crate) fn process_create(context: &Context, call: ProcessCreate) -> Verdict<ProcessCreated> {
    let kernel = context.kernel;
    let parent = context.process();
    let home = call.shard.map_or(parent.header.shard(), Shard::number);
    let (mut stash, _held, ()) = kernel.with_frames(|| {
        check_scope(context.capability(call.spawn, Kind::Spawn, Rights::USE)?, call.service)?;
        kernel.check_child(parent, &call.quota)?;
        kernel.check_slots(parent, 1, call.quota.slot_blocks.into())?;
        Ok((1, ()))
    })?;
    let process = kernel.new_process(home, (call.service, call.name), call.quota.values(), stash.take().unwrap_or(0));
    parent.account.carve(&process.account);
    kernel.own(parent, Kind::Process, &process.header);
    let handle = kernel.insert(parent, &Capability::full(Kind::Process, process), 0)?;
    Ok(ProcessCreated { process: handle, id: ProcessId(process.header.me()) })
}

pub(crate) fn process_prefix(context: &Context, call: ProcessPrefix) -> Verdict<ProcessPrefixed> {
    let (_, _held) = context.hold_all();
    let spawn = context.capability(call.spawn, Kind::Spawn, Rights::USE)?;
    let process = context.subject(Some(call.process), Rights::MANAGE)?;
    check_scope(spawn, ServiceId(process.service.get()))?;
    process.prefix.iter().zip(call.prefix.to_words()).for_each(|(place, word)| place.set(word));
    Ok(ProcessPrefixed {})
}

pub(crate) fn process_open(context: &Context, call: ProcessOpen) -> Verdict<ProcessOpened> {
    let (kernel, _held) = context.hold_all();
    let spawn = context.capability(call.spawn, Kind::Spawn, Rights::USE)?;
    let process = kernel.processes.get(call.process.0).filter(|process| process.running());
    let process = process.ok_or(Error::NotFound)?;
    check_scope(spawn, ServiceId(process.service.get()))?;
    let handle = kernel.insert(context.process(), &Capability::full(Kind::Process, process), 0)?;
    Ok(ProcessOpened { process: handle })
}

pub(crate) fn spawn_mint(context: &Context, call: SpawnMint) -> Verdict<SpawnMinted> {
    let (kernel, _held) = context.hold_all();
    let found = context.capability(call.root, Kind::Spawn, Rights::USE.union(Rights::MANAGE))?;
    if found.object.get() != SCOPE_ROOT {
        return Err(Error::Permission.into());
    }
    if call.service == ServiceId::KERNEL {
        return Err(Error::Invalid.into());
    }
    let rights = found.rights().intersection(Rights::USE.union(Rights::TRANSFER));
    let (object, shard) = (call.service.0, call.root.shard());
    let spawn = Capability { kind: Kind::Spawn, object, shard, rights, badge: 0 };
    Ok(SpawnMinted { spawn: kernel.insert(context.process(), &spawn, found.place.get())? })
}
