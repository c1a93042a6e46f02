//! The platform-level interrupt controller. Source: RISC-V PLIC Specification 1.0.0.

use crate::{facts::PlicFact, layout::to_virtual};
use core::ptr;
use nexus_core::lock::Lock;

const PRIORITIES: u64 = 0;
const ENABLES: u64 = 0x2000;
const ENABLES_STRIDE: u64 = 0x80;
const CONTEXTS: u64 = 0x20_0000;
const CONTEXTS_STRIDE: u64 = 0x1000;
const THRESHOLD: u64 = 0;
const CLAIM: u64 = 4;

/// A PLIC whose registers are mapped. Its lines go to the boot hart, whoever serves them.
#[derive(Debug)]
pub(crate) struct Plic {
    base: u64,
    size: u64,
    lines: u32,
    /// Held while the enabled lines change: any hart may change them.
    lock: Lock,
}

impl Plic {
    /// # Safety
    /// The registers must be mapped at their place in the direct map for as long as the kernel runs.
    pub(crate) unsafe fn new(fact: &PlicFact) -> Plic {
        Plic {
            base: to_virtual(fact.range.start),
            size: fact.range.end - fact.range.start,
            lines: fact.lines,
            lock: Lock::new(),
        }
    }

    /// Lets a context hear the lines that are enabled for it; none is.
    pub(crate) fn open(&self, context: u64) {
        for word in 0..=u64::from(self.lines) / 32 {
            self.write(ENABLES + ENABLES_STRIDE * context + 4 * word, 0);
        }
        self.write(CONTEXTS + CONTEXTS_STRIDE * context + THRESHOLD, 0);
    }

    /// Takes the pending interrupt of a context: its line.
    pub(crate) fn claim(&self, context: u64) -> Option<u32> {
        let line = self.read(CONTEXTS + CONTEXTS_STRIDE * context + CLAIM);
        (line != 0).then_some(line)
    }

    /// Ends the interrupt that was claimed, and lets the next one through. A completion of a line that is not enabled
    /// is lost, so the line is enabled first.
    pub(crate) fn complete(&self, context: u64, line: u32) {
        if self.knows(line) {
            self.write(PRIORITIES + 4 * u64::from(line), 1);
            self.change_enable(context, line, |word, bit| word | bit);
            self.write(CONTEXTS + CONTEXTS_STRIDE * context + CLAIM, line);
        }
    }

    /// Silences a line: what was claimed is completed, and nothing comes any more.
    pub(crate) fn mask(&self, context: u64, line: u32) {
        if self.knows(line) {
            self.write(CONTEXTS + CONTEXTS_STRIDE * context + CLAIM, line);
            self.change_enable(context, line, |word, bit| word & !bit);
        }
    }

    fn knows(&self, line: u32) -> bool {
        line != 0 && line <= self.lines
    }

    fn change_enable(&self, context: u64, line: u32, change: impl FnOnce(u32, u32) -> u32) {
        let _held = self.lock.hold();
        let register = ENABLES + ENABLES_STRIDE * context + 4 * u64::from(line / 32);
        self.write(register, change(self.read(register), 1 << (line % 32)));
    }

    /// A register outside the device is 0: a device tree may name a context that the device has no room for.
    fn read(&self, offset: u64) -> u32 {
        if offset + 4 > self.size {
            return 0;
        }
        // SAFETY: inside the registers, which whoever made this vouched for.
        unsafe { ptr::read_volatile((self.base + offset) as *const u32) }
    }

    fn write(&self, offset: u64, value: u32) {
        if offset + 4 <= self.size {
            // SAFETY: as above.
            unsafe { ptr::write_volatile((self.base + offset) as *mut u32, value) };
        }
    }
}
