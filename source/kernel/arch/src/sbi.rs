//! Calls to the firmware. Source: RISC-V Supervisor Binary Interface 1.0.

use core::arch::asm;

/// Timer extension.
const TIME: u64 = 0x5449_4d45;
/// Remote fence extension.
const REMOTE_FENCE: u64 = 0x5246_4e43;
/// Inter-processor interrupt extension.
const IPI: u64 = 0x73_5049;
/// System reset extension.
const SYSTEM_RESET: u64 = 0x5352_5354;
const LEGACY_PUTCHAR: u64 = 1;

/// Calls; the firmware's error and value.
fn call(extension: u64, function: u64, arguments: [u64; 5]) -> (i64, u64) {
    let (error, value);
    // SAFETY: the firmware keeps every register but a0 and a1, and touches no memory of ours: no call here passes any.
    unsafe {
        asm!(
            "ecall",
            inout("a0") arguments[0] => error,
            inout("a1") arguments[1] => value,
            in("a2") arguments[2],
            in("a3") arguments[3],
            in("a4") arguments[4],
            in("a6") function,
            in("a7") extension,
            options(nostack)
        );
    }
    (error, value)
}

/// Prints one byte through the firmware, where it can.
pub(crate) fn put(byte: u8) {
    call(LEGACY_PUTCHAR, 0, [byte.into(), 0, 0, 0, 0]);
}

/// Sets the timer.
pub(crate) fn set_timer(when: u64) {
    call(TIME, 0, [when, 0, 0, 0, 0]);
}

/// Interrupts the hart with this number.
pub(crate) fn interrupt(hart: u64) {
    call(IPI, 0, [1, hart, 0, 0, 0]);
}

/// Makes instruction fetch on all harts see earlier stores.
pub(crate) fn remote_fence_instructions() {
    call(REMOTE_FENCE, 0, [0, u64::MAX, 0, 0, 0]);
}

/// Makes all harts forget cached translations: of one address space, or all of them.
pub(crate) fn remote_fence(asid: Option<u64>) {
    match asid {
        Some(asid) => call(REMOTE_FENCE, 2, [0, u64::MAX, 0, u64::MAX, asid]),
        None => call(REMOTE_FENCE, 1, [0, u64::MAX, 0, u64::MAX, 0]),
    };
}

/// Shuts down.
pub(crate) fn shut_down() {
    call(SYSTEM_RESET, 0, [0, 0, 0, 0, 0]);
}

/// Starts the machine again.
pub(crate) fn reset() {
    call(SYSTEM_RESET, 0, [1, 0, 0, 0, 0]);
}
