//! The thread's IPC page.
//!
//! `tp` holds its address from the thread's first instruction on. It is only ever copied to and from, never borrowed:
//! the kernel writes it during message calls.

use core::arch::asm;
use core::ptr::{copy_nonoverlapping, with_exposed_provenance_mut};

use nexus_abi::layout::PAGE_SIZE;

fn base() -> usize {
    let base: usize;
    // SAFETY: Reads a register.
    unsafe { asm!("mv {}, tp", out(reg) base, options(nomem, nostack, pure)) };
    base
}

/// Copies `bytes` into the page at `at`. The caller keeps them inside the page.
pub fn write_page(at: usize, bytes: &[u8]) {
    assert!(at <= PAGE_SIZE && bytes.len() <= PAGE_SIZE - at, "a write stays inside the IPC page");
    let to = with_exposed_provenance_mut::<u8>(base() + at);
    // SAFETY: The kernel mapped the page for this thread's life, the range is inside it, and no reference to it exists.
    unsafe { copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
}

/// Copies from the page at `at` into `bytes`. The caller keeps the range inside the page.
pub fn read_page(at: usize, bytes: &mut [u8]) {
    assert!(at <= PAGE_SIZE && bytes.len() <= PAGE_SIZE - at, "a read stays inside the IPC page");
    let from = with_exposed_provenance_mut::<u8>(base() + at);
    // SAFETY: As for `write_page`.
    unsafe { copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
}
