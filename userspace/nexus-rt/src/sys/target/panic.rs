//! A panic of this program: one line to the log, else to its user, then the end.

use core::fmt;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use crate::program::{PANIC_STATUS, exit};

static PANICKING: AtomicBool = AtomicBool::new(false);

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    if !PANICKING.swap(true, Ordering::Relaxed) {
        match info.location() {
            Some(at) => last_words(format_args!("panicked at {}:{}: {}", at.file(), at.line(), info.message())),
            None => last_words(format_args!("panicked: {}", info.message())),
        }
    }
    exit(PANIC_STATUS)
}

fn last_words(text: fmt::Arguments<'_>) {
    match crate::env::handle(crate::env::LOG) {
        Ok(_) => crate::log::line(text),
        Err(_) => crate::io::complain(text),
    }
}
