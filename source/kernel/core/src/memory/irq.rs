//! Interrupt lines: minted once each from the device root, delivered as notification bits.
//!
//! A claimed interrupt keeps its line quiet until it is completed (RISC-V PLIC specification, "Interrupt Completion"),
//! so a line needs no masking between an interrupt and its acknowledgement. It starts masked; the first
//! acknowledgement opens it.

use crate::arena::{Header, Object};
use crate::caps::revoke::{More, Progress};
use crate::event::{Context, Verdict, serve::Serve};
use crate::word::{Half, Word};
use crate::{Kernel, lock::ShardSet, percpu::Here};
use nexus_abi::syscall::{IrqAck, IrqAcked, IrqMint, IrqMinted};
use nexus_abi::{Error, Kind, Rights};

/// An interrupt line. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Irq {
    /// Object header.
    pub header: Header,
    /// Its number at the interrupt controller.
    pub line: Half,
    /// Of the line whose number is that of this place: 1 + the place of its interrupt, 0 while nobody holds it.
    pub holder: Half,
    /// 1 between an interrupt and its acknowledgement.
    pub pending: Half,
    /// Reference of the notification that it signals.
    pub notification: Word,
    /// Bits it ORs in.
    pub bits: Word,
}

impl Object for Irq {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Kernel {
    /// Who holds a line: there is a place for each line.
    fn irq_of(&self, line: u32) -> Option<&'static Irq> {
        match self.irqs.at(line).holder.get() {
            0 => None,
            holder => Some(self.irqs.at(holder - 1)),
        }
    }

    /// The short way of an interrupt that somebody waits for here, in a higher class than the interrupted thread's. `None`:
    /// nothing was changed.
    #[inline(always)]
    pub(crate) fn raise_direct(&'static self, cpu: Here, line: u32, now: u64) -> Option<()> {
        let current = self.running(cpu)?;
        let irq = self.irq_of(line)?;
        let notification = self.notifications.get(irq.notification.get())?;
        let shard = notification.header.shard();
        let _held = self.shards.hold_one(shard);
        // What all shards guard stays as it is while one of them is held; until it was, all may have changed.
        if !irq.header.alive() || irq.line.get() != line || irq.notification.get() != notification.header.me() {
            return None;
        }
        if notification.header.shard() != shard {
            return None;
        }
        self.signal_to_waiter(cpu, current, (notification, irq.bits.get()), now)?;
        irq.pending.set(1);
        Some(())
    }

    /// A device raised `line`: signals its notification. A line that nobody holds is masked.
    pub(crate) fn raise(&'static self, cpu: Here, line: u32) {
        let _held = self.shards.hold(ShardSet::ALL);
        match self.irq_of(line) {
            Some(irq) => {
                irq.pending.set(1);
                self.signal(cpu, irq.notification.get(), irq.bits.get());
            }
            None => cpu.requests.mask(line),
        }
    }

    /// Masks a line and gives it back. `More` while another line waits to be masked. Holds all shards.
    pub(crate) fn destroy_irq(&'static self, cpu: Here, irq: &Irq) -> Progress {
        if cpu.requests.mask.get() != 0 {
            return Err(More);
        }
        cpu.requests.mask(irq.line.get());
        self.irqs.at(irq.line.get()).holder.set(0);
        self.bury(&self.irqs, Kind::Irq, irq.header.me() as u32);
        Ok(())
    }
}

/// Needs `USE` on root and notification. `EINVAL`: no such line, or no bits. `EEXIST`: the line is minted.
/// `EOVERLIMIT`, `ENOMEM`.
impl Serve for IrqMint {
    fn serve(self, context: &Context) -> Verdict<IrqMinted> {
        let (kernel, _held) = context.hold_all();
        if self.line == 0 || self.line >= kernel.machine.irq_lines || self.bits == 0 {
            return Err(Error::Invalid.into());
        }
        context.capability(self.root, Kind::DeviceRoot, Rights::USE)?;
        let notification = context.object(&kernel.notifications, self.notification, Kind::Notification, Rights::USE)?;
        if kernel.irq_of(self.line).is_some() {
            return Err(Error::Exists.into());
        }
        let place = kernel.irqs.place(self.line).ok_or(Error::Exhausted)?;
        let (irq, handle) = context.create(&kernel.irqs, Kind::Irq, context.process())?;
        place.holder.set(1 + irq.header.me() as u32);
        irq.line.set(self.line);
        irq.pending.set(0);
        irq.notification.set(notification.header.me());
        irq.bits.set(self.bits);
        Ok(IrqMinted { irq: handle })
    }
}

/// Needs `USE`. Without an interrupt pending it only opens the line.
impl Serve for IrqAck {
    fn serve(self, context: &Context) -> Verdict<IrqAcked> {
        let (kernel, _held) = context.hold_all();
        let irq = context.object(&kernel.irqs, self.irq, Kind::Irq, Rights::USE)?;
        irq.pending.set(0);
        context.cpu.requests.acknowledge(irq.line.get());
        Ok(IrqAcked {})
    }
}
