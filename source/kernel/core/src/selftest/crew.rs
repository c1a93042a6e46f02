//! Two real user threads for the tests: each counts in a word of its own, for ever.

use super::Trial;
use crate::memory::object::{Memory, Stage};
use crate::process::{Process, create::Birth, exit::Record};
use crate::thread::{State, Thread};
use crate::{Kernel, cpu::Next, lock::ShardSet, memory::Stash, sched::queue};
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
    counts: &'static Memory,
    pub(super) threads: [&'static Thread; 2],
}

impl Crew {
    /// Makes them; they are not started.
    pub(super) fn new(kernel: &'static Kernel) -> Result<Crew, Error> {
        let _held = kernel.shards.hold(ShardSet::ALL);
        let first = kernel.threads.at(kernel.cpus[0].current.get());
        let parent = kernel.processes.at(first.process.get() as u32);
        let name = Name::new("kselftest").ok_or(Error::Invalid)?;
        let quota = Quota { frames: 16, threads: 2, memories: 2, mappings: 2, ..Quota::default() };
        parent.account.check_child(&quota)?;
        kernel.may_make_process(&quota)?;
        let birth = Birth { home: 0, service: const { ServiceId::service("kselftest") }, name, quota: &quota };
        let process = kernel.new_process(&birth, &mut Stash::of(&kernel.frames, 1)?)?;
        parent.account.carve(&process.account);
        kernel.own(parent, Kind::Process, &process.header);
        let code = kernel.boot_memory(process, 1)?;
        let mut bytes = [0; 12];
        bytes.chunks_mut(4).zip(COUNT).for_each(|(place, word)| place.copy_from_slice(&word.to_le_bytes()));
        kernel.fill_memory(code, &bytes);
        code.set_stage(Stage::Sealed);
        kernel.map_first(process, code, CODE, access::READ | access::EXECUTE)?;
        kernel.cpus[0].here().requests.fence_instructions();
        let counts = kernel.boot_memory(process, 1)?;
        kernel.map_first(process, counts, DATA, access::READ | access::WRITE)?;
        let threads = [Crew::thread(kernel, process, 0)?, Crew::thread(kernel, process, 1)?];
        let affinity = first.affinity.get();
        first.affinity.set(1);
        Ok(Crew { kernel, process, first, affinity, counts, threads })
    }

    fn thread(kernel: &'static Kernel, process: &'static Process, at: u64) -> Result<&'static Thread, Error> {
        let (a0, ipc_page) = (DATA + 8 * at, IPC_PAGES + 0x1000 * at);
        let new = ThreadCreate { process: None, entry: CODE, stack: 0x5_0000, a0, a1: 0, ipc_page };
        let mut stash = Stash::of(&kernel.frames, kernel.frames_for_thread(process, &new)?)?;
        kernel.new_thread(process, 0, &new, &mut stash)
    }

    /// How far a thread has counted.
    pub(super) fn progress(&self, at: usize) -> u64 {
        let frame = self.kernel.page_address(self.counts, 0).and_then(|address| self.kernel.frames.index(address));
        frame.map_or(0, |frame| self.kernel.frames.at(frame).0[at].get())
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
