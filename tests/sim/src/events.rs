//! What the machine layer does, here: it brings the kernel each event, and does what the kernel asked for after it.

use nexus_abi::syscall::ipc;
use nexus_core::Kernel;
use nexus_core::event::Trap;
use nexus_core::ipc::detour::Bytes;
use nexus_core::ipc::direct::{Passage, Until};
use nexus_core::percpu::Here;
use nexus_core::thread::{State, Thread, reg};

/// A load from an address where nothing is: cause 13 (privileged specification, table of `scause`).
const CRASH: Trap = Trap { cause: 13, address: 0 };

/// How a message went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Straight,
    Detour,
    General,
}

/// What there is of simulated hardware beside the kernel's own words.
#[derive(Debug)]
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
        self.kernel.timer(cpu, now);
        self.leave(cpu);
    }

    pub(crate) fn kick(&mut self, cpu: usize, now: u64) {
        self.enter(cpu);
        self.kicked[cpu] = false;
        let record = self.kernel.cpus[cpu].here();
        record.counters.trapped.add(1);
        let current = record.current.get();
        record.entered.set(if current == 0 { 0 } else { core::ptr::from_ref(self.kernel.threads.at(current)) as u64 });
        self.kernel.kick(cpu, now);
        self.leave(cpu);
    }

    pub(crate) fn reap(&mut self, cpu: usize, now: u64) {
        self.kernel.cpus[cpu].space.set(0);
        self.kernel.reap(cpu, now);
        self.leave(cpu);
    }

    pub(crate) fn crash(&mut self, cpu: usize, now: u64) {
        self.enter(cpu);
        self.kernel.fault(cpu, CRASH, now);
        self.leave(cpu);
    }

    /// The system call whose registers are in the thread's frame, by the first way not before `first` that takes it.
    pub(crate) fn call(&mut self, cpu: usize, thread: &'static Thread, (first, now): (Way, u64)) -> Way {
        self.enter(cpu);
        let (kernel, record, frame) = (self.kernel, self.kernel.cpus[cpu].here(), &thread.frame);
        frame.set(0, frame.get(0).wrapping_add(4));
        let number = frame.get(reg::T2);
        let straight = if first == Way::Straight { straight(kernel, record, thread, now) } else { None };
        let passed = straight.map(|passage| (Way::Straight, passage)).or_else(|| {
            let aside = if first == Way::General { None } else { detour(kernel, record, thread, now) };
            aside.map(|passage| (Way::Detour, passage))
        });
        let way = match passed {
            Some((way, passage)) => {
                passage.to.frame.copy_message(frame);
                passage.to.frame.set_status(passage.status, passage.badge, passage.from);
                record.current.set(passage.to.index());
                way
            }
            None if number <= ipc::SEND => {
                kernel.message_call(record, thread, now);
                Way::General
            }
            None => {
                kernel.typed_call(record, thread, now);
                Way::General
            }
        };
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
        requests.begin();
        // No translation is kept here, and nothing is masked: no device interrupts.
        requests.fence.set(0);
        for request in [&requests.fence_instructions, &requests.acknowledge, &requests.mask] {
            request.set(0);
        }
        let kicks = requests.kicks.get();
        requests.kicks.set(0);
        for (at, kicked) in self.kicked.iter_mut().enumerate() {
            *kicked |= kicks >> at & 1 != 0;
        }
        kernel.drain(&mut |byte| self.console.push(byte.into()));
        self.power |= requests.power.get() != 0;
        let current = record.current.get();
        record.space.set(if current == 0 { 0 } else { kernel.threads.at(current).satp.get() });
    }
}

fn until(thread: &Thread, now: u64) -> Option<Until> {
    (thread.frame.get(reg::T2) >= ipc::CALL_UNTIL).then(|| Until { deadline: thread.frame.get(reg::T5), now })
}

fn straight(kernel: &'static Kernel, cpu: Here, thread: &'static Thread, now: u64) -> Option<Passage> {
    let (target, until) = (thread.frame.get(reg::T3), until(thread, now));
    match thread.frame.get(reg::T2) {
        ipc::CALL | ipc::CALL_UNTIL => kernel.call_direct(thread, target, until),
        ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL => kernel.reply_recv_direct(|| cpu, thread, target, until),
        _ => None,
    }
}

fn detour(kernel: &'static Kernel, cpu: Here, thread: &'static Thread, now: u64) -> Option<Passage> {
    let (number, target, until) = (thread.frame.get(reg::T2), thread.frame.get(reg::T3), until(thread, now));
    let bytes = if number < ipc::CALL_EXTENDED { Bytes::NONE } else { Bytes::of(thread.frame.get(reg::T6))? };
    match number {
        ipc::CALL | ipc::CALL_UNTIL | ipc::CALL_EXTENDED => kernel.call_detour(thread, target, until, bytes),
        ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL | ipc::REPLY_RECV_EXTENDED => {
            kernel.reply_recv_detour(|| cpu, thread, target, (until, bytes))
        }
        _ => None,
    }
}
