//! Timers: a deadline that signals a notification.

use crate::prelude::*;

/// A timer. Guarded by its shard.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Timer {
    /// Object header.
    pub header: Header,
    /// Reference of the notification.
    pub notification: Word,
    /// Bits it ORs in.
    pub bits: Word,
    /// When it fires; `u64::MAX`: not armed.
    pub deadline: Word,
}

impl Object for Timer {
    fn header(&self) -> &Header {
        &self.header
    }
}

pub(crate) fn timer_create(context: &Context, call: TimerCreate) -> Verdict<TimerCreated> {
    let (kernel, _held) = context.hold_all();
    let notification = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::USE)?;
    let (timer, handle) = context.create(&kernel.timers, Kind::Timer, context.process())?;
    timer.notification.set(notification.header.me());
    timer.bits.set(call.bits);
    timer.deadline.set(u64::MAX);
    Ok(TimerCreated { timer: handle })
}

pub(crate) fn timer_set(context: &Context, call: TimerSet) -> Verdict<TimerWasSet> {
    let kernel = context.kernel;
    let _held = kernel.shards.hold(ShardSet::of(call.timer.shard()));
    let timer = context.object(&kernel.timers, call.timer, Kind::Timer, Rights::USE)?;
    timer.deadline.set(call.deadline.0);
    if call.deadline.0 != u64::MAX {
        let index = kernel.thread_nodes() + index_of(timer.header.me());
        kernel.arm(context.cpu, index, call.deadline.0);
    }
    Ok(TimerWasSet {})
}

impl Kernel {
    /// Node of timer `index` came due. Holds all shards.
    pub(super) fn expire_timer(&'static self, cpu: Here, index: u32, now: u64) {
        let timer = self.timers.at(index);
        match timer.deadline.get() {
            _ if !timer.header.alive() => {}
            deadline if deadline > now => self.arm(cpu, self.thread_nodes() + index, deadline),
            _ => {
                timer.deadline.set(u64::MAX);
                self.signal(cpu, timer.notification.get(), timer.bits.get());
            }
        }
    }
}
