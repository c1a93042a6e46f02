//! The straight way of a message: its eight words never leave their registers.
//!
//! `trap_entry` saves what the call keeps and jumps to one of these, with the words in place, the hart in `tp` and the
//! target in `gp`: no Rust code uses either. Whatever the core does not take on goes on in `undirected`.

use crate::{csr, float, hart::Hart, system::System};
use core::arch::asm;
use nexus_abi::syscall::ipc;
use nexus_core::cpu::Own;
use nexus_core::ipc::direct::{Elsewhere, Passage};
use nexus_core::percpu::{Here, PerCpu};
use nexus_core::thread::{Thread, reg};

/// A word of this hart's [`Hart`], which is an address.
macro_rules! at_hart {
    ($field:ident) => {{
        let address: u64;
        // SAFETY: In the kernel `tp` is the address of this hart's `Hart`, which is static.
        unsafe {
            asm!(
                "ld {}, {offset}(tp)",
                out(reg) address,
                offset = const core::mem::offset_of!(Hart, $field),
                options(readonly, nostack, preserves_flags)
            );
        }
        // SAFETY: That word of a hart that was entered from a program is the address of something static of this type.
        unsafe { &*(address as *const _) }
    }};
}

/// The thread that made the call.
#[inline(always)]
fn caller() -> &'static Thread {
    at_hart!(thread)
}

/// This hart's CPU.
#[inline(always)]
fn cpu() -> Here {
    let record: &'static PerCpu<Own> = at_hart!(record);
    record.here()
}

#[inline(always)]
fn system() -> &'static System {
    at_hart!(system)
}

/// The target of the call.
#[inline(always)]
fn target() -> u64 {
    let target: u64;
    // SAFETY: Reads a register.
    unsafe { asm!("mv {}, gp", out(reg) target, options(nomem, nostack, preserves_flags)) };
    target
}

macro_rules! directed {
    ($($name:ident, $number:expr, $way:ident, else $other:literal;)*) => {$(
        /// Enters with the message words as arguments; resumes the partner, or goes another way.
        #[unsafe(no_mangle)]
        extern "C" fn $name(m0: u64, m1: u64, m2: u64, m3: u64, m4: u64, m5: u64, m6: u64, m7: u64) -> ! {
            match $way(caller(), $number) {
                // SAFETY: The core made `to` the running thread of this hart; it was blocked in a message call, so that its
                // frame has what the call keeps; its `satp` maps the kernel; float registers stay off for it.
                Ok(Passage { to, badge, from, status }) => unsafe {
                    asm!(
                        include_str!("direct.S"),
                        frame = const core::mem::offset_of!(Thread, frame),
                        in("a0") m0, in("a1") m1, in("a2") m2, in("a3") m3,
                        in("a4") m4, in("a5") m5, in("a6") m6, in("a7") m7,
                        in("t0") status, in("t1") to, in("t2") badge, in("t3") from.service, in("t4") from.process, in("t5") from.trace,
                        in("t6") to.satp.get(),
                        options(noreturn)
                    )
                },
                // SAFETY: Nothing was changed: the words and `gp` are as they came, and the stack is left as it is.
                Err(Elsewhere::Detour) => unsafe {
                    asm!(
                        concat!("j ", $other),
                        in("a0") m0, in("a1") m1, in("a2") m2, in("a3") m3,
                        in("a4") m4, in("a5") m5, in("a6") m6, in("a7") m7,
                        in("t2") $number,
                        options(noreturn)
                    )
                },
                // SAFETY: As above. Whose float registers are loaded goes straight for nobody: that is the detour's to look at.
                Err(Elsewhere::General) => unsafe {
                    asm!(
                        "ld t1, {float}(tp)",
                        "bnez t1, 1f",
                        "j undirected",
                        concat!("1: j ", $other),
                        float = const core::mem::offset_of!(Hart, float),
                        in("a0") m0, in("a1") m1, in("a2") m2, in("a3") m3,
                        in("a4") m4, in("a5") m5, in("a6") m6, in("a7") m7,
                        in("t2") $number,
                        options(noreturn)
                    )
                },
            }
        }
    )*};
}

/// The time, if a call with this number has a deadline.
#[inline(always)]
fn clock(number: u64) -> Option<fn() -> u64> {
    (number >= ipc::CALL_UNTIL).then_some(csr::time)
}

#[inline(always)]
fn call(caller: &'static Thread, number: u64) -> Result<Passage, Elsewhere> {
    system().kernel.call_direct(caller, target, clock(number))
}

#[inline(always)]
fn reply_recv(server: &'static Thread, number: u64) -> Result<Passage, Elsewhere> {
    system().kernel.reply_recv_direct(cpu, server, target(), clock(number))
}

/// The detour's entry calls this while float registers are loaded: whoever goes on may not see them.
#[unsafe(no_mangle)]
extern "C" fn release_float(hart: &'static Hart) {
    float::release(hart, system());
}

#[inline(always)]
fn call_aside(caller: &'static Thread, number: u64) -> Result<Passage, Elsewhere> {
    system().kernel.call_detour((caller, number), target(), clock(number)).ok_or(Elsewhere::General)
}

#[inline(always)]
fn reply_recv_aside(server: &'static Thread, number: u64) -> Result<Passage, Elsewhere> {
    system().kernel.reply_recv_detour(cpu, (server, number), target(), clock(number)).ok_or(Elsewhere::General)
}

/// The number of the call, as the detour's entry kept it.
#[inline(always)]
fn kept() -> u64 {
    caller().frame.get(reg::T2)
}

directed! {
    call_direct, ipc::CALL, call, else "call_elsewhere";
    call_until_direct, ipc::CALL_UNTIL, call, else "call_elsewhere";
    reply_recv_direct, ipc::REPLY_RECV, reply_recv, else "reply_recv_elsewhere";
    reply_recv_until_direct, ipc::REPLY_RECV_UNTIL, reply_recv, else "reply_recv_elsewhere";
    call_detour, kept(), call_aside, else "undirected";
    reply_recv_detour, kept(), reply_recv_aside, else "undirected";
}
