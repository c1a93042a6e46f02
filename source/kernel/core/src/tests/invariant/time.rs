//! Time: whoever waits for a moment is looked at by then.

use super::Check;
use crate::{Kernel, time::wheel::Node};

impl Kernel {
    pub(super) fn check_time(&self, check: &mut Check) {
        let mut queued = 0;
        for cpu in self.cpus {
            queued += cpu.wheel.check(check, &self.nodes, cpu.id.get());
        }
        check.at = 0;
        check.same(
            "every node in a wheel is in one list",
            queued,
            (0..=self.nodes.pool.capacity).filter(|&index| self.nodes.at(index).queued()).count(),
        );
        for (index, thread) in self.threads.iter().filter(|(_, thread)| thread.header.alive()) {
            check.at = index;
            let deadline = if thread.state().blocked() { thread.ends.get().wrapping_sub(1) } else { u64::MAX };
            let node = self.nodes.place(index);
            let when = node.map_or(u64::MAX, Node::looked_at);
            check.same("a thread knows when it is looked at", thread.looked_at.get(), when);
            check.that("a wait with a deadline is looked at by then", self.looked_at(index, deadline));
        }
        for (index, timer) in self.timers.iter().filter(|(_, timer)| timer.header.alive()) {
            check.at = index;
            let looked_at = self.looked_at(self.thread_nodes() + index, timer.deadline.get());
            check.that("an armed timer is looked at by its time", looked_at);
        }
    }

    fn looked_at(&self, node: u32, deadline: u64) -> bool {
        let node: Option<&Node> = self.nodes.place(node);
        deadline == u64::MAX || node.is_some_and(|node| node.looked_at() <= deadline)
    }
}
