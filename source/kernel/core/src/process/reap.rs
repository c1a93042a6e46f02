//! Taking back what a dead process had, in bounded steps.
//!
//! Each CPU has a list per class of processes that it takes back; the scheduler treats them like the first ready thread
//! of that class, and the machine layer looks for interrupts between steps. A killer waits meanwhile and lends its
//! class. A process moves to another CPU's list to have the threads stopped that belong there, since only a CPU itself
//! touches its run queue.

use super::exit::DROPPED;
use crate::event::serve::blank;
use crate::prelude::*;
use nexus_abi::start::ExitKind;

/// Threads, or capabilities, that one step of reaping looks at.
const BATCH: usize = 8;

/// Stages, in order. The number is kept in [`Process::reap_stage`].
const STAGES: [fn(&'static Kernel, Here, &'static Process) -> Progress; 7] = [
    Kernel::stop_threads,
    Kernel::unmap_process_step,
    Kernel::release_threads,
    Kernel::destroy_owned,
    Kernel::empty_table,
    |kernel, _, process| kernel.fell(process.tree(), &process.account),
    Kernel::finish,
];

impl Kernel {
    /// One bounded step of taking back a dead process; the machine layer calls it while [`Kernel::next`] says so.
    pub fn reap(&'static self, cpu: Here, now: u64) {
        let held = self.shards.hold(ShardSet::ALL);
        self.take_mail(cpu);
        if let Some(class) = cpu.load.reap_class() {
            let process = self.processes.at(cpu.reaping[class as usize].get());
            let stage = process.reap_stage.get() as usize;
            if STAGES.get(stage).is_none_or(|step| step(self, cpu, process).is_ok()) {
                process.reap_stage.set(stage as u32 + 1);
                self.unqueue_reap(cpu, process);
                if stage + 1 < STAGES.len() {
                    // The first stage runs in the highest class, so that no thread of the dead process delays its own end;
                    // the rest in the class of whoever ended it.
                    process.reap_class.set(process.lent_class.get());
                    self.queue_reap(cpu, process);
                } else if process.header.capabilities.get() == 0 {
                    // The record stays while a capability names it.
                    self.bury(&self.processes.pool, Kind::Process, &process.header);
                }
            }
        }
        drop(held);
        self.settle(cpu, now);
    }

    /// Stops every thread; those of other CPUs are stopped there.
    fn stop_threads(&'static self, cpu: Here, process: &'static Process) -> Progress {
        for _ in 0..BATCH {
            let index = process.reap_cursor.get();
            if index == 0 {
                return Ok(());
            }
            let thread = self.threads.at(index);
            if thread.cpu() != cpu.id.get() {
                let home: &Cpu = self.cpus.get(thread.cpu() as usize).ok_or(More)?;
                self.unqueue_reap(cpu, process);
                home.mail.push(&process.mail, Tag::new(Kind::Process, process.index()));
                self.kick_cpu(cpu, home);
                return Err(More);
            }
            self.stop_thread(cpu, thread);
            process.reap_cursor.set(thread.header.links.next.get());
        }
        Err(More)
    }

    /// Takes a thread of this CPU off whatever it is in. Holds all shards.
    pub(crate) fn stop_thread(&'static self, cpu: Here, thread: &'static Thread) {
        match thread.state() {
            State::Dead => return,
            State::New | State::Parked => {}
            State::Ready => cpu.dequeue(&self.threads, thread),
            State::Running => cpu.current.set(0),
            _ => self.set_aside(cpu, thread),
        }
        thread.set_state(State::Dead);
        thread.renew_token();
        let link = thread.link.take();
        self.abandon_caller(cpu, link);
        if let Some(bound) = self.notifications.get(thread.bound.take()) {
            bound.bound.set(0);
        }
        let process = self.processes.at(thread.process.get() as u32);
        process.cpu_time.add(thread.cpu_time.get());
        process.switches.add(thread.switches.get());
        thread.header.die();
    }

    fn release_threads(&'static self, _: Here, process: &'static Process) -> Progress {
        for _ in 0..BATCH {
            let index = process.threads.get();
            if index == 0 {
                return Ok(());
            }
            self.release_thread(process, self.threads.at(index));
        }
        Err(More)
    }

    /// Gives a stopped thread's place and IPC frame back; no CPU translates to that frame any more.
    pub(crate) fn release_thread(&self, process: &Process, thread: &Thread) {
        self.frames.release(thread.ipc_frame.get());
        thread.ipc_frame.set(0);
        thread.header.links.leave(&process.threads, |index| &self.threads.at(index).header.links);
        process.account.refund(Resource::Frames, 1);
        process.account.refund(Resource::Threads, 1);
        thread.header.end(&self.threads.pool);
    }

    fn destroy_owned(&'static self, cpu: Here, process: &'static Process) -> Progress {
        let tag = Tag(process.owned.get());
        let Some(kind) = tag.kind() else { return Ok(()) };
        match kind {
            Kind::Process => self.bequeath(cpu, process, self.processes.at(tag.index())),
            _ => self.destroy(cpu, kind, tag.index())?,
        }
        Err(More)
    }

    /// Gives a child, with its quota unless that is back already, to the parent of the one that dies. A child of which no
    /// thread ever ran ends: nobody goes on making it, and it may hold the only handles to itself.
    fn bequeath(&'static self, cpu: Here, process: &'static Process, child: &'static Process) {
        process.account.bequeath((!child.gone()).then_some(&child.account));
        self.disown(&child.header);
        self.own(self.processes.at(process.header.owner.get()), Kind::Process, &child.header);
        if self.threads_of(child).all(|thread| thread.state() == State::New) {
            self.begin_exit(cpu, child, DROPPED, QosClass::Normal);
        }
    }

    /// One step of taking an object back, whoever still names it; of a process, only if it has no threads. Holds all shards.
    pub(crate) fn destroy(&'static self, cpu: Here, kind: Kind, index: u32) -> Progress {
        let process = self.processes.at(index);
        match kind {
            Kind::Endpoint => self.destroy_endpoint(cpu, index)?,
            Kind::Notification | Kind::WaitSet => self.destroy_notification(cpu, index)?,
            Kind::Memory | Kind::Window | Kind::DmaMemory => self.destroy_memory(cpu, index)?,
            // Its node may stay in a wheel: it finds nothing to do.
            Kind::Timer => self.bury(&self.timers.pool, kind, &self.timers.at(index).header),
            Kind::Irq => self.destroy_irq(cpu, self.irqs.at(index))?,
            Kind::Process if process.gone() => self.bury(&self.processes.pool, kind, &process.header),
            Kind::Process if process.threads.get() == 0 => self.begin_exit(cpu, process, DROPPED, QosClass::Normal),
            _ => {}
        }
        Ok(())
    }

    fn empty_table(&'static self, cpu: Here, process: &'static Process) -> Progress {
        let Some(block) = process.blocks.iter().position(|block| block.get() != 0) else { return Ok(()) };
        let first = process.blocks[block].get() * 64;
        let mut used = (first..first + 64).map(|place| self.blocks.at(place)).filter(|slot| slot.key.get() != 0);
        for slot in used.by_ref().take(BATCH) {
            self.close(cpu, slot)?;
        }
        if used.next().is_some() {
            return Err(More);
        }
        self.blocks.at(first).links.next.set(self.blocks.pool.give(process.blocks[block].take()));
        process.free_slot_count.sub(process.free_slots[block].take().count_ones());
        process.account.refund(Resource::SlotBlocks, 1);
        Err(More)
    }

    /// All is back: the quota returns, and whoever waits hears of it.
    fn finish(&'static self, cpu: Here, process: &'static Process) -> Progress {
        for _ in 0..BATCH {
            let Some(thread) = process.mourners.first(&self.threads) else { break };
            process.mourners.remove(&self.threads, thread);
            thread.waits_on.set(0);
            blank(&thread.frame);
            self.make_ready(cpu, thread);
        }
        if !process.mourners.is_empty() {
            return Err(More);
        }
        self.unclaim(process);
        cpu.requests.print();
        let parent = process.header.owner.get();
        if parent == 0 {
            cpu.requests.ask(&cpu.requests.power, crate::cpu::POWER_RESET);
        } else {
            self.processes.at(parent).account.restore(&process.account);
        }
        process.state.set(process.exit[0].get());
        self.signal(cpu, process.watch[0].take(), process.watch[1].get());
        Ok(())
    }

    /// Puts a process among those that this CPU takes back.
    pub(crate) fn queue_reap(&self, cpu: Here, process: &Process) {
        let class = class_of(process.reap_class.get());
        let head = &cpu.reaping[class as usize];
        process.reap_cpu.set(cpu.id.get());
        process.reap.join(head, process.index(), |index| &self.processes.at(index).reap);
        cpu.mark_reaping(class, head.get());
    }

    /// Takes a process off this CPU's list.
    fn unqueue_reap(&self, cpu: Here, process: &Process) {
        let class = class_of(process.reap_class.get());
        let head = &cpu.reaping[class as usize];
        process.reap.leave(head, |index| &self.processes.at(index).reap);
        cpu.mark_reaping(class, head.get());
    }

    /// Lends a killer's class to a process that is being taken back; at another CPU it counts from the next stage on.
    pub(crate) fn hurry_reap(&self, cpu: Here, process: &Process, class: QosClass) {
        if process.state.get() != ExitKind::Dying as u64 || process.lent_class.get() >= class as u32 {
            return;
        }
        process.lent_class.set(class as u32);
        let queued_here = process.reap_cpu.get() == cpu.id.get() && process.reap_stage.get() > 0;
        if queued_here {
            self.unqueue_reap(cpu, process);
            process.reap_class.set(class as u32);
            self.queue_reap(cpu, process);
        }
    }
}
