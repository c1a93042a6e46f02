//! What belongs to one hart. Only that hart touches it.

use core::mem::offset_of;
use nexus_core::{cpu::MAX_CPUS, word::Word};

/// Bytes of a hart's stack.
pub(crate) const STACK_BYTES: u64 = 16 << 10;
/// Bytes from one further hart's stack to the next: a page that is not mapped stands under each.
pub(crate) const STACK_STRIDE: u64 = STACK_BYTES + crate::layout::PAGE;

/// A hart. The trap entry knows the first three offsets.
#[repr(C)]
pub(crate) struct Hart {
    /// Address of the running thread.
    pub(crate) thread: Word,
    /// Top of the stack that traps from user mode use.
    pub(crate) stack: Word,
    /// Room for one register while the trap entry has none.
    spare: Word,
    /// The core's number for it.
    pub(crate) cpu: Word,
    /// The machine's number for it.
    pub(crate) number: Word,
    /// Address of the core's record of it; set once, before the hart runs anything.
    pub(crate) record: Word,
    /// Address of the system; set as `record` is.
    pub(crate) system: Word,
    /// What the timer is set to; 0: unknown.
    pub(crate) alarm: Word,
    /// Reference of the thread whose float registers are loaded; 0: the unit is off.
    pub(crate) float: Word,
}

const _: () = assert!(offset_of!(Hart, thread) == 0 && offset_of!(Hart, stack) == 8 && offset_of!(Hart, spare) == 16);

impl Hart {
    /// The core's number for it, as an index.
    #[inline(always)]
    pub(crate) fn cpu(&self) -> usize {
        self.cpu.get() as usize
    }
}

/// The harts by CPU number: 0 is the one that boots.
pub(crate) static HARTS: [Hart; MAX_CPUS] = {
    // SAFETY: they are made of words, for which zero is a value.
    unsafe { core::mem::zeroed() }
};
