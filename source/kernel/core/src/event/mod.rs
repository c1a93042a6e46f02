//! Events: the only ways in.
//!
//! The machine layer saves the interrupted thread's registers in its frame, calls one of these, then asks
//! [`Kernel::next`] what to do.

pub mod serve;

use crate::prelude::*;
use crate::{cpu::Next, trace::What};

/// Why a system call has no answer yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Refused; nothing changed.
    Refuse(Error),
    /// A bounded step is done and more is to do: the thread makes the same call again.
    Restart,
    /// The thread is blocked or gone; whoever wakes it has written, or will write, the answer.
    Blocked,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Refuse(error)
    }
}

/// Length of the instruction that calls.
const CALL_BYTES: u64 = 4;

/// A system call's outcome.
pub type Verdict<T> = Result<T, Stop>;

/// Who asks, and when.
#[derive(Clone, Copy)]
pub struct Context {
    /// The kernel.
    pub kernel: &'static Kernel,
    /// The CPU this runs on.
    pub cpu: Here,
    /// The calling thread.
    pub thread: &'static Thread,
    /// Its process.
    process: &'static Process,
    /// The time.
    pub now: u64,
}

impl Context {
    /// Of a call that this thread makes on this CPU.
    pub(crate) fn of(kernel: &'static Kernel, cpu: Here, thread: &'static Thread, now: u64) -> Context {
        Context { kernel, cpu, thread, process: kernel.process_of(thread), now }
    }

    /// The kernel, with all shards held: for calls that change what there is.
    #[inline(always)]
    pub(crate) fn hold_all(&self) -> (&'static Kernel, Held<'static>) {
        (self.kernel, self.kernel.shards.hold(ShardSet::ALL))
    }

    /// The calling thread's process.
    pub fn process(&self) -> &'static Process {
        self.process
    }
}

/// Why a thread was stopped by the machine.
#[derive(Clone, Copy, Debug)]
pub struct Trap {
    /// The machine's cause number (`scause`).
    pub cause: u64,
    /// The address involved (`stval`).
    pub address: u64,
}

impl Kernel {
    /// The running thread made the system call with this number, which is no [`turn`](Kernel::turn); `pc` of its frame is
    /// behind it.
    #[inline(always)]
    pub fn system_call(&'static self, cpu: Here, thread: &'static Thread, number: u64, now: u64) {
        let frame = &thread.frame;
        let context = Context::of(self, cpu, thread, now);
        let outcome =
            if number <= ipc::SEND { self.message(&context, number) } else { serve::dispatch(&context, number) };
        match outcome {
            Ok(()) | Err(Stop::Blocked) => {}
            Err(Stop::Refuse(error)) => frame.refuse(error),
            Err(Stop::Restart) => frame.set(0, frame.get(0).wrapping_sub(CALL_BYTES)),
        }
        if self.is_unsettled(cpu) {
            self.decide(cpu, now);
        }
    }

    /// The alarm that [`Own::alarm`](crate::cpu::Own::alarm) asked for.
    pub fn timer(&'static self, cpu: Here, now: u64) {
        cpu.counters.timer_interrupts.add(1);
        self.trace(cpu, What::Timer, None);
        self.expire(cpu, now);
        self.end_budget(cpu, now);
        self.guard(cpu, now);
        self.end_slice(cpu, now);
        self.settle_outside(cpu, now);
    }

    /// A device raised an interrupt line.
    pub fn interrupt(&'static self, cpu: Here, line: u32, now: u64) {
        cpu.counters.device_interrupts.add(1);
        self.raise(cpu, line);
        self.settle_outside(cpu, now);
    }

    /// Another CPU left mail. It is taken even if there is none: a kick that came after its mail was taken must not
    /// leave the mark that coalesces further ones.
    pub fn kick(&'static self, cpu: Here, now: u64) {
        cpu.counters.kicks.add(1);
        self.stand_still(cpu);
        self.take_mail(cpu);
        self.evict(cpu, now);
        self.settle_outside(cpu, now);
        self.give_away(cpu);
    }

    /// The running thread was stopped by the machine at `pc` of its frame.
    pub fn fault(&'static self, cpu: Here, thread: &'static Thread, trap: Trap, now: u64) {
        self.deliver_fault(&Context::of(self, cpu, thread, now), trap);
        self.settle(cpu, now);
    }

    /// What the machine layer does now.
    pub fn next(&self, cpu: Here) -> Next {
        match cpu.current.get() {
            0 if cpu.load.reap_class().is_some() => Next::Reap,
            0 => Next::Idle,
            thread => Next::Run(thread),
        }
    }
}
