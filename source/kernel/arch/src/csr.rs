//! Control and status registers: one function each for what the kernel reads and writes.
//!
//! Source: RISC-V Privileged Architecture, chapter 10 (supervisor level), and the Sstc extension.

use core::arch::asm;

macro_rules! instructions {
    ($($(#[$doc:meta])* $function:ident($($value:ident)?) $($result:ident)? $text:literal $($option:ident)?;)*) => {$(
        $(#[$doc])*
        #[inline(always)]
        pub(crate) fn $function($($value: u64)?) $(-> instructions!(u64 $result))? {
            $(let $result;)?
            // SAFETY: every supervisor has this. The kernel runs with interrupts off whatever a register says that is
            // written here: it only decides what a sleep wakes for and what user mode sees. Fences change nothing that
            // the program sees, and the entries of traps all save and restore what `trap_entry` does.
            unsafe { asm!($text, $(in(reg) $value,)? $(out(reg) $result,)? options($($option,)? nostack)) };
            $($result)?
        }
    )*};
    (u64 $result:ident) => { u64 };
}

instructions! {
    /// Why the last trap came.
    scause() value "csrr {}, scause" nomem;
    /// The address or instruction it was about.
    stval() value "csrr {}, stval" nomem;
    /// Interrupts that are pending.
    sip() value "csrr {}, sip" nomem;
    /// Interrupts that are enabled.
    sie() value "csrr {}, sie" nomem;
    /// Status.
    sstatus() value "csrr {}, sstatus" nomem;
    /// Translation.
    satp() value "csrr {}, satp" nomem;
    /// The time.
    time() value "csrr {}, time" nomem;
    /// Instructions retired.
    instret() value "csrr {}, instret" nomem;
    /// Sets the enabled interrupts.
    set_sie(value) "csrw sie, {}";
    /// Clears pending bits.
    clear_sip(value) "csrc sip, {}";
    /// Sets status bits.
    set_sstatus_bits(value) "csrs sstatus, {}";
    /// Clears status bits.
    clear_sstatus_bits(value) "csrc sstatus, {}";
    /// Which counters user mode may read.
    set_scounteren(value) "csrw scounteren, {}";
    /// When the supervisor timer fires (Sstc).
    set_stimecmp(value) "csrw 0x14d, {}";
    /// Forgets every cached translation of this hart.
    fence_all() "sfence.vma";
    /// Forgets every cached translation of one address space on this hart.
    fence_space(asid) "sfence.vma zero, {}";
    /// Makes instruction fetch see earlier stores of this hart.
    fence_instructions() "fence.i";
    /// Sleeps until an enabled interrupt is pending. Interrupts are off, so none is taken: there is no gap between the look
    /// at the pending bits and the sleep.
    wait_for_interrupt() "wfi";
}

/// Status: float registers are off (0), initial (1), clean (2) or dirty (3).
pub(crate) const FS: u64 = 3 << 13;
/// Status: float registers are as they were loaded.
pub(crate) const FS_CLEAN: u64 = 2 << 13;
/// Status: user mode takes interrupts after `sret`.
pub(crate) const SPIE: u64 = 1 << 5;
/// Status: a trap came from supervisor mode.
pub(crate) const SPP: u64 = 1 << 8;
/// Interrupts: another hart asked.
pub(crate) const SOFTWARE: u64 = 1 << 1;
/// Interrupts: the timer.
pub(crate) const TIMER: u64 = 1 << 5;
/// The number of a device's interrupt.
pub(crate) const DEVICE: u64 = 9;
/// Interrupts: a device.
pub(crate) const EXTERNAL: u64 = 1 << DEVICE;

/// Loads a translation root.
///
/// # Safety
/// The upper half of the root must map the kernel as the present one does.
#[inline(always)]
pub(crate) unsafe fn set_satp(value: u64) {
    // SAFETY: the caller vouches that the kernel stays mapped.
    unsafe { asm!("csrw satp, {}", in(reg) value, options(nostack)) };
}

/// From now on no message of this hart goes the straight way.
pub(crate) fn enter_undirected() {
    // SAFETY: that entry saves and restores what `trap_entry` does.
    unsafe { asm!("lla {0}, trap_entry_undirected", "csrw stvec, {0}", out(reg) _, options(nostack)) };
}

/// From now on every message of this hart goes the general way.
pub(crate) fn enter_generally() {
    // SAFETY: that entry saves and restores what `trap_entry` does.
    unsafe { asm!("lla {0}, trap_entry_general", "csrw stvec, {0}", out(reg) _, options(nostack)) };
}

/// True if the supervisor timer register can be read: firmware may have left it off.
pub(crate) fn has_stimecmp() -> bool {
    let reached: u64;
    // SAFETY: for the span of one read, traps go to the end of this block instead of the kernel's entry; then the entry
    // is back. The read itself changes nothing.
    unsafe {
        asm!(
            "lla {scratch}, 2f",
            "csrrw {scratch}, stvec, {scratch}",
            "li {reached}, 0",
            "csrr zero, 0x14d",
            "li {reached}, 1",
            ".balign 4",
            "2: csrw stvec, {scratch}",
            scratch = out(reg) _,
            reached = out(reg) reached,
            options(nostack)
        );
    }
    reached != 0
}
