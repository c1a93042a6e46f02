//! The kernel's own lines: at boot, while no driver has the console, and in a panic.

use crate::{facts::Facts, layout::to_virtual, sbi, uart::Uart};
use core::fmt::{self, Write};

static UART: Uart = Uart::closed();

/// Prints one line under the kernel's prefix.
#[macro_export]
macro_rules! say {
    ($($argument:tt)*) => { $crate::console::line(core::format_args!($($argument)*)) };
}

/// From now on lines go to the UART that the device tree names. Until then, and without one, the firmware prints.
///
/// The UART's registers must be mapped at their place in the direct map, as the boot table and the kernel's own do.
pub(crate) fn open(facts: &Facts) {
    if let Some(fact) = &facts.uart {
        // SAFETY: the device tree names a 16550 here, and both tables of the kernel map its registers.
        unsafe { UART.open(to_virtual(fact.range.start), fact.shift) };
    }
}

/// Prints one line under the kernel's prefix.
pub fn line(text: fmt::Arguments) {
    write(format_args!("KINIT: {text}\n"));
}

/// Prints text as it is.
pub(crate) fn write(text: fmt::Arguments) {
    // The sink never fails.
    let _ = Sink.write_fmt(text);
}

/// Prints one byte of text; a line feed returns the carriage too.
pub(crate) fn put_text(byte: u8) {
    if byte == b'\n' {
        put(b'\r');
    }
    put(byte);
}

fn put(byte: u8) {
    if UART.is_open() { UART.put(byte) } else { sbi::put(byte) }
}

struct Sink;

impl Write for Sink {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            put_text(byte);
        }
        Ok(())
    }
}
