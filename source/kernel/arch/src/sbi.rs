//! Calls to the firmware. Source: RISC-V Supervisor Binary Interface 1.0.

use core::arch::asm;

/// Timer extension.
const TIME: u64 = 0x5449_4d45;
/// Remote fence extension.
const REMOTE_FENCE: u64 = 0x5246_4e43;
/// Hart state management extension.
const HART_STATE: u64 = 0x48_534d;
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

/// Starts a stopped hart at a physical address, with `argument` in `a1`; the firmware's error, 0 for none.
pub(crate) fn start_hart(hart: u64, address: u64, argument: u64) -> i64 {
    call(HART_STATE, 0, [hart, address, argument, 0, 0]).0
}

/// Interrupts the hart with this number; the firmware's error, 0 for none.
pub(crate) fn interrupt(hart: u64) -> i64 {
    call(IPI, 0, [1, hart, 0, 0, 0]).0
}

/// Makes instruction fetch on a hart see stores that this one made before.
pub(crate) fn remote_fence_instructions(hart: u64) {
    call(REMOTE_FENCE, 0, [1, hart, 0, 0, 0]);
}

/// Makes a hart forget cached translations: of one address space, or all of them. It has when this returns.
pub(crate) fn remote_fence(hart: u64, asid: Option<u64>) {
    match asid {
        Some(asid) => call(REMOTE_FENCE, 2, [1, hart, 0, u64::MAX, asid]),
        None => call(REMOTE_FENCE, 1, [1, hart, 0, u64::MAX, 0]),
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
