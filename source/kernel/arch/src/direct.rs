//! The straight way of a message: its eight words never leave their registers.
//!
//! `trap_entry` saves what the call keeps and jumps to one of these, with the words in place, the hart in `tp` and the
//! target in `gp`: no Rust code uses either. Whatever the core does not take on goes on in `undirected`.

use crate::{csr, hart::Hart, run, system::System};
use core::arch::asm;
use nexus_abi::syscall::ipc;
use nexus_core::{
    Kernel,
    cpu::Cpu,
    ipc::direct::{Passage, Until},
    thread::{Thread, reg},
};

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
fn cpu() -> &'static Cpu {
    at_hart!(record)
}

#[inline(always)]
fn kernel() -> &'static Kernel {
    let system: &'static System = at_hart!(system);
    &system.kernel
}

/// The target of the call.
#[inline(always)]
fn target() -> u64 {
    let target: u64;
    // SAFETY: Reads a register.
    unsafe { asm!("mv {}, gp", out(reg) target, options(nomem, nostack, preserves_flags)) };
    target
}

#[inline(always)]
fn never(_: &Thread) -> Option<Until> {
    None
}

#[inline(always)]
fn until(caller: &Thread) -> Option<Until> {
    Some(Until { deadline: caller.frame.get(reg::T5), now: csr::time() })
}

#[inline(always)]
fn call(caller: &'static Thread, until: Option<Until>) -> Option<Passage> {
    kernel().call_direct(caller, target(), until)
}

#[inline(always)]
fn reply_recv(server: &'static Thread, until: Option<Until>) -> Option<Passage> {
    kernel().reply_recv_direct(cpu, server, target(), until)
}

macro_rules! directed {
    ($($name:ident, $number:expr, $way:ident, $until:ident;)*) => {$(
        /// Enters from `direct_entry` with the message words as arguments; resumes the partner or goes the general way.
        #[unsafe(no_mangle)]
        extern "C" fn $name(m0: u64, m1: u64, m2: u64, m3: u64, m4: u64, m5: u64, m6: u64, m7: u64) -> ! {
            let caller = caller();
            match $way(caller, $until(caller)) {
                // SAFETY: The core made `to` the running thread of this hart; it was blocked in a message call, so that its
                // frame has what the call keeps; its `satp` maps the kernel; float registers stay off for it.
                Some(Passage { to, badge, from }) => unsafe {
                    asm!(
                        include_str!("direct.S"),
                        in("a0") m0, in("a1") m1, in("a2") m2, in("a3") m3,
                        in("a4") m4, in("a5") m5, in("a6") m6, in("a7") m7,
                        in("t1") to, in("t2") badge, in("t3") from.service, in("t4") from.process, in("t5") from.trace,
                        in("t6") to.satp.get(),
                        options(noreturn)
                    )
                },
                // SAFETY: Nothing was changed: the words and `gp` are as they came, and the stack is left as it is.
                None => unsafe {
                    asm!(
                        "j undirected",
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

/// Enters from `trap_entry_undirected` with everything in the frame: the same decisions, with the words in memory.
#[unsafe(no_mangle)]
extern "C" fn message_undirected(hart: &'static Hart) -> ! {
    let caller = caller();
    let passage = match caller.frame.get(reg::T2) {
        ipc::CALL => call(caller, never(caller)),
        ipc::CALL_UNTIL => call(caller, until(caller)),
        ipc::REPLY_RECV => reply_recv(caller, never(caller)),
        ipc::REPLY_RECV_UNTIL => reply_recv(caller, until(caller)),
        _ => None,
    };
    let Some(passage) = passage else { run::message_taken(hart) };
    passage.deliver(caller);
    run::resume_partner(hart, passage.to)
}

directed! {
    call_direct, ipc::CALL, call, never;
    call_until_direct, ipc::CALL_UNTIL, call, until;
    reply_recv_direct, ipc::REPLY_RECV, reply_recv, never;
    reply_recv_until_direct, ipc::REPLY_RECV_UNTIL, reply_recv, until;
}
