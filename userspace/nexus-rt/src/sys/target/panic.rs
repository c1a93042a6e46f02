//! A panic of this program: one log line, then the end.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::program::{PANIC_STATUS, exit};

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if !PANICKING.swap(true, Ordering::Relaxed) {
        crate::log::write(format_args!("{info}"));
    }
    exit(PANIC_STATUS)
}
