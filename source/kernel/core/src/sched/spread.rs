//! Spreading: a ready thread goes to where it can run now, by the hand of the CPU that it is ready on.
//!
//! Only a CPU itself touches its run queue, so nobody takes a thread: an idle CPU asks for one, and the asked CPU gives.
//! A thread is moved while its CPU holds the thread's shard, and never while that CPU still has its float registers or
//! is in the middle of its system call. A CPU that leaves work in its queue invites one that does nothing.
//!
//! Happens-before: a CPU that goes idle says so ([`Cpu::level`]) and then looks at the queues; one that queues a thread
//! marks its queue and then looks at the levels. A full fence stands between in both, so one of the two sees the other.

use super::queue::ADMISSION_LIMIT;
use crate::cpu::{EXPLICIT_LIMIT, Own};
use crate::percpu::PerCpu;
use crate::prelude::*;
use core::sync::atomic::{
    Ordering::{AcqRel, Acquire, Release, SeqCst},
    fence,
};

/// Tasks that one attempt to steal moves at most.
pub const STEAL_BOUND: u32 = 1;

/// A CPU that this code need not run on.
type Other = PerCpu<Own>;

impl Cpu {
    /// True if it takes so many more runnable tasks of this class: it may have [`ADMISSION_LIMIT`] of them.
    #[must_use]
    pub(crate) fn admits(&self, class: QosClass, coming: u32) -> bool {
        self.waiting(class) + coming <= ADMISSION_LIMIT
    }

    /// Runnable tasks of a class that wait here, or are on their way.
    fn waiting(&self, class: QosClass) -> u32 {
        self.inbound[class as usize].get() + self.load.count(class)
    }

    /// Runnable tasks here, those on their way included; as seen from another CPU, about.
    #[inline(never)]
    fn busy(&self) -> u32 {
        QosClass::ALL.map(|class| self.waiting(class)).iter().sum::<u32>() + u32::from(self.level.get() != 0)
    }

    /// True if this thread may run here.
    pub(crate) fn allows(&self, thread: &Thread) -> bool {
        thread.affinity.get() >> self.id.get() & 1 != 0 && self.is_online()
    }
}

impl Kernel {
    /// The other CPUs that this thread may use.
    fn others<'a>(&'static self, cpu: Here, thread: &'a Thread) -> impl Iterator<Item = &'static Other> + use<'a> {
        self.cpus.iter().filter(move |other| other.id.get() != cpu.id.get() && other.allows(thread))
    }

    /// Where a thread starts: the CPU with the least to do among those that admit it, the present one if it is one of
    /// them. `None`: all are full.
    pub(crate) fn place(&'static self, thread: &Thread) -> Option<&'static Other> {
        let (home, class) = (thread.cpu(), thread.class());
        let stays = self.machine.stays && self.cpus.get(home as usize)?.allows(thread);
        let allowed = self.cpus.iter().filter(|cpu| cpu.allows(thread) && (!stays || cpu.id.get() == home));
        allowed.filter(|cpu| cpu.admits(class, 1)).min_by_key(|cpu| (cpu.busy(), cpu.id.get() != home))
    }

    /// The CPU that would run a ready thread now: an idle one, else the one that runs the lowest class, if that is lower.
    fn better(&'static self, cpu: Here, thread: &Thread) -> Option<&'static Other> {
        if self.machine.stays {
            return None;
        }
        fence(SeqCst);
        let best =
            self.others(cpu, thread).filter(|other| other.kicked.get() == 0).min_by_key(|other| other.level.get());
        best.filter(|other| other.level.get() <= thread.class() as u32 && other.admits(thread.class(), 1))
    }

    /// True if nothing of this ready thread is left on its CPU, which is `cpu`. The caller holds its shard.
    fn movable(&self, cpu: Here, thread: &Thread) -> bool {
        let busy = cpu.current.get() == thread.index() || cpu.entered.get() == core::ptr::from_ref(thread) as u64;
        !busy && !thread.float_loaded() && !self.dying(thread)
    }

    /// A thread was queued here: if it may not run here it is sent away by the kick that this asks for.
    pub(super) fn bar(&self, cpu: Here, thread: &Thread) {
        if !cpu.allows(thread) {
            cpu.evict.set(1);
            self.kick_cpu(cpu, &cpu);
        }
    }

    /// A thread was queued here by an event that holds its shard: it goes elsewhere if it would run there, and not here.
    pub(crate) fn spread_one(&'static self, cpu: Here, thread: &'static Thread) {
        self.bar(cpu, thread);
        let waits = cpu.current.get() != 0
            && self.threads.at(cpu.current.get()).state() == State::Running
            && cpu.level.get() > thread.class() as u32;
        if !waits || !self.movable(cpu, thread) {
            return;
        }
        if let Some(target) = self.better(cpu, thread) {
            self.hand(cpu, thread, target);
        }
    }

    /// Moves a thread from this CPU's queue to another CPU. The caller holds its shard.
    fn hand(&'static self, cpu: Here, thread: &'static Thread, target: &'static Other) {
        cpu.dequeue(&self.threads, thread);
        thread.set_cpu(target.id.get());
        cpu.counters.given.add(1);
        self.mail_wake(cpu, target, thread);
    }

    /// Takes a receiver of another CPU to this one, which calls it. The caller holds its shard.
    #[cold]
    pub(crate) fn bring(&self, cpu: Here, thread: &Thread) {
        if !self.machine.stays && cpu.allows(thread) && self.left(thread) && !self.dying(thread) {
            thread.set_cpu(cpu.id.get());
        }
    }

    /// True if a thread that waits in a message call has nothing left on its CPU. (Message calls save every register
    /// before they begin.) Acquire: what that CPU wrote to the thread it did before it took another.
    fn left(&self, thread: &Thread) -> bool {
        let home = self.cpus.get(thread.cpu() as usize);
        home.is_some_and(|home| home.current.atomic().load(Acquire) != thread.index()) && !thread.float_loaded()
    }

    fn dying(&self, thread: &Thread) -> bool {
        !self.process_of(thread).running()
    }

    /// Somebody waits in this CPU's queue: a CPU that does nothing is told to ask for it.
    #[inline(always)]
    pub(crate) fn invite(&'static self, cpu: Here) {
        if !self.machine.stays {
            self.invite_one(cpu);
        }
    }

    #[inline(never)]
    fn invite_one(&'static self, cpu: Here) {
        fence(SeqCst);
        let Some(thread) = cpu.best(&self.threads) else { return };
        if let Some(idle) = self.others(cpu, thread).find(|other| other.level.get() | other.kicked.get() == 0) {
            self.kick_cpu(cpu, idle);
        }
    }

    /// This CPU has nothing to do: it asks the one with most to do for a thread.
    pub(crate) fn seek(&'static self, cpu: Here) {
        fence(SeqCst);
        let others = self.cpus.iter().filter(|other| other.id.get() != cpu.id.get() && other.load.ready() != 0);
        if let Some(rich) = others.max_by_key(|other| other.busy()) {
            // Refused only if it went offline meanwhile: then there is nothing to have.
            let _ = self.ask_for_work(cpu, rich.id.get(), QosClass::PerfBurst, STEAL_BOUND);
        }
    }

    /// Asks another CPU for `tasks` of its ready threads, of the class `highest` or lower. `EOVERLIMIT`: more than
    /// [`STEAL_BOUND`]. `EINVAL`: not another CPU, or one that is not online.
    #[must_use = "a refused attempt moves nothing"]
    pub fn ask_for_work(&self, cpu: Here, from: u32, highest: QosClass, tasks: u32) -> Result<(), Error> {
        if tasks > STEAL_BOUND {
            return Err(Error::OverLimit);
        }
        let target = self.online(from).filter(|target| target.id.get() != cpu.id.get()).ok_or(Error::Invalid)?;
        cpu.wants.set(highest as u32);
        // Release: whoever sees the bit sees the class that goes with it.
        target.askers.atomic().fetch_or(1 << cpu.id.get(), AcqRel);
        self.kick_cpu(cpu, target);
        Ok(())
    }

    /// The online CPU with this number.
    fn online(&self, number: u32) -> Option<&'static Other> {
        self.cpus.get(number as usize).filter(|cpu| cpu.is_online())
    }

    /// The second of a time: explicit requests are limited in each.
    pub(crate) fn second(&self, now: u64) -> u64 {
        now / self.machine.timebase.max(1)
    }

    /// Interrupts another CPU so that it chooses anew. `EINVAL`: no such CPU, or it is not online. `ERATELIMITED`: too many
    /// such requests in this second. Then nothing is sent.
    #[must_use = "a refused request interrupts nobody"]
    pub fn request_resched(&self, cpu: Here, target: u32, now: u64) -> Result<(), Error> {
        let target = self.online(target).ok_or(Error::Invalid)?;
        let second = self.second(now);
        cpu.explicit.check(second, EXPLICIT_LIMIT)?;
        cpu.explicit.count(second);
        cpu.counters.requests.add(1);
        self.kick_cpu(cpu, target);
        Ok(())
    }

    /// Gives each CPU that asked one thread at most, then spreads what still waits. The machine layer has saved all
    /// float registers before the kick, of which this is a part.
    pub(crate) fn give_away(&'static self, cpu: Here) {
        let askers = cpu.askers.atomic().swap(0, AcqRel);
        if self.machine.stays {
            return;
        }
        for asker in self.cpus.iter().filter(|other| askers >> other.id.get() & 1 != 0) {
            let highest = asker.wants.get();
            let lists = QosClass::ALL.into_iter().rev().filter(|&class| class as u32 <= highest);
            let fits = |thread: &&Thread| asker.allows(thread);
            let found = lists.flat_map(|class| cpu.ready[class as usize].iter(&self.threads)).find(fits);
            if let Some(thread) = found {
                let before = cpu.counters.given.get();
                self.hand_if_movable(cpu, thread, asker);
                cpu.counters.stolen.add(cpu.counters.given.get() - before);
            }
        }
        for _ in self.cpus {
            let Some(thread) = cpu.best(&self.threads) else { return };
            let Some(target) = self.better(cpu, thread) else { return };
            self.hand_if_movable(cpu, thread, target);
        }
    }

    fn hand_if_movable(&'static self, cpu: Here, thread: &'static Thread, target: &'static Other) {
        let _held = self.shards.hold(ShardSet::of(thread.header.shard()));
        if self.movable(cpu, thread) && target.allows(thread) {
            self.hand(cpu, thread, target);
        }
    }

    /// Sees to it that a thread that does not run, and may not use its CPU any more, runs elsewhere next; false if it has to
    /// be sent away from there. The caller holds all shards.
    pub(crate) fn settled_elsewhere(&'static self, cpu: Here, thread: &'static Thread) -> bool {
        match thread.state() {
            State::Ready | State::Running => self.dying(thread),
            State::Receiving | State::Calling | State::Awaiting | State::Faulted => {
                let left = self.left(thread);
                if left {
                    let target = self.others(cpu, thread).min_by_key(|other| other.busy());
                    thread.set_cpu(target.map_or(cpu.id.get(), |target| target.id.get()));
                }
                left
            }
            // Its CPU sends it away when it becomes ready.
            _ => true,
        }
    }

    /// Asks a thread's CPU to send away what may not run there.
    pub(crate) fn send_away(&self, cpu: Here, thread: &Thread) {
        if let Some(home) = self.cpus.get(thread.cpu() as usize) {
            // Release: a kick for another reason may find the mark first, and must see the mask then.
            home.evict.atomic().store(1, Release);
            self.kick_cpu(cpu, home);
        }
    }

    /// Sends threads away that may not run here any more, the running one too.
    pub(crate) fn evict(&'static self, cpu: Here, now: u64) {
        if cpu.evict.atomic().swap(0, AcqRel) == 0 {
            return;
        }
        let current = self.threads.at(cpu.current.get());
        if cpu.current.get() != 0 && !cpu.allows(current) {
            self.rotate(cpu, End::Back, now);
        }
        for class in QosClass::ALL {
            let list = &cpu.ready[class as usize];
            while let Some(thread) = list.iter(&self.threads).find(|thread| !cpu.allows(thread) && !self.dying(thread))
            {
                let Some(target) = self.others(cpu, thread).min_by_key(|other| other.busy()) else { break };
                let _held = self.shards.hold(ShardSet::of(thread.header.shard()));
                self.hand(cpu, thread, target);
            }
        }
    }
}

#[cfg(test)]
#[path = "spread_tests.rs"]
mod tests;
