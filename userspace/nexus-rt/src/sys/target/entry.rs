//! The first instructions of a program.

use core::arch::global_asm;
use core::cell::UnsafeCell;
use core::slice;

use nexus_abi::start::StartPage;

// Jumped to by the kernel in user mode. In: a0 start page, a1 its length, sp top of the main stack, all else 0.
// Sets gp for relaxed addressing and tp to the IPC page, which stays there for the thread's life.
global_asm!(
    ".section .text._start, \"ax\"",
    ".globl _start",
    "_start:",
    ".option push",
    ".option norelax",
    "la gp, __global_pointer$",
    ".option pop",
    "ld tp, 24(a0)",
    "call {first}",
    "unimp",
    first = sym first,
);

unsafe extern "Rust" {
    fn nexus_main() -> i64;
}

struct Start(UnsafeCell<Option<StartPage<'static>>>);

// SAFETY: Written once by `first` before the program's `main` runs, and with it before any other thread exists.
unsafe impl Sync for Start {}

static START: Start = Start(UnsafeCell::new(None));

/// The start page; none only before it was read.
pub(crate) fn start_page() -> Option<StartPage<'static>> {
    // SAFETY: See `Start`: nothing writes once this can be called.
    unsafe { *START.0.get() }
}

extern "C" fn first(page: *const u8, length: usize) -> ! {
    // SAFETY: The kernel's and loader's contract: `page` is a read-only mapping of `length` bytes for the life of the
    // process.
    let bytes: &'static [u8] = unsafe { slice::from_raw_parts(page, length) };
    match StartPage::read(bytes) {
        Ok(start) => {
            // SAFETY: See `Start`: this is the only write, and no other thread exists yet.
            unsafe { *START.0.get() = Some(start) };
        }
        Err(error) => crate::program::exit(error.number().into()),
    }
    // SAFETY: `program!` defines it with this signature; a program without it does not link.
    crate::program::exit(unsafe { nexus_main() })
}
