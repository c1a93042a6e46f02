//! Wake: making a thread ready, on its own CPU, from any CPU.
//!
//! A CPU's run queue is touched by that CPU alone. Others put the thread into its mailbox, and kick the CPU once until it
//! has looked.
//!
//! Happens-before: [`crate::percpu::Mailbox`] carries what the sender wrote to the thread. The owner clears `kicked` before it takes the mail, so mail pushed after that take brings a new kick: none is slept over.

use crate::prelude::*;
use crate::trace::What;
use core::sync::atomic::Ordering::{AcqRel, Relaxed};

impl Kernel {
    /// Makes a blocked or new thread ready. The caller has taken it out of its list and holds its shard.
    pub(crate) fn make_ready(&'static self, cpu: Here, thread: &'static Thread) {
        debug_assert!(self.shards.held(thread.header.shard()), "woken from outside its shard");
        thread.set_state(State::Ready);
        self.trace(cpu, What::Wake, Some(thread));
        if thread.cpu() == cpu.id.get() {
            cpu.enqueue(&self.threads, thread, Self::end_of_woken(cpu, thread));
            if self.cpus.len() > 1 {
                self.spread_one(cpu, thread);
            }
        } else if let Some(target) = self.cpus.get(thread.cpu() as usize) {
            self.mail_wake(cpu, target, thread);
        }
    }

    /// Sends a ready thread to the CPU that it uses. The caller holds its shard.
    pub(crate) fn mail_wake(&self, cpu: Here, target: &Cpu, thread: &Thread) {
        thread.queued_class.set(thread.class() as u32);
        target.inbound[thread.class() as usize].atomic().fetch_add(1, Relaxed);
        target.mail.push(&thread.mail, Tag::new(Kind::Thread, thread.index()));
        self.kick_cpu(cpu, target);
    }

    /// Interrupts a CPU, unless it already is being interrupted: it takes its mail and chooses anew.
    #[inline(never)]
    pub(crate) fn kick_cpu(&self, cpu: Here, target: &Cpu) {
        if target.kicked.atomic().swap(1, AcqRel) == 0 {
            let kicks = &cpu.requests.kicks;
            cpu.requests.ask(kicks, kicks.get() | 1 << target.id.get());
        }
    }

    /// Takes this CPU's mail.
    pub(crate) fn take_mail(&'static self, cpu: Here) {
        cpu.kicked.atomic().swap(0, AcqRel);
        let mut mail = cpu.take_mail();
        while mail.0 != 0 {
            let index = mail.index();
            if mail.kind() == Some(Kind::Process) {
                let process = self.processes.at(index);
                mail = Tag(process.mail.take());
                self.queue_reap(cpu, process);
                continue;
            }
            let thread = self.threads.at(index);
            mail = Tag(thread.mail.take());
            cpu.inbound[thread.queued_class.get() as usize & 3].atomic().fetch_sub(1, Relaxed);
            if thread.state() == State::Ready {
                cpu.enqueue(&self.threads, thread, Self::end_of_woken(cpu, thread));
                self.bar(cpu, thread);
            }
        }
    }
}
