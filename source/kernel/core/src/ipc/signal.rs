//! The short way of a signal: to a thread of a higher class that waits for it on this CPU, or to nobody.
//!
//! It does what [`super::notification`] does when nothing unusual is the case, and leaves the same state.

use crate::{
    Kernel,
    arena::index_of,
    gate::Gate,
    percpu::Here,
    thread::{Stamp, State, Thread},
};
use nexus_abi::{Handle, Kind, Rights};

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
        let _held = self.shards.hold_one(Gate::shard(gate));
        let slot = self.slot(self.processes.at(index_of(sender.process.get())), handle).ok()?.slot;
        if !slot.allows(Kind::Notification, Rights::USE) {
            return None;
        }
        let notification = self.notifications.named(slot.object.get())?;
        let taken = notification.bits.get() | bits;
        if notification.set.get() != 0 || taken == 0 {
            return None;
        }
        let Some(waiter) = notification.waiters.first(&self.threads) else {
            return (notification.bound.get() == 0).then(|| {
                notification.bits.set(taken);
                self.settle(cpu, now);
            });
        };
        if waiter.gate.get() != Gate::waiting(gate, State::Waiting)
            || !waiter.reaches(sender.class() as u32 + 1)
            || cpu.queue().from(waiter.class()) != 0
        {
            return None;
        }
        let heir = self.heir_of_turn(cpu, waiter)?;
        // Nothing is left there while somebody waits.
        notification.waiters.pop_front(&self.threads, waiter);
        waiter.next.set(0);
        waiter.queued_class.set(waiter.class() as u32);
        waiter.waits_on.set(0);
        waiter.gate.set(gate);
        waiter.frame.set_message([taken, 0, 0, 0, 0, 0, 0, 0]);
        waiter.frame.set_status(0, 0, Stamp::default());
        self.lose_turn(cpu, sender, heir, now);
        Some(())
    }
}
