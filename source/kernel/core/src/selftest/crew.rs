//! Two real user threads for the tests: each counts in a word of its own, for ever.

use super::Trial;
use crate::memory::tree::address_of;
use crate::process::{Process, create::Birth, exit::Record};
use crate::thread::{State, Thread};
use crate::{Kernel, cpu::Next, event::Context, lock::ShardSet, memory::Stash, sched::queue};
use nexus_abi::syscall::{ThreadCreate, access};
use nexus_abi::{Error, Kind, Name, QosClass, Quota, ServiceId};

const CODE: u64 = 0x2_0000;
const DATA: u64 = 0x3_0000;
const IPC_PAGES: u64 = 0x4_0000;
/// Milliseconds in which the process must be taken back.
const REAPED_MS: u64 = 2000;

/// `1: addi t0, t0, 1; sd t0, 0(a0); j 1b`.
const COUNT: [u32; 3] = [0x0012_8293, 0x0055_3023, 0xff9f_f06f];

/// The process and its threads. While it is there, the first program's thread stays on CPU 0.
pub(super) struct Crew {
    kernel: &'static Kernel,
    process: &'static Process,
    first: &'static Thread,
    affinity: u32,
    pub(super) threads: [&'static Thread; 2],
}

impl Crew {
    /// Makes them; they are not started.
    pub(super) fn new(kernel: &'static Kernel) -> Result<Crew, Error> {
        let first = kernel.threads.at(kernel.cpus[0].current.get());
        let threads = Crew::threads(kernel, kernel.processes.at(first.process.get() as u32))?;
        let context = Context::of(kernel, kernel.cpus[0].here(), threads[0], 0);
        let mut bytes = [0; 12];
        bytes.chunks_mut(4).zip(COUNT).for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        context.lay(&bytes, 1, CODE, access::READ | access::EXECUTE)?;
        context.lay(&[], 1, DATA, access::READ | access::WRITE)?;
        threads.iter().zip(0..).for_each(|(thread, at)| thread.begin(&Crew::thread(at)));
        let affinity = first.affinity.get();
        first.affinity.set(1);
        Ok(Crew { kernel, process: context.process(), first, affinity, threads })
    }

    /// Their process, a child of `parent`, and they.
    fn threads(kernel: &'static Kernel, parent: &Process) -> Result<[&'static Thread; 2], Error> {
        let _held = kernel.shards.hold(ShardSet::ALL);
        let name = Name::new("kselftest").ok_or(Error::Invalid)?;
        let quota = Quota { frames: 16, threads: 2, memories: 2, mappings: 2, slot_blocks: 1, ..Quota::default() };
        parent.account.check_child(&quota)?;
        kernel.may_make_process(&quota)?;
        let birth = Birth { home: 0, service: const { ServiceId::service("kselftest") }, name, quota: &quota };
        let process = kernel.new_process(&birth, &mut Stash::of(&kernel.frames, 1)?);
        parent.account.carve(&process.account);
        kernel.own(parent, Kind::Process, &process.header);
        let thread = |at| {
            let new = Crew::thread(at);
            let mut stash = Stash::of(&kernel.frames, kernel.frames_for_thread(process, &new)?)?;
            Ok::<_, Error>(kernel.new_thread(process, 0, &new, &mut stash))
        };
        Ok([thread(0)?, thread(1)?])
    }

    fn thread(at: u64) -> ThreadCreate {
        let (a0, ipc_page) = (DATA + 8 * at, IPC_PAGES + 0x1000 * at);
        ThreadCreate { process: None, entry: CODE, stack: 0x5_0000, a0, a1: 0, ipc_page }
    }

    /// How far a thread has counted.
    pub(super) fn progress(&self, at: usize) -> u64 {
        let entry = self.kernel.entries(self.process, (DATA >> 12) as u32, 1).first();
        let frame = entry.and_then(|entry| self.kernel.frames.of(address_of(entry.get())));
        frame.map_or(0, |frame| frame.0[at].get())
    }

    /// Makes both ready on CPU 0, behind the first program; the second may not leave it, the first may go to `thief`.
    pub(super) fn queue_here(&self, trial: &Trial, thief: &crate::cpu::Cpu) {
        let _held = self.kernel.shards.hold(ShardSet::ALL);
        let here = 1 << trial.here.id.get();
        for (thread, affinity) in self.threads.into_iter().zip([here | 1 << thief.id.get(), here]) {
            thread.affinity.set(affinity);
            thread.set_state(State::Ready);
            trial.here.enqueue(&self.kernel.threads, thread, queue::End::Back);
        }
    }

    /// Lets the second thread, which waits on CPU 0, run in a higher class and wherever the first may.
    pub(super) fn raise_the_second(&self, trial: &Trial) {
        let held = self.kernel.shards.hold(ShardSet::ALL);
        let [first, second] = self.threads;
        trial.here.dequeue(&self.kernel.threads, second);
        second.set_base_class(QosClass::Interactive);
        second.affinity.set(first.affinity.get());
        trial.here.enqueue(&self.kernel.threads, second, queue::End::Back);
        drop(held);
        // A CPU spreads what it has when it is kicked.
        self.kernel.kick_cpu(trial.here, &trial.here);
    }

    /// Ends the process and waits until all it had is back.
    pub(super) fn dismiss(self, trial: &Trial) {
        let reference = self.process.header.me();
        let held = self.kernel.shards.hold(ShardSet::ALL);
        self.kernel.begin_exit(trial.here, self.process, Record::DROPPED, QosClass::PerfBurst);
        drop(held);
        self.kernel.settle_aside(trial.here, trial.ground.now());
        let here = trial.here.id.get() as usize;
        trial.turn_until(REAPED_MS, || {
            if self.kernel.next(here) == Next::Reap {
                self.kernel.reap(here, trial.ground.now());
            }
            self.kernel.processes.get(reference).is_none() && self.kernel.next(here) != Next::Reap
        });
        self.first.affinity.set(self.affinity);
    }
}
