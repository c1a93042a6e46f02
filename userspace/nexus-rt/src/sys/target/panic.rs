//! A panic of this program: one log line, then the end.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::program::{PANIC_STATUS, exit};

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if !PANICKING.swap(true, Ordering::Relaxed) {
        match info.location() {
            Some(at) => crate::log!("panicked at {}:{}: {}", at.file(), at.line(), info.message()),
            None => crate::log!("panicked: {}", info.message()),
        }
    }
    exit(PANIC_STATUS)
}
