//! What happened lately on each CPU, a word an event in a ring a CPU, for a picture of it.
//!
//! Off, as it is unless the boot arguments say `trace`, a trace point is a load and a branch. On, messages take the general
//! way, since the straight one has no trace points. The rings stay where a line at boot says, and a debugger reads them from
//! a machine that stands still: there is no call for it, and no right that somebody could have.

use crate::{Kernel, percpu::Here, thread::Thread};

/// Words of a ring. Word 0 counts the events so far; the others hold the last of them.
pub const RING_WORDS: usize = 8192;
/// In [`Own::traced`](crate::cpu::Own::traced): events are recorded.
pub(crate) const ON: u32 = 1;
/// In [`Own::traced`](crate::cpu::Own::traced): and some have no time yet.
const UNTIMED: u32 = 2;

/// What happened. An event's word: this in three bits, two of class, eleven of the thread's number, and the low 48 of the
/// identity of its process; of [`What::Time`] the time in 61.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// It is so late; the events since the last word of this kind happened now.
    Time = 1,
    /// A thread has the CPU; thread 0: nobody has it.
    Run = 2,
    /// A thread was made ready.
    Wake = 3,
    /// The running thread's call or answer went to a thread that waited for it.
    Message = 4,
    /// The timer interrupted.
    Timer = 5,
    /// Two events: a message, and its thread has the CPU.
    Handed = 6,
}

impl Kernel {
    /// A trace point.
    pub(crate) fn trace(&self, cpu: Here, what: What, thread: Option<&Thread>) {
        if cpu.traced.get() != 0 {
            self.record(cpu, what, thread);
        }
    }

    /// The end of an entry into the kernel.
    pub(crate) fn trace_time(&self, cpu: Here, now: u64) {
        if cpu.traced.get() > ON {
            self.note(cpu, What::Time as u64 | now << 3);
            cpu.traced.set(ON);
        }
    }

    #[cold]
    #[inline(never)]
    fn record(&self, cpu: Here, what: What, thread: Option<&Thread>) {
        let about = thread.map_or(0, |thread| {
            (thread.class() as u64) << 3 | u64::from(thread.index()) << 5 | thread.service.get() << 16
        });
        if what == What::Handed {
            self.note(cpu, What::Message as u64 | about);
            self.note(cpu, What::Run as u64 | about);
        } else {
            self.note(cpu, what as u64 | about);
        }
        cpu.traced.set(ON | UNTIMED);
        // The end of the event is to be looked at.
        cpu.floor.set(u32::MAX);
    }

    #[inline(never)]
    fn note(&self, cpu: Here, word: u64) {
        let Some(ring) = self.rings.as_chunks::<RING_WORDS>().0.get(cpu.id.get() as usize) else { return };
        let count = ring[0].get();
        ring[1 + count as usize % (RING_WORDS - 1)].set(word);
        ring[0].set(count + 1);
    }
}
