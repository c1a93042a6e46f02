//! Faults: delivered as a call to whoever the process named, or the end of the process.

use super::transfer::write_message;
use crate::event::Trap;
use crate::prelude::*;
use nexus_abi::start::ExitKind;

impl Kernel {
    /// Delivers the calling thread's fault as a call {cause, pc, address}, or ends its process.
    pub(crate) fn deliver_fault(&'static self, context: &Context, trap: Trap) {
        let _held = self.shards.hold(ShardSet::ALL);
        let (thread, process) = (context.thread, context.process());
        thread.fault[0].set(trap.cause);
        thread.fault[1].set(trap.address);
        let Some(endpoint) = self.endpoints.get(process.fault_endpoint.get()) else {
            self.end_faulted(context.cpu, thread);
            return;
        };
        let badge = process.fault_badge.get();
        let Some(receiver) = endpoint.receivers.first(&self.threads) else {
            thread.extent.set(Thread::FAULT);
            thread.badge.set(badge);
            self.queue_caller(context, endpoint, self.heir(endpoint), u64::MAX);
            return;
        };
        endpoint.receivers.pop(receiver);
        let words = [trap.cause, thread.frame.get(0), trap.address, 0, 0, 0, 0, 0];
        write_message(receiver, words, Status::FAULT, badge, thread.stamp());
        thread.waits_on.set(receiver.header.me());
        self.block(context, State::Faulted, u64::MAX);
        self.oblige(thread, receiver);
        self.hand_over(context, receiver);
    }

    /// Ends the process of a thread whose fault nobody answers, running or waiting. Holds all shards.
    pub(super) fn end_faulted(&'static self, cpu: Here, thread: &'static Thread) {
        let process = self.processes.at(thread.process.get() as u32);
        let [cause, address] = [0, 1].map(|at: usize| thread.fault[at].get());
        let record = [ExitKind::Faulted as u64, cause, thread.frame.get(0), address];
        self.begin_exit(cpu, process, record, thread.class());
        self.set_aside(cpu, thread);
    }
}
