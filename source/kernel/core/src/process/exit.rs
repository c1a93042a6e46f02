//! The end of a process: by itself, by a killer, by a fault.

use crate::prelude::*;
use nexus_abi::start::ExitKind;

/// How a process ends: what [`ExitKind`]; its status, or the cause of its fault; of a fault, where, and the address involved.
pub type Record = [u64; 4];

/// The end of what nobody needs any more.
pub(crate) const DROPPED: Record = [ExitKind::Killed as u64, 0, 0, 0];

impl Kernel {
    /// Begins to end a process: it is taken back on this CPU, in `class` or its own if that is higher. A process that
    /// is ending already keeps its first reason. Holds all shards.
    pub(crate) fn begin_exit(&'static self, cpu: Here, process: &'static Process, record: Record, class: QosClass) {
        if !process.running() {
            return;
        }
        process.state.set(ExitKind::Dying as u64);
        process.exit.iter().zip(record).for_each(|(place, word)| place.set(word));
        process.reap_stage.set(0);
        process.reap_cursor.set(process.threads.get());
        process.reap_class.set(QosClass::PerfBurst as u32);
        process.lent_class.set(class as u32);
        self.queue_reap(cpu, process);
    }
}

pub(crate) fn process_exit(context: &Context, call: ProcessExit) -> Verdict<NeverProcess> {
    let (kernel, _held) = context.hold_all();
    let record = [ExitKind::Exited as u64, call.status as u64, 0, 0];
    kernel.begin_exit(context.cpu, context.process(), record, context.thread.class());
    kernel.set_aside(context.cpu, context.thread);
    Err(Stop::Blocked)
}

pub(crate) fn process_kill(context: &Context, call: ProcessKill) -> Verdict<ProcessKilled> {
    let (kernel, _held) = context.hold_all();
    let process = context.object(&kernel.processes, call.process, Kind::Process, Rights::MANAGE)?;
    if process.gone() {
        return Ok(ProcessKilled {});
    }
    let (record, class) = ([ExitKind::Killed as u64, call.status as u64, 0, 0], context.thread.class());
    kernel.begin_exit(context.cpu, process, record, class);
    kernel.hurry_reap(context.cpu, process, class);
    if core::ptr::eq(process, context.process()) {
        kernel.set_aside(context.cpu, context.thread);
        return Err(Stop::Blocked);
    }
    context.thread.set_state(State::Mourning);
    context.thread.waits_on.set(process.header.me());
    context.thread.ends.set(0);
    process.mourners.push_back(&kernel.threads, context.thread);
    Err(Stop::Blocked)
}

pub(crate) fn process_watch(context: &Context, call: ProcessWatch) -> Verdict<ProcessWatched> {
    let (kernel, _held) = context.hold_all();
    let process = context.object(&kernel.processes, call.process, Kind::Process, Rights::TAKE)?;
    let notification = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::USE)?;
    let watcher = kernel.notifications.get(process.watch[0].get());
    if process.gone() {
        kernel.signal(context.cpu, notification.header.me(), call.bits);
    } else if watcher.is_some_and(|watcher| !core::ptr::eq(watcher, notification)) {
        return Err(Error::State.into());
    } else {
        process.watch[0].set(notification.header.me());
        process.watch[1].set(call.bits);
    }
    Ok(ProcessWatched {})
}

pub(crate) fn process_status(context: &Context, call: ProcessStatus) -> Verdict<ProcessStated> {
    let kernel = context.kernel;
    let _held = kernel.shards.hold(ShardSet::of(call.process.shard()));
    let process = context.object(&kernel.processes, call.process, Kind::Process, Rights::TAKE)?;
    let state = process.state.get();
    let [detail, pc, address] = [1, 2, 3].map(|at: usize| if process.gone() { process.exit[at].get() } else { 0 });
    Ok(ProcessStated { state, detail, pc, address })
}

pub(crate) fn process_faults(context: &Context, call: ProcessFaults) -> Verdict<ProcessFaultsSet> {
    let (kernel, _held) = context.hold_all();
    let process = context.object(&kernel.processes, call.process, Kind::Process, Rights::MANAGE)?;
    let found = context.capability(call.endpoint, Kind::Endpoint, Rights::USE)?;
    let endpoint = kernel.endpoints.get(found.object.get()).ok_or(Error::PeerClosed)?;
    process.fault_endpoint.set(endpoint.header.me());
    process.fault_badge.set(found.badge.get());
    Ok(ProcessFaultsSet {})
}
