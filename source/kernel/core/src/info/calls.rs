//! The system calls of an info capability. Each needs `USE` on it.

use crate::prelude::*;
use crate::{links::follow, log::calls::payload, process::MAX_BLOCKS};
use nexus_abi::{Name, ProcessId, ServiceId, message::MAX_INLINE};

/// Number of [`InfoObjects`] that is no [`Kind`]: frames.
const FRAMES: u32 = 0;
/// The same: blocks of slots.
const SLOT_BLOCKS: u32 = 64;
/// The same: queued messages.
const MESSAGES: u32 = 65;
/// The same: mappings.
const MAPPINGS: u32 = 66;

/// The locks under which the tables are read.
pub(crate) fn open<'a>(context: &Context, info: Handle) -> Result<Held<'a>, Error> {
    let held = context.kernel.shards.hold(ShardSet::ALL);
    context.capability(info, Kind::Info, Rights::USE)?;
    Ok(held)
}

impl Kernel {
    /// The process at a place, if its resources are not all back.
    pub(crate) fn living(&self, index: u32) -> Option<&'static Process> {
        let process = self.processes.at(index);
        (process.header.alive() && process.index() == index && !process.gone()).then_some(process)
    }

    /// The threads of a process that are not dead.
    pub(crate) fn threads_of(&self, process: &Process) -> impl Iterator<Item = &'static Thread> + use<'_> {
        let all = follow(process.threads.get(), |index| self.threads.at(index), |thread| &thread.header.links.next);
        all.filter(|thread| thread.state() != State::Dead)
    }

    /// Used and capacity of a kind of object; `EINVAL` for what has no places of its own.
    fn census(&self, kind: u32) -> Result<(u32, u32), Error> {
        let (windows, sets) = (self.windows.get(), self.wait_sets.get());
        let (pool, others) = match (kind, u8::try_from(kind).ok().and_then(Kind::from_number)) {
            (FRAMES, _) => (&self.frames.pool, 0),
            (SLOT_BLOCKS, _) => (&self.blocks.pool, 0),
            (MESSAGES, _) => (&self.messages.pool, 0),
            (MAPPINGS, _) => (&self.mappings.pool, 0),
            (_, Some(Kind::Process)) => (&self.processes.pool, 0),
            (_, Some(Kind::Thread)) => (&self.threads.pool, 0),
            (_, Some(Kind::Endpoint)) => (&self.endpoints.pool, 0),
            (_, Some(Kind::Irq)) => (&self.irqs.pool, 0),
            (_, Some(Kind::Timer)) => (&self.timers.pool, 0),
            (_, Some(Kind::Notification)) => (&self.notifications.pool, sets),
            (_, Some(Kind::Memory)) => (&self.memories.pool, windows),
            (_, Some(Kind::WaitSet)) => return Ok((sets, self.notifications.pool.capacity)),
            (_, Some(Kind::Window)) => return Ok((windows, self.memories.pool.capacity)),
            _ => return Err(Error::Invalid),
        };
        Ok((pool.used() - others, pool.capacity))
    }
}

/// `ENOENT`: no process at or after this place.
pub(crate) fn info_process(context: &Context, call: InfoProcess) -> Verdict<ProcessInfo> {
    let kernel = context.kernel;
    let _held = open(context, call.info)?;
    let process = (call.index..=kernel.processes.pool.capacity).find_map(|index| kernel.living(index));
    let process = process.ok_or(Error::NotFound)?;
    Ok(ProcessInfo {
        id: ProcessId(process.header.me()),
        service: ServiceId(process.service.get()),
        name: Name::from_words(process.name.each_ref().map(|word| word.get())).unwrap_or_default(),
        state: process.state.get(),
        parent: process.header.owner.get(),
    })
}

/// `ENOENT`: no process at this place. The class is the highest that one of its threads has by its own.
pub(crate) fn info_usage(context: &Context, call: InfoUsage) -> Verdict<Usage> {
    let kernel = context.kernel;
    let _held = open(context, call.info)?;
    let process = kernel.living(call.index).ok_or(Error::NotFound)?;
    let (mut threads, mut class) = (0, QosClass::Idle);
    let (mut cpu, mut switches) = (process.cpu_time.get(), process.switches.get());
    for thread in kernel.threads_of(process) {
        threads += 1;
        cpu += thread.cpu_time.get();
        switches += thread.switches.get();
        class = class.max(thread.wished_class());
    }
    let blocks = process.blocks.iter().zip(process.free_slots.iter()).filter(|(block, _)| block.get() != 0);
    let handles = blocks.map(|(_, free)| u64::from(free.get().count_zeros())).sum();
    let frames = process.account.used(Resource::Frames).into();
    Ok(Usage { cpu, frames, handles, threads, switches, class })
}

/// `ENOENT`: no such CPU.
pub(crate) fn info_cpu(context: &Context, call: InfoCpu) -> Verdict<CpuInfo> {
    let _held = open(context, call.info)?;
    let cpu = context.kernel.cpus.get(call.cpu as usize).ok_or(Error::NotFound)?;
    // Another CPU may be about to account: then this is what it was a moment ago.
    let now = context.now.saturating_sub(cpu.since.get());
    let (busy, idle) = match cpu.level.get() {
        0 => (0, if cpu.is_online() { now } else { 0 }),
        _ => (now, 0),
    };
    let counters = &cpu.counters;
    let [switches, timer_interrupts, device_interrupts, tasks] =
        [&counters.switches, &counters.timer_interrupts, &counters.device_interrupts, &counters.tasks].map(Word::get);
    let (busy, idle) = (counters.busy.get() + busy, counters.idle.get() + idle);
    let (online, hart) = (cpu.is_online().into(), cpu.hart.get());
    Ok(CpuInfo { online, busy, idle, switches, timer_interrupts, device_interrupts, tasks, hart })
}

/// `ENOENT`: no process at this place.
pub(crate) fn info_limits(context: &Context, call: InfoLimits) -> Verdict<Limits> {
    let _held = open(context, call.info)?;
    let process = context.kernel.living(call.index).ok_or(Error::NotFound)?;
    let time = &process.budget;
    let [budget, period, throttled] = [&time.ticks, &time.period, &time.spendings].map(Word::get);
    let (shares, mask, left) = (process.shares.get(), process.affinity.get().into(), time.left());
    Ok(Limits { shares, mask, budget, period, left, throttled })
}

/// `ENOENT`: no such CPU.
pub(crate) fn info_scheduler(context: &Context, call: InfoScheduler) -> Verdict<SchedulerInfo> {
    let _held = open(context, call.info)?;
    let cpu = &context.kernel.cpus.get(call.cpu as usize).ok_or(Error::NotFound)?.counters;
    let [given, outside, guarded, parked, lifted, stolen] =
        [&cpu.given, &cpu.outside, &cpu.guarded, &cpu.parked, &cpu.lifted, &cpu.stolen].map(Word::get);
    Ok(SchedulerInfo { given, outside, guarded, parked, lifted, stolen })
}

/// `EINVAL`: nothing has this number, or it has no places of its own (roots, replies).
pub(crate) fn info_objects(context: &Context, call: InfoObjects) -> Verdict<ObjectInfo> {
    let _held = open(context, call.info)?;
    let (used, capacity) = context.kernel.census(call.kind)?;
    Ok(ObjectInfo { used: used.into(), capacity: capacity.into() })
}

/// `ENOENT`: no such process, or no used slot at or after this one.
pub(crate) fn info_capability(context: &Context, call: InfoCapability) -> Verdict<CapabilityInfo> {
    let kernel = context.kernel;
    let _held = open(context, call.info)?;
    let process = kernel.living(call.process).ok_or(Error::NotFound)?;
    for index in call.index..(MAX_BLOCKS * 64) as u32 {
        let block = process.blocks.get(index as usize / 64).map_or(0, |block| block.get());
        let slot = kernel.blocks.at(block * 64 + index % 64);
        if let Some(kind) = slot.kind().filter(|_| block != 0) {
            let (rights, badge, object) = (slot.rights(), slot.badge.get(), slot.object.get());
            let shard = Handle::from_raw(slot.key.get()).map_or(0, Handle::shard) as u8;
            return Ok(CapabilityInfo { index, kind, rights, badge, object, shard });
        }
    }
    Err(Error::NotFound.into())
}

/// `EINVAL`: the offset is beyond the end.
pub(crate) fn boot_arguments(context: &Context, call: BootArguments) -> Verdict<BootArgumentsRead> {
    let kernel = context.kernel;
    drop(open(context, call.info)?);
    let payload = payload(kernel, context.thread)?;
    let all = kernel.machine.arguments;
    let rest = all.get(call.offset as usize..).ok_or(Error::Invalid)?;
    rest.iter().take(MAX_INLINE).enumerate().for_each(|(at, &byte)| payload.put(at, byte));
    Ok(BootArgumentsRead { length: all.len() as u32 })
}
