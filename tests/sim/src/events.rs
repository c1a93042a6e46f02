//! What the machine layer does, here: it brings the kernel each event, and does what the kernel asked for after it.

use nexus_core::Kernel;
use nexus_core::event::Trap;
use nexus_core::thread::{State, Thread};
pub(crate) use nexus_core::ways::Way;

/// A load from an address where nothing is: cause 13 (privileged specification, table of `scause`).
const CRASH: Trap = Trap { cause: 13, address: 0 };

/// What there is of simulated hardware beside the kernel's own words.
pub(crate) struct Harts {
    kernel: &'static Kernel,
    /// CPUs that an interrupt is on its way to.
    kicked: Vec<bool>,
    /// Something asked for the end of the machine's run.
    pub(crate) power: bool,
    /// What was printed.
    pub(crate) console: String,
}

impl Harts {
    pub(crate) fn new(kernel: &'static Kernel) -> Harts {
        Harts { kernel, kicked: vec![false; kernel.cpus.len()], power: false, console: String::new() }
    }

    pub(crate) fn is_kicked(&self, cpu: usize) -> bool {
        self.kicked[cpu]
    }

    pub(crate) fn timer(&mut self, cpu: usize, now: u64) {
        self.enter(cpu);
        self.kernel.timer(self.kernel.cpus[cpu].here(), now);
        self.leave(cpu);
    }

    pub(crate) fn kick(&mut self, cpu: usize, now: u64) {
        self.enter(cpu);
        self.kicked[cpu] = false;
        let record = self.kernel.cpus[cpu].here();
        record.counters.trapped.add(1);
        let current = record.current.get();
        record.entered.set(if current == 0 { 0 } else { core::ptr::from_ref(self.kernel.threads.at(current)) as u64 });
        self.kernel.kick(self.kernel.cpus[cpu].here(), now);
        self.leave(cpu);
    }

    pub(crate) fn reap(&mut self, cpu: usize, now: u64) {
        self.kernel.cpus[cpu].space.set(0);
        self.kernel.reap(self.kernel.cpus[cpu].here(), now);
        self.leave(cpu);
    }

    pub(crate) fn crash(&mut self, cpu: usize, thread: &'static Thread, now: u64) {
        self.enter(cpu);
        self.kernel.fault(self.kernel.cpus[cpu].here(), thread, CRASH, now);
        self.leave(cpu);
    }

    /// The system call whose registers are in the thread's frame, by the first way not before `first` that takes it.
    pub(crate) fn call(&mut self, cpu: usize, thread: &'static Thread, (first, now): (Way, u64)) -> Way {
        self.enter(cpu);
        let way = self.kernel.call_by(self.kernel.cpus[cpu].here(), thread, (first, now));
        self.leave(cpu);
        way
    }

    /// As at a trap: a direct hand-over changes both unsaid.
    fn enter(&self, cpu: usize) {
        let record = self.kernel.cpus[cpu].here();
        if record.current.get() != 0 {
            let thread = self.kernel.threads.at(record.current.get());
            debug_assert_eq!(thread.state(), State::Running, "a CPU's thread runs");
            record.space.set(thread.satp.get());
        }
    }

    /// Does what this CPU was asked for.
    fn leave(&mut self, cpu: usize) {
        let (kernel, record) = (self.kernel, self.kernel.cpus[cpu].here());
        let requests = &record.requests;
        requests.pending.take();
        // No translation is kept here, and nothing is masked: no device interrupts.
        record.fence.set(0);
        for request in [&requests.fence_instructions, &requests.acknowledge, &requests.mask] {
            request.set(0);
        }
        let kicks = requests.kicks.get();
        requests.kicks.set(0);
        for (at, kicked) in self.kicked.iter_mut().enumerate() {
            *kicked |= kicks >> at & 1 != 0;
        }
        kernel.log.drain(&mut |byte| self.console.push(byte.into()));
        self.power |= requests.power.get() != 0;
        let current = record.current.get();
        record.space.set(if current == 0 { 0 } else { kernel.threads.at(current).satp.get() });
    }
}
