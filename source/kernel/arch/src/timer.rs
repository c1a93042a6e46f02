//! The hart's timer: its own register where there is one, else the firmware's.

use crate::{arguments::Defect, csr, facts::Extension, hart::Hart, sbi};

/// Ticks by which a late timer is late: a second of `virt`.
const LATE: u64 = 10_000_000;

/// What sets the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The `stimecmp` register.
    Register,
    /// The firmware.
    Firmware,
    /// The firmware, and too late by [`LATE`]. Only when a proof asks for it.
    Late,
}

impl Timer {
    /// What this hart has: named by the device tree, and found to work.
    pub(crate) fn probe(sstc: Extension, defect: Defect) -> Timer {
        if defect == Defect::LateTimer {
            return Timer::Late;
        }
        if sstc == Extension::Named && csr::has_stimecmp() { Timer::Register } else { Timer::Firmware }
    }

    /// Makes the timer interrupt at this time; `u64::MAX`: never. Writes nothing if it is set so already.
    #[inline(always)]
    pub(crate) fn set(self, hart: &Hart, when: u64) {
        if hart.alarm.get() != when {
            hart.alarm.set(when);
            match self {
                Timer::Register => csr::set_stimecmp(when),
                Timer::Firmware => sbi::set_timer(when),
                Timer::Late => sbi::set_timer(when.saturating_add(LATE)),
            }
        }
    }

    /// The timer has fired: only setting it again takes the pending bit back, so the next [`Timer::set`] must write.
    #[inline(always)]
    pub(crate) fn fired(hart: &Hart) {
        hart.alarm.set(0);
    }
}
