//! Words of memory at any address, and the IPC page as it lies: for programs that attack the system on purpose.

use core::arch::asm;

/// Loads a word. If nothing readable is there, the process faults.
pub fn peek(address: u64) -> u64 {
    let value: u64;
    // SAFETY: Reads; the compiler assumes nothing about what it gives. A fault ends the process or is its own doing.
    unsafe { asm!("ld {}, 0({})", out(reg) value, in(reg) address, options(nostack, readonly)) };
    value
}

/// Stores a word. If nothing writable is there, the process faults. Sound only for memory that no reference covers: the
/// caller passes addresses of IPC pages and of ranges that it mapped itself, far from the runtime's.
pub fn poke(address: u64, value: u64) {
    // SAFETY: See above; programs that attack themselves accept what comes of it.
    unsafe { asm!("sd {}, 0({})", in(reg) value, in(reg) address, options(nostack)) };
}

/// Where the calling thread's IPC page lies.
pub fn ipc_page() -> u64 {
    let base: u64;
    // SAFETY: Reads a register, which holds that address from the thread's first instruction on.
    unsafe { asm!("mv {}, tp", out(reg) base, options(nomem, nostack, pure)) };
    base
}
