//! One CPU: its run queues, its clock, and what it asks of the machine layer.

use crate::percpu::{Mailbox, PerCpu};
use crate::prelude::*;
use crate::{list::ThreadList, sched::queue::Load, time::wheel::Wheel};
use core::{ops::Deref, sync::atomic::Ordering::Acquire};

/// Most CPUs this kernel runs on.
pub const MAX_CPUS: usize = 8;

/// In [`Cpu::online`]: it has not come yet.
pub const OFFLINE: u32 = 0;
/// In [`Cpu::online`]: it takes part.
pub const ONLINE: u32 = 1;
/// In [`Cpu::online`]: it was waited for in vain, and does not take part any more.
pub const GIVEN_UP: u32 = 2;

/// What the machine layer does after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Resume this thread (index in the arena).
    Run(u32),
    /// Call [`crate::Kernel::reap`]: a dead process is being taken back. Look for interrupts between calls.
    Reap,
    /// Nothing to do: sleep until an interrupt.
    Idle,
}

/// What a CPU keeps for itself, and what others see of it. Only [`Here`] leads to it.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Own {
    /// The lowest class that may run on here without a look at who else is ready or being taken back, and without a slice
    /// that begins; higher once there is something to look at. Never lower after an event than it has to be.
    pub floor: Half,
    /// 1 while a slice that is over goes on because a server is at work for whose it was.
    pub overtime: Half,
    /// 1 while an event is handled that the running thread did not cause.
    pub outside: Half,
    /// 0: no events are recorded; else see [`crate::trace`].
    pub traced: Half,
    /// For whom this CPU works: the thread at the start of the chain of calls that the running one serves; 0: nobody.
    pub payer: Half,
    /// The class that the guard's slice is for, and 1 + the class in which it runs.
    pub guarded: [Half; 2],
    /// The lowest class for which this CPU worked since the guard began to watch.
    pub served: Half,
    /// 1 while the guard's slice runs.
    pub lifted: Half,
    /// Processes being taken back here, by class.
    pub reaping: [Half; nexus_abi::QosClass::COUNT],
    /// Ready threads, by class.
    pub ready: [ThreadList; nexus_abi::QosClass::COUNT],
    /// When the slice ends that the running thread, or whoever it works for, was given; `u64::MAX`: nobody waited so far.
    pub slice_end: Word,
    /// When that one's budget ends; `u64::MAX`: never.
    pub budget_end: Word,
    /// When lower classes that wait get a slice; `u64::MAX`: none does.
    pub guard_at: Word,
    /// Ticks that are left of the guard's slice; 0: there is none.
    pub guard_left: Word,
    /// Requests to the machine layer.
    pub requests: Requests,
    /// What others see.
    pub seen: Cpu,
    /// Explicit requests that it made lately.
    pub explicit: Rate,
    /// Handles of the messages in transfer, as read from their senders' IPC pages: an answer's and a call's.
    pub cargo: [Cargo; 2],
}

impl Own {
    /// When the machine layer must interrupt next; `u64::MAX`: never.
    pub fn alarm(&self) -> u64 {
        self.wheel.next.get().min(self.slice_end.get()).min(self.guard_at.get()).min(self.budget_end.get())
    }

    /// Asks that no CPU uses an old translation of this address space when the event is over.
    pub(crate) fn ask_fence(&self, asid: u32) {
        let wanted = 1 + u64::from(asid);
        let all = self.fence.get() != 0 && self.fence.get() != wanted;
        self.fence.set(if all { u64::MAX } else { wanted });
        self.requests.print();
    }
}

impl Deref for Own {
    type Target = Cpu;

    fn deref(&self) -> &Cpu {
        &self.seen
    }
}

/// A CPU as any CPU sees it. Only that CPU writes it, except where a field says otherwise; of a [`PerCpu`] others see a part.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Cpu {
    /// Its number, dense from 0.
    pub id: Half,
    /// [`OFFLINE`], [`ONLINE`] or [`GIVEN_UP`]. Leaves [`OFFLINE`] once, by compare-and-swap (release); read by others
    /// without a lock. Only a CPU that is online is given threads. The kernel's own tests give up one that does not answer.
    pub online: Half,
    /// The running thread, 0 if none; after a direct hand-over, only from the next entry on. Read by others under the shard of a thread that waits, to learn whether this CPU
    /// is through with it (stored with release when the scheduler chooses).
    pub current: Half,
    /// What runs here: 0 for nothing, else 1 + class, about: donated classes may be higher. Read by others as a hint.
    pub level: Half,
    /// 1 while a kick is under way: more are coalesced. Set by senders, cleared by this CPU before it takes its mail.
    pub kicked: Half,
    /// 1 if a class or a limit of a thread that uses this CPU was changed. Set by any CPU (release) before its kick, taken by
    /// this one (acquire), which sees the class with it.
    pub changed: Half,
    /// Mail: threads to make ready, and processes to take back. Pushed by any CPU (release), taken whole by this one
    /// (acquire).
    pub mail: Mailbox,
    /// How much waits here.
    pub load: Load,
    /// Threads in the mailbox, by the class they were sent under. Changed atomically by senders and this CPU.
    pub inbound: [Half; nexus_abi::QosClass::COUNT],
    /// CPUs that ask for one of this CPU's threads, one bit each. Set by them (release), taken by this one (acquire).
    pub askers: Half,
    /// The highest class that this CPU asks for. Read by the CPU that it asks.
    pub wants: Half,
    /// 1 if a thread that uses this CPU may not do so any more. Set by any CPU (release) before its kick, taken by this one
    /// (acquire), which sees the mask with it.
    pub evict: Half,
    /// The machine's number for it.
    pub hart: Word,
    /// Address of the thread whose registers the machine layer may still hold, as it says before each kick.
    pub entered: Word,
    /// What the translation register holds, as far as this CPU said: always right in the general kernel, and stored
    /// (release) once a space was left. A direct hand-over does not say; the next entry does. Read by who takes an
    /// address space back, and kicks whom it finds there.
    pub space: Word,
    /// When the running thread, or idleness, began; time up to here is accounted. Read by others for listings.
    pub since: Word,
    /// Of its requests: 1 + ASID whose translations must go from every CPU; `u64::MAX`: all of them; 0: none. Read by who
    /// gives back what was unmapped (acquire), taken back behind the fence (release).
    pub fence: Word,
    /// Counters for listings.
    pub counters: Counters,
    /// Deadlines and timers. It has its own lock, since others take entries out.
    pub wheel: Wheel,
}

/// Explicit requests to choose anew, and changes of affinity, that one CPU makes in a second at most.
pub const EXPLICIT_LIMIT: u32 = 1000;

/// How often something was done in which second.
#[derive(Debug, Default)]
pub struct Rate {
    second: Word,
    done: Half,
}

impl Rate {
    /// `ERATELIMITED`: it was done this often in this second.
    pub(crate) fn check(&self, second: u64, limit: u32) -> Result<(), Error> {
        if self.second.get() != second || self.done.get() < limit { Ok(()) } else { Err(Error::RateLimited) }
    }

    /// It was done once more.
    pub(crate) fn count(&self, second: u64) {
        self.done.set(1 + if self.second.get() == second { self.done.get() } else { 0 });
        self.second.set(second);
    }
}

/// Handles of one message.
pub type Cargo = [Word; nexus_abi::message::MAX_HANDLES];

/// There is a fence to make, or the console ring has news.
const COMMON: u32 = 1;
/// There is something else to do.
pub const RARE: u32 = 2;

/// In [`Requests::power`].
pub const POWER_OFF: u32 = 1;
/// In [`Requests::power`].
pub const POWER_RESET: u32 = 2;

/// What a CPU wants the machine layer to do before it resumes anything. `pending` says whether there is anything at all.
#[derive(Debug, Default)]
pub struct Requests {
    /// 0 if there is nothing to do; the console ring may have news too. [`RARE`] is more than that and a fence.
    pub pending: Half,
    /// CPUs to interrupt, one bit each.
    pub kicks: Half,
    /// 1 if instruction fetch must see fresh stores on every CPU.
    pub fence_instructions: Half,
    /// 1 + interrupt line to complete and unmask; 0: none.
    pub acknowledge: Half,
    /// 1 + interrupt line to mask; 0: none.
    pub mask: Half,
    /// [`POWER_OFF`] with `status`, [`POWER_RESET`], or 0.
    pub power: Half,
    /// Exit status.
    pub status: Half,
}

impl Requests {
    /// Asks for one of the others.
    pub(crate) fn ask(&self, request: &Half, value: u32) {
        request.set(value);
        self.pending.set(RARE);
    }

    /// Says that the console ring has news, or nobody drives the console any more.
    pub(crate) fn print(&self) {
        self.pending.set(self.pending.get() | COMMON);
    }
}

/// Counters of a CPU. Written by it, read by anybody.
#[derive(Debug, Default)]
pub struct Counters {
    /// Ticks in threads.
    pub busy: Word,
    /// Ticks asleep.
    pub idle: Word,
    /// Switches to another thread.
    pub switches: Word,
    /// Timer interrupts.
    pub timer_interrupts: Word,
    /// Device interrupts.
    pub device_interrupts: Word,
    /// Kicks whose mail was taken: the acknowledgements.
    pub kicks: Word,
    /// Requests to choose anew, of another CPU, that were accepted here.
    pub requests: Word,
    /// Interrupts sent to other CPUs. Counted by the machine layer.
    pub sent: Word,
    /// Interrupts of other CPUs that were taken here. Counted by the machine layer.
    pub trapped: Word,
    /// Threads given to other CPUs.
    pub given: Word,
    /// Those of them that went to a CPU which asked.
    pub stolen: Word,
    /// Distinct threads that ran here.
    pub tasks: Word,
    /// Threads that began to run here outside their mask.
    pub outside: Word,
    /// Slices of the starvation guard.
    pub guarded: Word,
    /// Threads set aside until their budget is replenished.
    pub parked: Word,
    /// Classes changed by donation.
    pub lifted: Word,
}

/// Which CPU this is, for who was not told. `hint`: what the thread pointer says; `stack`: whose stack the stack pointer is
/// in. A hint counts only where that CPU takes part. While no CPU but the first was started it is the first. `None`: the
/// caller must not go on.
pub fn whereabouts(cpus: &[PerCpu<Own>], hint: Option<usize>, stack: Option<usize>) -> Option<usize> {
    let alone = cpus.iter().skip(1).all(|cpu| cpu.online.atomic().load(Acquire) == OFFLINE);
    let known = |at: &usize| cpus.get(*at).is_some_and(|cpu| cpu.is_online());
    hint.filter(known).or(stack.filter(known)).or(alone.then_some(0))
}

impl Cpu {
    /// True if it takes part.
    pub fn is_online(&self) -> bool {
        self.online.atomic().load(Acquire) == ONLINE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn however_many_spaces_an_event_changes_it_asks_for_one_fence() {
        let cpu = Own::default();
        [7, 7, 7].into_iter().for_each(|space| cpu.ask_fence(space));
        let one = cpu.fence.get();

        (1..=300).for_each(|space| cpu.ask_fence(space));

        assert_eq!((one, cpu.fence.get()), (8, u64::MAX), "that of the one space, or that of all");
    }
}
