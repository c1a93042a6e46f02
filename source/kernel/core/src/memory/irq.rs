//! Interrupt lines: minted once each from the device root, delivered as notification bits.
//!
//! A claimed interrupt keeps its line quiet until it is completed (RISC-V PLIC specification, "Interrupt Completion"),
//! so a line needs no masking between an interrupt and its acknowledgement. It starts masked; the first
//! acknowledgement opens it.

use crate::prelude::*;

/// An interrupt line. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Irq {
    /// Object header.
    pub header: Header,
    /// Its number at the interrupt controller.
    pub line: Half,
    /// Of the line whose number is that of this place: reference of the notification that it signals, 0 while nobody holds it.
    pub notification: Word,
    /// Of that line: bits it ORs in.
    pub bits: Word,
}

impl Object for Irq {
    fn header(&self) -> &Header {
        &self.header
    }
}

impl Kernel {
    /// The short way of an interrupt that somebody waits for here, in a higher class than `current`, the interrupted thread:
    /// who runs next. `None`: nothing was changed.
    #[inline(always)]
    pub fn interrupt_direct(
        &'static self,
        cpu: Here,
        current: &'static Thread,
        line: u32,
        now: u64,
    ) -> Option<&'static Thread> {
        let line = self.irqs.at(line);
        let notification = self.notifications.at(index_of(line.notification.get()));
        let shard = notification.header.shard();
        let _held = self.shards.hold_one(shard);
        // What all shards guard stays as it is while one of them is held; until it was, all may have changed.
        let me = notification.header.me();
        if me == 0 || line.notification.get() != me || notification.header.shard() != shard {
            return None;
        }
        cpu.outside.set(1);
        let heir = self.signal_to_waiter(cpu, current, (notification, line.bits.get()), now);
        cpu.outside.set(0);
        heir.inspect(|_| cpu.counters.device_interrupts.add(1))
    }

    /// A device raised `line`: signals its notification. A line that nobody holds is masked.
    pub(crate) fn raise(&'static self, cpu: Here, line: u32) {
        let _held = self.shards.hold(ShardSet::ALL);
        let place = self.irqs.at(line);
        match place.notification.get() {
            0 => cpu.requests.ask(&cpu.requests.mask, 1 + line),
            notification => self.signal(cpu, notification, place.bits.get()),
        }
    }

    /// Masks a line and gives it back. `More` while another line waits to be masked. Holds all shards.
    pub(crate) fn destroy_irq(&'static self, cpu: Here, irq: &Irq) -> Progress {
        if cpu.requests.mask.get() != 0 {
            return Err(More);
        }
        cpu.requests.ask(&cpu.requests.mask, 1 + irq.line.get());
        self.irqs.at(irq.line.get()).notification.set(0);
        self.bury(&self.irqs.pool, Kind::Irq, &irq.header);
        Ok(())
    }
}

/// Needs `USE` on root and notification. `EINVAL`: no such line, or no bits. `EEXIST`: the line is minted.
/// `EOVERLIMIT`, `ENOMEM`.
pub(crate) fn irq_mint(context: &Context, call: IrqMint) -> Verdict<IrqMinted> {
    let (kernel, _held) = context.hold_all();
    if call.line == 0 || call.line >= kernel.machine.irq_lines || call.bits == 0 {
        return Err(Error::Invalid.into());
    }
    context.capability(call.root, Kind::DeviceRoot, Rights::USE)?;
    let notification = context.object(&kernel.notifications, call.notification, Kind::Notification, Rights::USE)?;
    let place = kernel.irqs.place(call.line).ok_or(Error::Exhausted)?;
    if place.notification.get() != 0 {
        return Err(Error::Exists.into());
    }
    let (irq, handle) = context.create(&kernel.irqs, Kind::Irq, context.process())?;
    irq.line.set(call.line);
    place.notification.set(notification.header.me());
    place.bits.set(call.bits);
    Ok(IrqMinted { irq: handle })
}

/// Needs `USE`. Without an interrupt before it only opens the line.
pub(crate) fn irq_ack(context: &Context, call: IrqAck) -> Verdict<IrqAcked> {
    let (kernel, _held) = context.hold_all();
    let irq = context.object(&kernel.irqs, call.irq, Kind::Irq, Rights::USE)?;
    let requests = &context.cpu.requests;
    requests.ask(&requests.acknowledge, 1 + irq.line.get());
    Ok(IrqAcked {})
}
