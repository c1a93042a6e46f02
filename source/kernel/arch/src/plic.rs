//! The platform-level interrupt controller. Source: RISC-V PLIC Specification 1.0.0.

use crate::facts::{Device, Facts};
use crate::layout::to_virtual;
use core::ptr;
use nexus_core::lock::Lock;

const ENABLES: u64 = 0x2000;
const ENABLES_STRIDE: u64 = 0x80;
/// Behind all other registers: of each context its threshold, then what claims and completes.
const CONTEXTS: u64 = 0x20_0000;
const CONTEXTS_STRIDE: u64 = 0x1000;
const CLAIM: u64 = 4;

/// A PLIC whose registers are mapped, as addresses. Its lines go to the boot hart, whoever serves them.
pub(crate) struct Plic {
    /// Of each line, its priority.
    priorities: u64,
    /// Of the boot hart, a bit for each line that it hears.
    enables: u64,
    /// Of the boot hart, what claims and completes.
    claim: u64,
    lines: u32,
    /// Held while the enabled lines change: any hart may change them.
    lock: Lock,
}

impl Plic {
    /// Silences every line for all harts. `None`: there is no PLIC, the boot hart has no context there, or the device has no room for one; a device tree
    /// may say anything.
    ///
    /// # Safety
    /// The registers must be mapped at their place in the direct map for as long as the kernel runs.
    pub(crate) unsafe fn open(facts: &Facts) -> Option<Plic> {
        let plic = &facts.devices[Device::Plic as usize];
        let (base, size, lines) = (to_virtual(plic.start), plic.end - plic.start, facts.lines);
        let boot = facts.context(&facts.harts[0])?;
        let enables = |context: u64| base + ENABLES + ENABLES_STRIDE * context;
        let context = |context: u64| base + CONTEXTS + CONTEXTS_STRIDE * context;
        for other in facts.harts().iter().filter_map(|hart| facts.context(hart)) {
            if context(other) + CLAIM + 4 > base + size || u64::from(lines) / 8 >= ENABLES_STRIDE {
                return None;
            }
            (0..=u64::from(lines) / 32).for_each(|word| write(enables(other) + 4 * word, 0));
        }
        write(context(boot), 0);
        Some(Plic { priorities: base, enables: enables(boot), claim: context(boot) + CLAIM, lines, lock: Lock::new() })
    }

    /// Takes the pending interrupt: its line.
    #[inline(always)]
    pub(crate) fn claim(&self) -> Option<u32> {
        let line = read(self.claim);
        (line != 0).then_some(line)
    }

    /// Ends the interrupt that was claimed, and lets the next one through. A completion of a line that is not enabled
    /// is lost, so the line is enabled first.
    pub(crate) fn complete(&self, line: u32) {
        if self.knows(line) {
            write(self.priorities + 4 * u64::from(line), 1);
            self.change_enable(line, |word, bit| word | bit);
            write(self.claim, line);
        }
    }

    /// Silences a line: what was claimed is completed, and nothing comes any more.
    pub(crate) fn mask(&self, line: u32) {
        if self.knows(line) {
            write(self.claim, line);
            self.change_enable(line, |word, bit| word & !bit);
        }
    }

    fn knows(&self, line: u32) -> bool {
        line != 0 && line <= self.lines
    }

    fn change_enable(&self, line: u32, change: impl FnOnce(u32, u32) -> u32) {
        let _held = self.lock.hold();
        let register = self.enables + 4 * u64::from(line / 32);
        write(register, change(read(register), 1 << (line % 32)));
    }
}

fn read(register: u64) -> u32 {
    // SAFETY: only [`Plic`] calls this, with a register that it found inside the device, mapped as its maker vouched.
    unsafe { ptr::read_volatile(register as *const u32) }
}

fn write(register: u64, value: u32) {
    // SAFETY: as above.
    unsafe { ptr::write_volatile(register as *mut u32, value) };
}
