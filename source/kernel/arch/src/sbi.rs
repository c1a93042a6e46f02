//! Calls to the firmware: extension, function, arguments. Each returns the error, 0 for none.
//!
//! Source: RISC-V Supervisor Binary Interface 1.0.

use core::arch::asm;

macro_rules! calls {
    ($($(#[$doc:meta])* $name:ident($($argument:ident),*) $extension:literal $function:literal $values:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) fn $name($($argument: u64),*) -> i64 {
            call($extension, $function, $values)
        }
    )*};
}

calls! {
    /// Prints one byte through the firmware, where it can.
    put(byte) 1 0 [byte, 0, 0, 0, 0];
    /// Sets the timer.
    set_timer(when) 0x5449_4d45 0 [when, 0, 0, 0, 0];
    /// Starts a stopped hart at a physical address, with `argument` in `a1`.
    start_hart(hart, address, argument) 0x48_534d 0 [hart, address, argument, 0, 0];
    /// Interrupts the hart with this number.
    interrupt(hart) 0x73_5049 0 [1, hart, 0, 0, 0];
    /// Makes instruction fetch on a hart see stores that this one made before.
    fence_instructions(hart) 0x5246_4e43 0 [1, hart, 0, 0, 0];
    /// Makes a hart forget all cached translations. It has when this returns.
    fence_all(hart) 0x5246_4e43 1 [1, hart, 0, u64::MAX, 0];
    /// The same of one address space.
    fence_space(hart, asid) 0x5246_4e43 2 [1, hart, 0, u64::MAX, asid];
    /// Shuts down.
    shut_down() 0x5352_5354 0 [0, 0, 0, 0, 0];
    /// Starts the machine again.
    reset() 0x5352_5354 0 [1, 0, 0, 0, 0];
}

/// Calls; the firmware's error, 0 for none.
fn call(extension: u64, function: u64, arguments: [u64; 5]) -> i64 {
    let error;
    // SAFETY: the firmware keeps every register but a0 and a1, and touches no memory of ours: no call here passes any.
    unsafe {
        asm!(
            "ecall",
            inout("a0") arguments[0] => error,
            inout("a1") arguments[1] => _,
            in("a2") arguments[2],
            in("a3") arguments[3],
            in("a4") arguments[4],
            in("a6") function,
            in("a7") extension,
            options(nostack)
        );
    }
    error
}
