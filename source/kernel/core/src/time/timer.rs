//! Timers: a deadline that signals a notification.

use crate::arena::{Header, Object, index_of};
use crate::event::{Context, Verdict, serve::Serve};
use crate::{Kernel, caps::revoke::Progress, lock::ShardSet, percpu::Here, word::Word};
use nexus_abi::syscall::{TimerCreate, TimerCreated, TimerSet, TimerWasSet};
use nexus_abi::{Kind, Rights};

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

impl Serve for TimerCreate {
    fn serve(self, context: &Context) -> Verdict<TimerCreated> {
        let (kernel, _held) = context.hold_all();
        let notification = context.object(&kernel.notifications, self.notification, Kind::Notification, Rights::USE)?;
        let (timer, handle) = context.create(&kernel.timers, Kind::Timer, context.process())?;
        timer.notification.set(notification.header.me());
        timer.bits.set(self.bits);
        timer.deadline.set(u64::MAX);
        Ok(TimerCreated { timer: handle })
    }
}

impl Serve for TimerSet {
    fn serve(self, context: &Context) -> Verdict<TimerWasSet> {
        let kernel = context.kernel;
        let _held = kernel.shards.hold(ShardSet::of(self.timer.shard()));
        let timer = context.object(&kernel.timers, self.timer, Kind::Timer, Rights::USE)?;
        timer.deadline.set(self.deadline.0);
        if self.deadline.0 != u64::MAX {
            let index = kernel.thread_nodes() + index_of(timer.header.me());
            kernel.arm(context.cpu, index, self.deadline.0);
        }
        Ok(TimerWasSet {})
    }
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

    /// Takes a timer back. Its node may stay in a wheel: it finds nothing to do. Holds all shards.
    pub(crate) fn destroy_timer(&self, index: u32) -> Progress {
        self.bury(&self.timers.pool, Kind::Timer, &self.timers.at(index).header);
        Ok(())
    }
}
