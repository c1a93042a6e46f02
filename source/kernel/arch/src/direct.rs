//! The straight way of a message: its eight words never leave their registers.
//!
//! `trap_entry` saves what the call keeps and jumps to one of these, with the words in place, the hart in `tp` and the
//! target in `gp`: no Rust code uses either. Whatever the core does not take on goes on in `undirected`.

use crate::{csr, hart::Hart, run, system};
use core::arch::asm;
use nexus_abi::syscall::ipc;
use nexus_core::{
    ipc::direct::{Passage, Until},
    thread::reg,
};

/// The hart and the target, as the trap entry left them.
#[inline(always)]
fn entered() -> (&'static Hart, u64) {
    let (hart, target): (u64, u64);
    // SAFETY: Reads two registers.
    unsafe { asm!("mv {}, tp", "mv {}, gp", out(reg) hart, out(reg) target, options(nomem, nostack, preserves_flags)) };
    // SAFETY: In the kernel `tp` is the address of this hart's `Hart`, which is static.
    (unsafe { &*(hart as *const Hart) }, target)
}

#[inline(always)]
fn never(_: &Hart) -> Option<Until> {
    None
}

#[inline(always)]
fn until(hart: &'static Hart) -> Option<Until> {
    let deadline = run::running(hart).frame.get(reg::T5);
    (deadline != u64::MAX).then(|| Until { deadline, now: csr::time() })
}

#[inline(always)]
fn call(hart: &'static Hart, target: u64, until: Option<Until>) -> Option<Passage> {
    system::installed().kernel.call_direct(run::cpu_of(hart), run::running(hart), target, until)
}

#[inline(always)]
fn reply_recv(hart: &'static Hart, target: u64, until: Option<Until>) -> Option<Passage> {
    system::installed().kernel.reply_recv_direct(run::cpu_of(hart), run::running(hart), target, until)
}

macro_rules! directed {
    ($($name:ident, $number:expr, $way:ident, $until:ident;)*) => {$(
        /// Enters from `direct_entry` with the message words as arguments; resumes the partner or goes the general way.
        #[unsafe(no_mangle)]
        extern "C" fn $name(m0: u64, m1: u64, m2: u64, m3: u64, m4: u64, m5: u64, m6: u64, m7: u64) -> ! {
            let (hart, target) = entered();
            match $way(hart, target, $until(hart)) {
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

directed! {
    call_direct, ipc::CALL, call, never;
    call_until_direct, ipc::CALL_UNTIL, call, until;
    reply_recv_direct, ipc::REPLY_RECV, reply_recv, never;
    reply_recv_until_direct, ipc::REPLY_RECV_UNTIL, reply_recv, until;
}
