//! The 16550 as the kernel uses it: to print, byte by byte, while no driver has it.

use core::ptr;

const DATA: u64 = 0;
const LINE_STATUS: u64 = 5;
const ROOM: u8 = 1 << 5;
/// A byte takes 87 µs at 115,200 baud; a UART that is silent for this many looks is taken to be dead.
const PATIENCE: u32 = 1 << 20;

/// A UART whose registers are mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Uart {
    base: u64,
    shift: u32,
}

impl Uart {
    /// # Safety
    /// `base` must be the mapped registers of a 16550 for as long as the kernel runs.
    pub(crate) const unsafe fn new(base: u64, shift: u32) -> Uart {
        Uart { base, shift }
    }

    /// Prints one byte, or drops it if the device takes none.
    pub(crate) fn put(&self, byte: u8) {
        let status = (self.base + (LINE_STATUS << self.shift)) as *const u8;
        for _ in 0..PATIENCE {
            // SAFETY: whoever made this vouched for the registers.
            let ready = unsafe { ptr::read_volatile(status) } & ROOM != 0;
            if ready {
                break;
            }
        }
        let data = (self.base + (DATA << self.shift)) as *mut u8;
        // SAFETY: as above.
        unsafe { ptr::write_volatile(data, byte) };
    }
}
