//! A system call by the shortest way that takes it, where registers stand in the frame: on hosts.
//!
//! The machine layer does the same with registers in place (`arch/src/direct.rs`), which this must agree with.

use crate::ipc::direct::{Elsewhere, Passage};
use crate::thread::{Thread, reg};
use crate::{Kernel, percpu::Here};
use nexus_abi::syscall::ipc;

/// A way of a system call, the shortest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd)]
pub enum Way {
    /// [`crate::ipc::direct`].
    Straight,
    /// [`crate::ipc::detour`].
    Detour,
    /// [`crate::sched::turn`], for what is no message.
    Turn,
    /// All else.
    General,
}

impl Kernel {
    /// The system call of the running thread, by no shorter way than `first`; the one it took.
    pub fn call_by(&'static self, cpu: Here, thread: &'static Thread, (first, now): (Way, u64)) -> Way {
        let frame = &thread.frame;
        frame.set(0, frame.get(0).wrapping_add(4));
        // Where mail waits a kick is under way, which the machine layer would take before.
        let calm = cpu.mail.is_empty();
        let tries = |way: Way| calm && way >= first;
        let detour = || self.detour(cpu, thread, now).map(|passage| (Way::Detour, passage));
        let straight = if tries(Way::Straight) { self.straight(cpu, thread, now) } else { Err(Elsewhere::Detour) };
        let passed = match straight {
            Ok(passage) => Some((Way::Straight, passage)),
            Err(Elsewhere::Detour) => tries(Way::Detour).then(detour).flatten(),
            Err(Elsewhere::General) => {
                debug_assert!(detour().is_none(), "the detour takes nothing that the straight way gave up for good");
                None
            }
        };
        match passed {
            Some((way, Passage { to, badge, from, status })) => {
                to.frame.copy_message(frame);
                to.frame.set_status(status, badge, from);
                cpu.current.set(to.index());
                way
            }
            None if first < Way::General && self.turn(cpu, thread, frame.get(reg::T2), now) => Way::Turn,
            None => {
                self.system_call(cpu, thread, frame.get(reg::T2), now);
                Way::General
            }
        }
    }

    /// A device raised a line while a thread ran, or nobody: by no shorter way than `first`; the one it took.
    pub fn interrupted(&'static self, cpu: Here, line: u32, (first, now): (Way, u64)) -> Way {
        let current = cpu.current.get();
        let short = first < Way::General && current != 0;
        if short && self.interrupt_direct(cpu, self.threads.at(current), line, now).is_some() {
            return Way::Turn;
        }
        self.interrupt(cpu, line, now);
        Way::General
    }

    fn straight(&'static self, cpu: Here, thread: &'static Thread, now: u64) -> Result<Passage, Elsewhere> {
        let (target, clock) = (thread.frame.get(reg::T3), clock(thread, now));
        match thread.frame.get(reg::T2) {
            ipc::CALL | ipc::CALL_UNTIL => self.call_direct(thread, || target, clock),
            ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL => self.reply_recv_direct(|| cpu, thread, target, clock),
            _ => Err(Elsewhere::Detour),
        }
    }

    fn detour(&'static self, cpu: Here, thread: &'static Thread, now: u64) -> Option<Passage> {
        let (number, target, clock) = (thread.frame.get(reg::T2), thread.frame.get(reg::T3), clock(thread, now));
        match number {
            ipc::CALL | ipc::CALL_UNTIL | ipc::CALL_EXTENDED => self.call_detour((thread, number), target, clock),
            ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL | ipc::REPLY_RECV_EXTENDED => {
                self.reply_recv_detour(|| cpu, (thread, number), target, clock)
            }
            _ => None,
        }
    }
}

/// The time, of a call with a deadline.
fn clock(thread: &Thread, now: u64) -> Option<impl Fn() -> u64> {
    (thread.frame.get(reg::T2) >= ipc::CALL_UNTIL).then_some(move || now)
}
