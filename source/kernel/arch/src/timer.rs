//! The hart's timer: its own register where there is one, else the firmware's.

use crate::{csr, defects, hart::Hart, sbi};

/// What sets the timer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Timer {
    /// The `stimecmp` register: named by the device tree, and found to work.
    Register,
    /// The firmware.
    Firmware,
}

impl Timer {
    /// Makes the timer interrupt at this time; `u64::MAX`: never. Writes nothing if it is set so already.
    #[inline(always)]
    pub(crate) fn set(self, hart: &Hart, when: u64) {
        if hart.alarm.get() != when {
            hart.alarm.set(when);
            match self {
                Timer::Register => csr::set_stimecmp(defects::due(when)),
                Timer::Firmware => _ = sbi::set_timer(defects::due(when)),
            }
        }
    }

    /// The timer has fired: only setting it again takes the pending bit back, so the next [`Timer::set`] must write.
    #[inline(always)]
    pub(crate) fn fired(hart: &Hart) {
        hart.alarm.set(0);
    }
}
