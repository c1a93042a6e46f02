//! Scheduling parameters by system call: class, affinity, shares.
//!
//! Everybody may lower its own class. Raising it, or touching another process, is for the services that the boot image
//! lists, by the kernel's record of who calls: the one exception to "authority only by capability".
//!
//! A thread that is queued stays in the list it is in until it is queued again, on its own CPU at once: nobody touches
//! another CPU's queue.

use crate::cpu::EXPLICIT_LIMIT;
use crate::prelude::*;
use nexus_abi::Limits;

/// Every weight.
const SHARES: core::ops::RangeInclusive<u32> = 1..=Limits::MAX_SHARES as u32;
/// Longest period of a budget, in ticks.
const MAX_PERIOD: u64 = 1 << 40;

impl Context {
    /// True if the boot image lists the caller among those that may raise classes.
    fn may_raise(&self) -> bool {
        let service = self.thread.service.get();
        service != 0 && self.kernel.machine.raisers.contains(&service)
    }

    /// The thread that a call is about: the caller, or one whose capability has these rights.
    fn subject_thread(&self, thread: Option<Handle>, rights: Rights) -> Result<&'static Thread, Error> {
        match thread {
            None => Ok(self.thread),
            Some(handle) => self.object(&self.kernel.threads, handle, Kind::Thread, rights),
        }
    }
}

impl Kernel {
    /// True if the runnable ones of these threads can all be in `class` on their CPUs.
    fn has_room<T: Iterator<Item = &'static Thread>>(&self, threads: impl Fn() -> T, class: QosClass) -> bool {
        let comes = |thread: &&Thread| {
            matches!(thread.state(), State::Ready | State::Running) && thread.wished_class() != class
        };
        self.cpus.iter().all(|cpu| {
            let coming = threads().filter(comes).filter(|thread| thread.cpu() == cpu.id.get()).count() as u32;
            coming == 0 || cpu.admits(class, coming)
        })
    }

    /// Gives a thread a class of its own; a higher one that a caller donates to it stays. One whose budget is spent has a
    /// lower one until it is replenished.
    pub(crate) fn set_wish(&'static self, cpu: Here, thread: &'static Thread, class: QosClass) {
        let base = match class {
            class if self.process_of(thread).budget.spent.get() == 0 => class,
            QosClass::PerfBurst => QosClass::Normal,
            _ => QosClass::Idle,
        };
        thread.wish(class, base);
        self.reclass(cpu, Some(thread));
    }
}

/// Needs `TAKE` on another thread. `EPEERCLOSED`: it is gone.
pub(crate) fn qos_get(context: &Context, call: QosGet) -> Verdict<QosGot> {
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    let thread = context.subject_thread(call.thread, Rights::TAKE)?;
    Ok(QosGot { class: thread.wished_class() })
}

impl Context {
    /// Sets a class, or changes nothing; true if that took more than the caller's own authority over itself. Holds all shards; this CPU has taken its mail.
    fn set_qos(&self, process: &'static Process, request: &QosSet) -> Result<bool, Error> {
        let class = QosClass::from_wire(request.class.into()).ok_or(Error::Invalid)?;
        let whole = request.target != 0;
        let subjects =
            || self.kernel.threads_of(process).filter(|thread| whole || thread.header.me() == self.thread.header.me());
        let own = process.index() == self.process().index();
        let beyond = !own || subjects().any(|thread| class > thread.wished_class());
        let unbounded = class == QosClass::PerfBurst && process.budget.period.get() == 0;
        if beyond && (unbounded || !self.may_raise()) {
            return Err(Error::Permission);
        }
        if !self.kernel.has_room(subjects, class) {
            return Err(Error::Again);
        }
        subjects().for_each(|thread| self.kernel.set_wish(self.cpu, thread, class));
        Ok(beyond)
    }
}

/// `EINVAL`: no such class or process. `EPERM`: raising, or another process, without being listed. `EAGAIN`: the class
/// is full on a CPU. What is refused, or takes more than the caller's own authority, is audited.
pub(crate) fn qos_set(context: &Context, call: QosSet) -> Verdict<QosWasSet> {
    let (kernel, _held) = context.hold_all();
    kernel.take_mail(context.cpu);
    let process = if call.target == 0 {
        Some(context.process())
    } else {
        kernel.living(call.target).filter(|process| process.running())
    };
    let target = process.map_or(call.target, Process::index);
    let subject = process.and_then(|process| kernel.threads_of(process).next());
    let from = if call.target == 0 { Some(context.thread) } else { subject }.map(Thread::wished_class);
    let set = process.ok_or(Error::Invalid).and_then(|process| context.set_qos(process, &call));
    if set != Ok(false) {
        context.audit_qos(target, from, call.class, set.map(|_| ()));
    }
    Ok(set.map(|_| QosWasSet {})?)
}

/// Needs `MANAGE` on another thread. CPUs that are not online are left out; `EINVAL`: none is left. `EAGAIN`: the class is
/// full on those. `ERATELIMITED`: too many changes on this CPU in this second. A thread that can run runs on one of them when
/// this is answered; one that waits does when it is woken.
pub(crate) fn affinity_set(context: &Context, call: AffinitySet) -> Verdict<AffinityWasSet> {
    let (kernel, _held) = context.hold_all();
    let thread = context.subject_thread(call.thread, Rights::MANAGE)?;
    let online = kernel.cpus.iter().filter(|cpu| cpu.is_online()).map(|cpu| 1 << cpu.id.get());
    let limit = if context.may_raise() { u64::MAX } else { context.kernel.process_of(thread).affinity.get().into() };
    let mask = call.mask & limit & online.sum::<u64>();
    if mask == 0 {
        return Err(Error::Invalid.into());
    }
    let (before, second) = (thread.affinity.get(), kernel.second(context.now));
    let changes = mask as u32 != before;
    if changes {
        context.cpu.explicit.check(second, EXPLICIT_LIMIT)?;
    }
    thread.affinity.set(mask as u32);
    let stays = mask >> thread.cpu() & 1 != 0 || kernel.settled_elsewhere(context.cpu, thread);
    if !stays && kernel.place(thread).is_none() {
        thread.affinity.set(before);
        return Err(Error::Again.into());
    }
    if changes {
        context.cpu.explicit.count(second);
    }
    if stays {
        return Ok(AffinityWasSet { mask });
    }
    if thread.state().blocked() {
        // Nothing is left of it on its CPU after the kick; a message that comes before finds it there.
        thread.affinity.set(before);
    }
    kernel.send_away(context.cpu, thread);
    Err(Stop::Restart)
}

/// Needs `MANAGE` on another thread. `EINVAL`: not in 1..=1000. `EPERM`: more than its
/// process may, without being listed.
pub(crate) fn shares_set(context: &Context, call: SharesSet) -> Verdict<SharesWereSet> {
    if !SHARES.contains(&call.shares) {
        return Err(Error::Invalid.into());
    }
    let _held = context.kernel.shards.hold(ShardSet::ALL);
    let thread = context.subject_thread(call.thread, Rights::MANAGE)?;
    if call.shares > context.kernel.process_of(thread).most_shares.get() && !context.may_raise() {
        return Err(Error::Permission.into());
    }
    thread.shares.set(call.shares);
    Ok(SharesWereSet {})
}

/// Needs `MANAGE`. `EINVAL`: shares not in 1..=1000, no CPU, a period below a millisecond, or no part of it. `EPERM`: more
/// than the table says without being listed.
pub(crate) fn limits_set(context: &Context, call: LimitsSet) -> Verdict<LimitsWereSet> {
    let (kernel, _held) = context.hold_all();
    let process = context.subject(Some(call.process), Rights::MANAGE)?;
    let mask = call.mask & ((1 << kernel.cpus.len()) - 1);
    let part = call.budget > 0 && call.budget < call.period && call.period >= kernel.machine.timebase / 1000;
    let timed = part || call.budget | call.period == 0;
    if !SHARES.contains(&call.shares) || mask == 0 || !timed || call.period > MAX_PERIOD {
        return Err(Error::Invalid.into());
    }
    let wider = call.shares > process.most_shares.get() || mask & !u64::from(process.affinity.get()) != 0;
    if (wider || process.budget.period.get() != 0) && !context.may_raise() {
        return Err(Error::Permission.into());
    }
    process.shares.set(call.shares);
    process.most_shares.set(call.shares);
    process.affinity.set(mask as u32);
    process.budget.set(call.budget, call.period, context.now);
    kernel.spend(context.cpu, process);
    for thread in kernel.threads_of(process) {
        thread.set_timed(call.budget);
        thread.shares.set(call.shares);
        kernel.say_changed(context.cpu, thread);
    }
    Ok(LimitsWereSet {})
}
