//! Registers: filled with a secret, read behind a system call, read at a thread's first instruction.

use core::arch::{asm, global_asm};
use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::syscall::{Syscall, ThreadExit, Yield};

use crate::sys::First;

const INTEGER: usize = 31;
const FLOAT: usize = 32;

/// Where the probing thread leaves its registers: `x1` to `x31`, `f0` to `f31`, and 1 when all stand there.
static PROBE: [AtomicU64; INTEGER + FLOAT + 1] = [const { AtomicU64::new(0) }; INTEGER + FLOAT + 1];

// The first instruction of a thread that proves what its registers hold. In: a1 = PROBE; no stack. Stores every register
// before it changes any, says so, ends the thread.
global_asm!(
    ".section .text._probe, \"ax\"",
    ".globl nexus_probe",
    ".option push",
    ".option arch, +d",
    "nexus_probe:",
    "sd x1, 0(a1)", "sd x2, 8(a1)", "sd x3, 16(a1)", "sd x4, 24(a1)", "sd x5, 32(a1)", "sd x6, 40(a1)",
    "sd x7, 48(a1)", "sd x8, 56(a1)", "sd x9, 64(a1)", "sd x10, 72(a1)", "sd x11, 80(a1)", "sd x12, 88(a1)",
    "sd x13, 96(a1)", "sd x14, 104(a1)", "sd x15, 112(a1)", "sd x16, 120(a1)", "sd x17, 128(a1)", "sd x18, 136(a1)",
    "sd x19, 144(a1)", "sd x20, 152(a1)", "sd x21, 160(a1)", "sd x22, 168(a1)", "sd x23, 176(a1)", "sd x24, 184(a1)",
    "sd x25, 192(a1)", "sd x26, 200(a1)", "sd x27, 208(a1)", "sd x28, 216(a1)", "sd x29, 224(a1)", "sd x30, 232(a1)",
    "sd x31, 240(a1)",
    "fsd f0, 248(a1)", "fsd f1, 256(a1)", "fsd f2, 264(a1)", "fsd f3, 272(a1)", "fsd f4, 280(a1)", "fsd f5, 288(a1)",
    "fsd f6, 296(a1)", "fsd f7, 304(a1)", "fsd f8, 312(a1)", "fsd f9, 320(a1)", "fsd f10, 328(a1)", "fsd f11, 336(a1)",
    "fsd f12, 344(a1)", "fsd f13, 352(a1)", "fsd f14, 360(a1)", "fsd f15, 368(a1)", "fsd f16, 376(a1)",
    "fsd f17, 384(a1)", "fsd f18, 392(a1)", "fsd f19, 400(a1)", "fsd f20, 408(a1)", "fsd f21, 416(a1)",
    "fsd f22, 424(a1)", "fsd f23, 432(a1)", "fsd f24, 440(a1)", "fsd f25, 448(a1)", "fsd f26, 456(a1)",
    "fsd f27, 464(a1)", "fsd f28, 472(a1)", "fsd f29, 480(a1)", "fsd f30, 488(a1)", "fsd f31, 496(a1)",
    "li t0, 1",
    "fence w, w",
    "sd t0, 504(a1)",
    "li t2, {exit}",
    "ecall",
    "unimp",
    ".option pop",
    exit = const ThreadExit::NUMBER,
);

unsafe extern "C" {
    fn nexus_probe();
}

/// Entry point and `a1` of a thread that leaves its first registers for [`first_registers`]. It needs no stack.
pub fn probe() -> (u64, u64) {
    PROBE[INTEGER + FLOAT].store(0, Ordering::Relaxed);
    (nexus_probe as *const () as usize as u64, PROBE.as_ptr().expose_provenance() as u64)
}

/// What the probing thread found; none: it has not run yet.
pub fn first_registers() -> Option<First> {
    if PROBE[INTEGER + FLOAT].load(Ordering::Acquire) == 0 {
        return None;
    }
    let all: [u64; INTEGER + FLOAT] = core::array::from_fn(|at| PROBE[at].load(Ordering::Relaxed));
    // All but sp (x2), a0 (x10) and a1 (x11).
    let mut rest = all[..INTEGER].iter().enumerate().filter(|(at, _)| !matches!(at + 1, 2 | 10 | 11));
    let integer = core::array::from_fn(|_| rest.next().map_or(0, |(_, &value)| value));
    Some(First { integer, float: core::array::from_fn(|at| all[INTEGER + at]) })
}

/// Fills every register that a C call may change, and every float register, and gives the CPU away.
pub fn fill_registers(secret: u64) {
    // SAFETY: Declares every register it changes; `Yield` takes no argument and changes no memory.
    unsafe {
        asm!(
            "fmv.d.x f0, s2", "fmv.d.x f1, s2", "fmv.d.x f2, s2", "fmv.d.x f3, s2",
            "fmv.d.x f4, s2", "fmv.d.x f5, s2", "fmv.d.x f6, s2", "fmv.d.x f7, s2",
            "fmv.d.x f8, s2", "fmv.d.x f9, s2", "fmv.d.x f10, s2", "fmv.d.x f11, s2",
            "fmv.d.x f12, s2", "fmv.d.x f13, s2", "fmv.d.x f14, s2", "fmv.d.x f15, s2",
            "fmv.d.x f16, s2", "fmv.d.x f17, s2", "fmv.d.x f18, s2", "fmv.d.x f19, s2",
            "fmv.d.x f20, s2", "fmv.d.x f21, s2", "fmv.d.x f22, s2", "fmv.d.x f23, s2",
            "fmv.d.x f24, s2", "fmv.d.x f25, s2", "fmv.d.x f26, s2", "fmv.d.x f27, s2",
            "fmv.d.x f28, s2", "fmv.d.x f29, s2", "fmv.d.x f30, s2", "fmv.d.x f31, s2",
            "mv ra, s2", "mv t0, s2", "mv t1, s2", "mv t3, s2", "mv t4, s2",
            "mv t5, s2", "mv t6, s2", "mv a0, s2", "mv a1, s2", "mv a2, s2",
            "mv a3, s2", "mv a4, s2", "mv a5, s2", "mv a6, s2", "mv a7, s2",
            "li t2, {number}",
            "ecall",
            number = const Yield::NUMBER, in("s2") secret,
            out("f8") _, out("f9") _, out("f18") _, out("f19") _, out("f20") _, out("f21") _, out("f22") _,
            out("f23") _, out("f24") _, out("f25") _, out("f26") _, out("f27") _, clobber_abi("C"),
        );
    }
}

/// What a system call without an answer leaves in `ra`, `t0`–`t6` and `a0`–`a7`, which held `before`.
pub fn registers_behind(number: u64, before: u64) -> [u64; 16] {
    let mut after = [0; 16];
    // SAFETY: Writes the sixteen words of `after` alone; the caller names a call that changes no memory.
    unsafe {
        asm!(
            "mv ra, s2", "mv t0, s2", "mv t1, s2", "mv t3, s2", "mv t4, s2",
            "mv t5, s2", "mv t6, s2", "mv a0, s2", "mv a1, s2", "mv a2, s2",
            "mv a3, s2", "mv a4, s2", "mv a5, s2", "mv a6, s2", "mv a7, s2",
            "mv t2, s3",
            "ecall",
            "sd ra, 0(s4)", "sd t0, 8(s4)", "sd t1, 16(s4)", "sd t2, 24(s4)", "sd t3, 32(s4)",
            "sd t4, 40(s4)", "sd t5, 48(s4)", "sd t6, 56(s4)", "sd a0, 64(s4)", "sd a1, 72(s4)",
            "sd a2, 80(s4)", "sd a3, 88(s4)", "sd a4, 96(s4)", "sd a5, 104(s4)", "sd a6, 112(s4)",
            "sd a7, 120(s4)",
            in("s2") before, in("s3") number, in("s4") after.as_mut_ptr(),
            clobber_abi("C"),
        );
    }
    after
}

/// Reserves a word, lets others run, and stores to it; true if the store was let through.
pub fn reserve_across(word: &AtomicU64) -> bool {
    let failed: u64;
    // SAFETY: `word` is an atomic that this process owns; the store writes back what was there. `Yield` changes no memory.
    unsafe {
        asm!(
            "lr.d s3, (s2)",
            "li t2, {number}",
            "ecall",
            "sc.d s3, s3, (s2)",
            number = const Yield::NUMBER, in("s2") word.as_ptr(), out("s3") failed, clobber_abi("C"),
        );
    }
    failed == 0
}

/// Stores without a reservation of its own; true if the store was let through.
pub fn store_unreserved(word: &AtomicU64) -> bool {
    let failed: u64;
    // SAFETY: As for `reserve_across`.
    unsafe { asm!("sc.d {0}, zero, ({1})", out(reg) failed, in(reg) word.as_ptr()) };
    failed == 0
}
