//! The first instructions of a further thread.

use alloc::boxed::Box;
use core::arch::{asm, global_asm};
use core::sync::atomic::AtomicU64;

use nexus_abi::syscall::{Syscall, ThreadExit};

use crate::thread::Body;

// Jumped to by the kernel in user mode. In: a0 the thread's IPC page, a1 its boxed body, sp top of its stack.
global_asm!(
    ".section .text._thread, \"ax\"",
    "_thread:",
    ".option push",
    ".option norelax",
    "la gp, __global_pointer$",
    ".option pop",
    "mv tp, a0",
    "mv a0, a1",
    "call {begin}",
    "unimp",
    begin = sym begin,
);

unsafe extern "C" {
    fn _thread();
}

extern "C" fn begin(body: *mut Body) -> ! {
    // SAFETY: `thread_registers` made it from a box and gave it to this thread alone.
    let body = unsafe { Box::from_raw(body) };
    body();
    crate::thread::exit()
}

/// Puts another body into the place of that which a thread would run that was made with these registers and was not
/// started: whoever asks owns that thread. The one that was there is dropped.
pub(crate) fn exchange(a1: u64, body: Body) {
    let place = core::ptr::with_exposed_provenance_mut::<Body>(a1 as usize);
    // SAFETY: `thread_registers` made it from a box, which is the thread's alone, and the thread does not run.
    drop(unsafe { place.replace(body) });
}

/// Entry point and `a1` of a thread that will run `body`. If no thread is made of them, the body leaks.
pub(crate) fn thread_registers(body: Body) -> (u64, u64) {
    let entry = _thread as *const () as usize;
    (entry as u64, Box::into_raw(Box::new(body)).expose_provenance() as u64)
}

/// Sets a bit that says that nobody stands on the calling thread's stack any more, and ends the thread.
pub(crate) fn leave(left: &'static AtomicU64, bit: u64) -> ! {
    // SAFETY: From the first instruction on no stack is used, so whoever sees the bit may have it. Release: what this
    // thread left there is written before.
    unsafe {
        asm!(
            "amoor.d.rl zero, {bit}, ({left})",
            "2: li t2, {exit}",
            "ecall",
            "j 2b",
            bit = in(reg) bit,
            left = in(reg) left.as_ptr(),
            exit = const ThreadExit::NUMBER,
            options(noreturn, nostack),
        )
    }
}
