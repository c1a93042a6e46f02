//! System calls: one `ecall` for each register shape.
//!
//! In: `t2` number, `t3` target, `a0`–`a7` words; message calls also `t5` deadline and `t6` extent. Out: `t0` status,
//! `t2` badge, `t3` service id, `t4` process id, `t5` trace id, `a0`–`a7` words. The kernel keeps `pc sp gp tp s0`–`s11`
//! and may clobber whatever a C call may.

use core::arch::asm;

use nexus_abi::message::Status;

use crate::sys::{Arrival, Departure};

/// A typed call: number, target and words in; status and words out.
#[inline(always)]
pub(crate) fn leaf(number: u64, target: u64, words: [u64; 8]) -> (Status, [u64; 8]) {
    let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5, mut a6, mut a7] = words;
    let status: u64;
    // SAFETY: The kernel changes no memory of this program but the IPC page, to which no reference exists, and ranges
    // that a map, unmap or protect call names; those calls are made by `memory` and `heap`, which own their ranges.
    unsafe {
        asm!(
            "ecall",
            inlateout("t2") number => _, inlateout("t3") target => _, lateout("t0") status,
            inlateout("a0") a0, inlateout("a1") a1, inlateout("a2") a2, inlateout("a3") a3,
            inlateout("a4") a4, inlateout("a5") a5, inlateout("a6") a6, inlateout("a7") a7,
            clobber_abi("C"), options(nostack)
        );
    }
    (Status(status), [a0, a1, a2, a3, a4, a5, a6, a7])
}

/// A message call.
#[inline(always)]
pub fn message(out: &Departure) -> Arrival {
    let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5, mut a6, mut a7] = out.words;
    let (status, badge, service, process, trace): (u64, u64, u64, u64, u64);
    // SAFETY: As for `leaf`; message calls change no memory but the IPC page.
    unsafe {
        asm!(
            "ecall",
            inlateout("t2") out.number => badge, inlateout("t3") out.target => service,
            inlateout("t5") out.deadline => trace, inlateout("t6") out.extent => _,
            lateout("t0") status, lateout("t4") process,
            inlateout("a0") a0, inlateout("a1") a1, inlateout("a2") a2, inlateout("a3") a3,
            inlateout("a4") a4, inlateout("a5") a5, inlateout("a6") a6, inlateout("a7") a7,
            clobber_abi("C"), options(nostack)
        );
    }
    Arrival { status: Status(status), words: [a0, a1, a2, a3, a4, a5, a6, a7], badge, service, process, trace }
}

/// The `time` counter.
#[inline]
pub(crate) fn time() -> u64 {
    let now: u64;
    // SAFETY: Reads a counter that the kernel lets programs read.
    unsafe { asm!("rdtime {}", out(reg) now, options(nomem, nostack)) };
    now
}
