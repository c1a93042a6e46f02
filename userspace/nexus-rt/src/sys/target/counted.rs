//! System calls, loads and stores with the instruction counter read directly before them, and after.

use core::arch::asm;

use nexus_abi::message::Status;

use crate::sys::{Arrival, Counted, Departure};

/// A system call, typed or message, and the `instret` counter on both sides of its `ecall`.
#[inline(always)]
pub fn counted(out: &Departure) -> Counted {
    let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5, mut a6, mut a7] = out.words;
    let (before, after): (u64, u64);
    let (status, badge, service, process, trace): (u64, u64, u64, u64, u64);
    // SAFETY: As for `call::leaf`: the kernel changes no memory of this program but the IPC page and ranges that a map,
    // unmap or protect call names, which the caller owns. The counter is readable in user mode.
    unsafe {
        asm!(
            "rdinstret s2", "ecall", "rdinstret s3",
            out("s2") before, out("s3") after,
            inlateout("t2") out.number => badge, inlateout("t3") out.target => service,
            inlateout("t5") out.deadline => trace, inlateout("t6") out.extent => _,
            lateout("t0") status, lateout("t4") process,
            inlateout("a0") a0, inlateout("a1") a1, inlateout("a2") a2, inlateout("a3") a3,
            inlateout("a4") a4, inlateout("a5") a5, inlateout("a6") a6, inlateout("a7") a7,
            clobber_abi("C"), options(nostack)
        );
    }
    let words = [a0, a1, a2, a3, a4, a5, a6, a7];
    Counted { before, after, arrival: Arrival { status: Status(status), words, badge, service, process, trace } }
}

/// The `instret` counter.
#[inline(always)]
pub fn retired() -> u64 {
    let count: u64;
    // SAFETY: Reads a counter that the kernel lets programs read. Not `nomem`: what is counted stays between two of them.
    unsafe { asm!("rdinstret {}", out(reg) count, options(nostack)) };
    count
}

/// Loads a word, with the counter read directly before: for a load that somebody else's fault handler mends. Answers the
/// reading. Nobody mends it: the process ends with the fault.
pub fn counted_load(address: u64) -> u64 {
    let before: u64;
    // SAFETY: Loads, and nobody takes what it loads.
    unsafe {
        asm!("rdinstret {0}", "ld {1}, 0({1})", out(reg) before, inout(reg) address => _, options(nostack));
    }
    before
}

/// Stores a word of 32 bits, with the counter read directly before: for a store that a device answers with an interrupt.
/// Answers the reading. Sound as [`crate::sys::poke`] is: for device registers that the caller has mapped.
pub fn counted_store(address: u64, value: u32) -> u64 {
    let before: u64;
    // SAFETY: See above: no reference covers a device's registers.
    unsafe {
        asm!(
            "rdinstret {0}", "sw {1}, 0({2})",
            out(reg) before, in(reg) value, in(reg) address, options(nostack)
        );
    }
    before
}

/// Changes a float register: from here to its next switch the thread has some that must be kept.
pub fn use_float() {
    // SAFETY: The register is declared changed.
    unsafe { asm!("fmv.d.x f0, zero", out("f0") _, options(nomem, nostack)) };
}
