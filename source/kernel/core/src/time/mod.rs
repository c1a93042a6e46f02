//! Time: deadlines of waits, timer objects, and the wheel both hang on.
//!
//! Arming is lazy. A thread's node stays in the wheel when its wait ends early, and a later wait with a later deadline
//! only writes that deadline down: when the node comes due, whoever finds it looks at what the thread is doing now. So
//! a call with a deadline costs a store and a compare, and a node is moved at most once per deadline span.

pub mod timer;
pub mod wheel;

use crate::prelude::*;

/// Nodes of the timing wheel that one timer event looks at; if more are due the next interrupt comes at once.
const EXPIRE_BATCH: usize = 16;

impl Kernel {
    /// Says when a thread's wait ends. The caller holds its shard.
    pub(crate) fn arm_thread(&self, cpu: Here, thread: &Thread, deadline: u64) {
        thread.ends.set(deadline.wrapping_add(1));
        if !thread.covered(deadline) {
            self.arm(cpu, thread.index(), deadline);
            thread.looked_at.set(deadline);
        }
    }

    /// Sees to it that node `index` is looked at by `when`.
    pub(crate) fn arm(&self, cpu: Here, index: u32, when: u64) {
        let Some(node) = self.nodes.place(index) else { return };
        if node.looked_at() <= when {
            return;
        }
        if node.queued() {
            self.cpus.get(node.cpu.get() as usize).inspect(|cpu| cpu.wheel.remove(&self.nodes, index));
        }
        cpu.wheel.insert(&self.nodes, index, when, cpu.id.get());
    }

    /// Fires what is due, a bounded number of nodes.
    pub(crate) fn expire(&'static self, cpu: Here, now: u64) {
        for _ in 0..EXPIRE_BATCH {
            let Some(index) = cpu.wheel.pop(&self.nodes, now) else { return };
            let _held = self.shards.hold(ShardSet::ALL);
            if let Some(process) = index.checked_sub(self.process_nodes()) {
                let process = self.processes.at(process);
                if process.running() && process.budget.spent.get() != 0 {
                    self.review_budget(cpu, process, now);
                }
            } else if let Some(timer) = index.checked_sub(self.thread_nodes()) {
                self.expire_timer(cpu, timer, now);
            } else {
                self.expire_thread(cpu, self.threads.at(index), now);
            }
        }
    }

    /// Nodes of threads come first, those of timers behind.
    pub(crate) fn thread_nodes(&self) -> u32 {
        self.threads.pool.capacity + 1
    }

    /// Those of processes come last.
    pub(crate) fn process_nodes(&self) -> u32 {
        self.thread_nodes() + self.timers.pool.capacity + 1
    }

    fn expire_thread(&'static self, cpu: Here, thread: &'static Thread, now: u64) {
        thread.looked_at.set(u64::MAX);
        match thread.ends.get().wrapping_sub(1) {
            _ if !thread.state().blocked() => {}
            deadline if deadline > now => self.arm_thread(cpu, thread, deadline),
            _ => self.end_wait(cpu, thread, Error::TimedOut),
        }
    }
}
