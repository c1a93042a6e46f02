//! The end of a process: by itself, by a killer, by a fault.

use super::Process;
use crate::event::{Context, Stop, Verdict, serve::Serve};
use crate::{Kernel, lock::ShardSet, percpu::Here, thread::State};
use nexus_abi::syscall::{
    NeverProcess, ProcessExit, ProcessFaults, ProcessFaultsSet, ProcessKill, ProcessKilled, ProcessStated,
    ProcessStatus, ProcessWatch, ProcessWatched,
};
use nexus_abi::{Error, Kind, QosClass, Rights, start::ExitKind};

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

impl Serve for ProcessExit {
    fn serve(self, context: &Context) -> Verdict<NeverProcess> {
        let (kernel, _held) = context.hold_all();
        let record = [ExitKind::Exited as u64, self.status as u64, 0, 0];
        kernel.begin_exit(context.cpu, context.process(), record, context.thread.class());
        kernel.set_aside(context.cpu, context.thread);
        Err(Stop::Blocked)
    }
}

impl Serve for ProcessKill {
    fn serve(self, context: &Context) -> Verdict<ProcessKilled> {
        let (kernel, _held) = context.hold_all();
        let process = context.object(&kernel.processes, self.process, Kind::Process, Rights::MANAGE)?;
        if process.gone() {
            return Ok(ProcessKilled {});
        }
        let (record, class) = ([ExitKind::Killed as u64, self.status as u64, 0, 0], context.thread.class());
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
}

impl Serve for ProcessWatch {
    fn serve(self, context: &Context) -> Verdict<ProcessWatched> {
        let (kernel, _held) = context.hold_all();
        let process = context.object(&kernel.processes, self.process, Kind::Process, Rights::TAKE)?;
        let notification = context.object(&kernel.notifications, self.notification, Kind::Notification, Rights::USE)?;
        let watcher = kernel.notifications.get(process.watch[0].get());
        if process.gone() {
            kernel.signal(context.cpu, notification.header.me(), self.bits);
        } else if watcher.is_some_and(|watcher| !core::ptr::eq(watcher, notification)) {
            return Err(Error::State.into());
        } else {
            process.watch[0].set(notification.header.me());
            process.watch[1].set(self.bits);
        }
        Ok(ProcessWatched {})
    }
}

impl Serve for ProcessStatus {
    fn serve(self, context: &Context) -> Verdict<ProcessStated> {
        let kernel = context.kernel;
        let _held = kernel.shards.hold(ShardSet::of(self.process.shard()));
        let process = context.object(&kernel.processes, self.process, Kind::Process, Rights::TAKE)?;
        let state = process.state.get();
        let [detail, pc, address] = [1, 2, 3].map(|at: usize| if process.gone() { process.exit[at].get() } else { 0 });
        Ok(ProcessStated { state, detail, pc, address })
    }
}

impl Serve for ProcessFaults {
    fn serve(self, context: &Context) -> Verdict<ProcessFaultsSet> {
        let (kernel, _held) = context.hold_all();
        let process = context.object(&kernel.processes, self.process, Kind::Process, Rights::MANAGE)?;
        let found = context.capability(self.endpoint, Kind::Endpoint, Rights::USE)?;
        let endpoint = kernel.endpoints.get(found.object.get()).ok_or(Error::PeerClosed)?;
        process.fault_endpoint.set(endpoint.header.me());
        process.fault_badge.set(found.badge.get());
        Ok(ProcessFaultsSet {})
    }
}
