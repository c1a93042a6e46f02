//! Two real user threads for the tests: each counts in a word of its own, for ever.

use super::Trial;
use crate::memory::tree::address_of;
use crate::prelude::*;
use crate::{cpu::Next, process::exit::DROPPED};
use nexus_abi::{Name, Quota, ServiceId};

const CODE: u64 = 0x2_0000;
const DATA: u64 = 0x3_0000;
const IPC_PAGES: u64 = 0x4_0000;
/// Milliseconds in which the process must be taken back.
const REAPED_MS: u64 = 2000;

/// `1: addi t0, t0, 1; sd t0, 0(a0); j 1b`.
const COUNT: [u32; 3] = [0x0012_8293, 0x0055_3023, 0xff9f_f06f];

/// The threads of the process. While it is there, the first program's thread stays on CPU 0.
pub(super) struct Crew {
    first: &'static Thread,
    process: &'static Process,
    pub(super) threads: [&'static Thread; 2],
}

impl Crew {
    /// Makes them; they are not started.
    pub(super) fn new(kernel: &'static Kernel, here: Here) -> Result<Crew, Error> {
        let first = kernel.threads.at(here.current.get());
        let crew = Crew::within(kernel, first)?;
        let context = Context::of(kernel, here, crew.threads[0], 0);
        context.lay(COUNT.map(u32::to_le_bytes).as_flattened(), 1, CODE, access::READ | access::EXECUTE)?;
        context.lay(&[], 1, DATA, access::READ | access::WRITE)?;
        crew.threads.iter().zip(0..).for_each(|(thread, at)| thread.begin(&Crew::thread(at)));
        first.affinity.set(1);
        Ok(crew)
    }

    /// They and their process, a child of that of `first`.
    fn within(kernel: &'static Kernel, first: &'static Thread) -> Result<Crew, Error> {
        let (parent, _held) = (kernel.process_of(first), kernel.shards.hold(ShardSet::ALL));
        let quota = Quota { frames: 16, threads: 2, memories: 2, mappings: 2, slot_blocks: 1, ..Quota::default() };
        kernel.check_child(parent, &quota)?;
        let identity = const { (ServiceId::service("kselftest"), Name::constant("kselftest")) };
        let root = kernel.frames.allocate().ok_or(Error::Exhausted)?;
        let process = kernel.new_process(0, identity, quota.values(), root);
        parent.account.carve(&process.account);
        kernel.own(parent, Kind::Process, &process.header);
        let thread = |at| kernel.thread_within(process, &Crew::thread(at));
        Ok(Crew { first, process, threads: [thread(0)?, thread(1)?] })
    }

    fn thread(at: u64) -> ThreadCreate {
        let (a0, ipc_page) = (DATA + 8 * at, IPC_PAGES + 0x1000 * at);
        ThreadCreate { process: None, entry: CODE, stack: 0x5_0000, a0, a1: 0, ipc_page }
    }
}

impl Trial<'_> {
    /// How far a thread has counted.
    pub(super) fn progress(&self, crew: &Crew, at: usize) -> u64 {
        let entry = self.kernel.entries(crew.process, (DATA >> 12) as u32, 1).first();
        entry.and_then(|entry| self.kernel.frames.of(address_of(entry.get()))).map_or(0, |frame| frame.0[at].get())
    }

    /// Makes both ready here, behind the first program; the second may not leave, the first may go to `thief`.
    pub(super) fn queue_here(&self, crew: &Crew, thief: &Cpu) {
        let _held = self.kernel.shards.hold(ShardSet::ALL);
        for (thread, affinity) in crew.threads.into_iter().zip([1 | 1 << thief.id.get(), 1]) {
            thread.affinity.set(affinity);
            thread.set_state(State::Ready);
            self.here.enqueue(&self.kernel.threads, thread, End::Back);
        }
    }

    /// Lets the second thread, which waits here, run in a higher class and wherever the first may. A CPU spreads what it has
    /// when it is kicked.
    pub(super) fn raise_the_second(&self, crew: &Crew) {
        let [first, second] = crew.threads;
        second.set_base_class(QosClass::Interactive);
        second.affinity.set(first.affinity.get());
        self.here.changed.set(1);
        self.kernel.kick_cpu(self.here, &self.here);
    }

    /// Ends the process and waits until all it had is back.
    pub(super) fn dismiss(&self) {
        let Some(crew) = &self.crew else { return };
        let (kernel, process) = (self.kernel, crew.process);
        let (reference, held) = (process.header.me(), kernel.shards.hold(ShardSet::ALL));
        kernel.begin_exit(self.here, process, DROPPED, QosClass::PerfBurst);
        drop(held);
        kernel.settle(self.here, self.ground.now());
        self.turn_until(REAPED_MS, &|| {
            if kernel.next(self.here) == Next::Reap {
                kernel.reap(self.here, self.ground.now());
            }
            kernel.processes.get(reference).is_none() && kernel.next(self.here) != Next::Reap
        });
        crew.first.affinity.set(kernel.process_of(crew.first).affinity.get());
    }
}
