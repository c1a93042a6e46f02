//! Who drives the console: the kernel, until a driver claims it and while none does.

use crate::prelude::*;

impl Kernel {
    /// The console is the kernel's again if this process, which is gone, had claimed it. The kernel goes on where the
    /// process last read.
    pub(crate) fn unclaim(&self, process: &Process) {
        let _held = self.log.lock.hold();
        if process.header.me() != 0 && self.log.claimer.get() == process.header.me() {
            self.log.claimer.set(0);
        }
    }

    /// A process read up to `cursor`: if it drives the console, these bytes are printed.
    pub(crate) fn printed(&self, process: &Process, cursor: u64) {
        let _held = self.log.lock.hold();
        if self.log.claimer.get() == process.header.me() {
            self.log.drained.set(cursor.max(self.log.drained.get()));
        }
    }

    /// Tells whoever drives the console of new bytes. The caller holds no shard.
    pub(crate) fn announce(&'static self, cpu: Here) {
        if self.log.news.get() == 0 || self.log.claimer.get() == 0 {
            return;
        }
        let _held = self.shards.hold(ShardSet::ALL);
        self.tell_driver(cpu);
    }

    /// Tells it for certain. Holds all shards.
    pub(crate) fn tell_driver(&'static self, cpu: Here) {
        if self.log.claimer.get() != 0 {
            self.log.news.set(0);
            self.signal(cpu, self.log.notification.get(), self.log.bits.get());
        }
    }
}

/// Needs `TAKE` on the log and `USE` on the notification. `EINVAL`: no bits. `EEXIST`: another process has it. Who has it
/// already may name another notification.
pub(crate) fn console_claim(context: &Context, call: ConsoleClaim) -> Verdict<ConsoleClaimed> {
    let kernel = context.kernel;
    if call.bits == 0 {
        return Err(Error::Invalid.into());
    }
    let _held = kernel.shards.hold(ShardSet::ALL);
    context.capability(call.log, Kind::Log, Rights::TAKE)?;
    let notification = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::USE)?;
    let (ring, process) = (&kernel.log, context.process().header.me());
    let _line = ring.lock.hold();
    if ring.claimer.get() != 0 && ring.claimer.get() != process {
        return Err(Error::Exists.into());
    }
    ring.claimer.set(process);
    ring.notification.set(notification.header.me());
    ring.bits.set(call.bits);
    Ok(ConsoleClaimed { cursor: ring.drained.get() })
}
