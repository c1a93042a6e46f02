//! The kernel's own lines: at boot, while no driver has the console, and in a panic.
//!
//! The UART is a 16550, written byte by byte.

use crate::facts::{Device, Facts};
use crate::{layout::to_virtual, sbi};
use nexus_core::spell;
use nexus_core::word::{Half, Word};

const DATA: u64 = 0;
const LINE_STATUS: u64 = 5;
const ROOM: u8 = 1 << 5;
/// A byte takes 87 µs at 115,200 baud; a UART that is silent for this many looks is taken to be dead.
const PATIENCE: u32 = 1 << 20;

/// Address of the UART's registers; 0: none. Written, as the next word, before any other hart runs.
static UART: Word = Word::new(0);
/// They stand `1 << shift` bytes apart.
static SHIFT: Half = Half::new(0);

/// Prints one line under the kernel's prefix.
#[macro_export]
macro_rules! say {
    ($($piece:expr),+) => { nexus_core::spell!($crate::console::line(), $($piece),+, b'\n') };
}

/// From now on lines go to the UART that the device tree names. Until then, and without one, the firmware prints.
///
/// The UART's registers must be mapped at their place in the direct map, as the boot table and the kernel's own do.
pub(crate) fn open(facts: &Facts) {
    let uart = &facts.devices[Device::Uart as usize];
    if !uart.is_empty() {
        SHIFT.set(facts.uart_shift);
        UART.set(to_virtual(uart.start));
    }
}

/// Begins a line under the kernel's prefix: what prints the rest.
pub fn line() -> impl Fn(u8) {
    spell!(put, "KINIT: ");
    put
}

/// Prints one byte of text; a line feed returns the carriage too.
pub(crate) fn put(byte: u8) {
    if byte == b'\n' {
        send(b'\r');
    }
    send(byte);
}

/// Prints one byte, or drops it if the device takes none.
fn send(byte: u8) {
    if UART.get() == 0 {
        sbi::put(byte.into());
        return;
    }
    let register = |number: u64| (UART.get() + (number << SHIFT.get())) as *mut u8;
    // SAFETY: the device tree names a 16550 here, and both tables of the kernel map its registers.
    let full = || unsafe { register(LINE_STATUS).read_volatile() } & ROOM == 0;
    // Looks until there is room, or for so long in vain.
    let _ = (0..PATIENCE).find(|_| !full());
    // SAFETY: as above.
    unsafe { register(DATA).write_volatile(byte) };
}
