//! The 16550 as the kernel uses it: to print, byte by byte, while no driver has it.

use core::ptr;
use nexus_core::word::{Half, Word};

const DATA: u64 = 0;
const LINE_STATUS: u64 = 5;
const ROOM: u8 = 1 << 5;
/// A byte takes 87 µs at 115,200 baud; a UART that is silent for this many looks is taken to be dead.
const PATIENCE: u32 = 1 << 20;

/// The UART; closed until boot knows where it is, before any other hart runs.
pub(crate) struct Uart {
    /// Address of its registers; 0: closed.
    base: Word,
    shift: Half,
}

impl Uart {
    pub(crate) const fn closed() -> Uart {
        Uart { base: Word::new(0), shift: Half::new(0) }
    }

    /// # Safety
    /// `base` must be the mapped registers of a 16550 for as long as the kernel runs.
    pub(crate) unsafe fn open(&self, base: u64, shift: u32) {
        self.shift.set(shift);
        self.base.set(base);
    }

    pub(crate) fn is_open(&self) -> bool {
        self.base.get() != 0
    }

    /// Prints one byte, or drops it if the device takes none. It is open.
    pub(crate) fn put(&self, byte: u8) {
        let register = |number: u64| self.base.get() + (number << self.shift.get());
        let status = register(LINE_STATUS) as *const u8;
        for _ in 0..PATIENCE {
            // SAFETY: whoever opened it vouched for the registers.
            let ready = unsafe { ptr::read_volatile(status) } & ROOM != 0;
            if ready {
                break;
            }
        }
        // SAFETY: as above.
        unsafe { ptr::write_volatile(register(DATA) as *mut u8, byte) };
    }
}
