//! The short way of a signal: to a thread of a higher class that waits for it on this CPU, or to nobody.
//!
//! It does what [`super::notification`] does when nothing unusual is the case, and leaves the same state.

use crate::prelude::*;
use crate::{gate::Gate, ipc::notification::Notification};

impl Kernel {
    /// The running thread signals bits by a handle, `call`; whom that wakes takes the CPU. `None`: nothing was changed.
    #[inline(always)]
    pub(crate) fn signal_direct(
        &'static self,
        cpu: Here,
        sender: &'static Thread,
        (target, bits): (u64, u64),
        now: u64,
    ) -> Option<()> {
        let gate = sender.gate.get();
        let handle = Handle::from_raw(target).filter(|handle| handle.shard() == Gate::shard(gate))?;
        let held = self.shards.hold_one(Gate::shard(gate));
        let slot = self.slot(self.processes.at(index_of(sender.process.get())), handle).ok()?;
        if !slot.allows(Kind::Notification, Rights::USE) {
            return None;
        }
        let notification = self.notifications.named(slot.object.get())?;
        if notification.waiters.is_empty() && notification.bound.get() == 0 && notification.set.get() == 0 {
            notification.bits.set(notification.bits.get() | bits);
            // Choosing anew may hold every shard.
            drop(held);
            self.settle(cpu, now);
            return Some(());
        }
        self.signal_to_waiter(cpu, sender, (notification, bits), now).map(|_| ())
    }

    /// The waiter takes the CPU from the running thread, and is told. The caller holds the notification's shard.
    #[inline(always)]
    pub(crate) fn signal_to_waiter(
        &'static self,
        cpu: Here,
        current: &'static Thread,
        (notification, bits): (&Notification, u64),
        now: u64,
    ) -> Option<&'static Thread> {
        if notification.set.get() != 0 || bits == 0 {
            return None;
        }
        let waiter = notification.waiters.first(&self.threads)?;
        let home = Gate::shard(waiter.gate.get());
        let _far = self.hold_beside(notification.header.shard(), home)?;
        let running = Gate::running(waiter.gate.get(), State::Waiting);
        let class = waiter.class();
        if !Gate::alike_but_for_shard(running, current.gate.get())
            || current.reaches(class as u32)
            || cpu.load.from(class as u32) != 0
            || waiter.link.get() != 0
            || !self.may_turn(cpu, waiter, now)
        {
            return None;
        }
        // Nothing is left there while somebody waits.
        notification.waiters.pop(&self.threads, waiter);
        waiter.queued_class.set(class as u32);
        waiter.waits_on.set(0);
        waiter.gate.set(running);
        // All else of the answer is there since it waits.
        waiter.frame.set_word(0, bits);
        self.lose_turn(cpu, current, waiter, now);
        Some(waiter)
    }
}
