//! Interrupt lines.

use crate::{
    Kernel,
    arena::{Header, Object},
    cpu::Cpu,
    word::{Half, Word},
};

/// An interrupt line. Guarded by all shards.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Irq {
    /// Object header.
    pub header: Header,
    /// Its number at the interrupt controller.
    pub line: Half,
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
    /// A device raised `line`: signals its notification. A line that nobody holds is masked.
    pub(crate) fn raise(&'static self, cpu: &'static Cpu, line: u32, now: u64) {
        let _ = (cpu, line, now);
    }
}
