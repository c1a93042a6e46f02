//! The machine of the unit tests: a kernel over leaked storage, and typed system calls as threads of it make them.
//!
//! A test makes a [`machine`], processes and threads in it, and asks through [`call`]: registers are set in the
//! thread's frame, the whole event runs, the answer is decoded from the frame, as on the target.

use crate::caps::Capability;
use crate::kernel::{Machine, Storage};
use crate::memory::frames::{Frame, Frames, Holes};
use crate::process::{Process, quota::Resource};
use crate::thread::{State, Thread, reg};
use crate::word::{Many, Word, journal};
use crate::{
    Kernel, arena::Arena, invariant::Check, lock::ShardSet, log::Ring, percpu::Here,
    tests::untouched::assert_untouched, trace::RING_WORDS, ways::Way,
};
use core::fmt::Debug;
use nexus_abi::syscall::{Answer as _, Syscall};
use nexus_abi::{Error, Handle, Kind, Name, QosClass, Quota, Rights, ServiceId, message::Status};
use std::{boxed::Box, vec::Vec};

/// Physical address of frame 0.
pub(crate) const FRAMES_BASE: u64 = 0x8000_0000;
/// Where a thread's program counter stands before its first call.
const CODE: u64 = 0x1_0000;
/// Restarts of one call after which a test gives up.
const RESTARTS: usize = 100_000;

/// A quota that no test reaches by chance.
pub(crate) const WIDE: Quota = Quota {
    frames: 4096,
    threads: 96,
    messages: 64,
    slot_blocks: 8,
    processes: 16,
    endpoints: 64,
    notifications: 64,
    memories: 64,
    mappings: 256,
    timers: 64,
    irqs: 16,
};

fn zeroed<T: Default>(count: usize) -> &'static [T] {
    Box::leak((0..count).map(|_| T::default()).collect::<Vec<T>>().into_boxed_slice())
}

/// The service that the machine's list lets raise classes.
pub(crate) const RAISER: ServiceId = ServiceId::service("raiser");

/// Boot arguments of a machine that records events.
pub(crate) const TRACED: &[u8] = b"trace";

/// A kernel with this many CPUs, all online, and this many frames that programs can own.
/// Threads stay on the CPU that a test puts them on.
pub(crate) fn machine(cpus: usize, frames: usize) -> &'static Kernel {
    machine_with(cpus, frames, Machine { arguments: b"selftest", stays: true, ..Machine::default() })
}

/// [`machine`] whose threads go where they can run.
pub(crate) fn spreading_machine(cpus: usize, frames: usize) -> &'static Kernel {
    machine_with(cpus, frames, Machine { arguments: b"selftest", ..Machine::default() })
}

/// [`machine`] with these facts; those that a test never chooses are set here.
pub(crate) fn machine_with(cpus: usize, frames: usize, facts: Machine) -> &'static Kernel {
    let kernel_root: &'static Many<Word, 512> = Box::leak(Box::default());
    for (at, entry) in kernel_root.iter().enumerate().skip(256) {
        entry.set(at as u64);
    }
    let frames: Vec<Frame> = (0..=frames).map(|_| Frame(core::array::from_fn(|_| Word::default()))).collect();
    let machine = Machine {
        ram: FRAMES_BASE..FRAMES_BASE + 0x1000_0000,
        reserved: [0x200_0000..0x201_0000, 0xc00_0000..0x1000_0000, 0..0, 0..0],
        irq_lines: 96,
        kernel_root: Some(kernel_root),
        satp_mode: 8 << 60,
        slice: 1_000,
        timebase: 10_000_000,
        raisers: [RAISER.0, 0, 0, 0],
        ..facts
    };
    let ring_words = if machine.arguments == TRACED { cpus * RING_WORDS } else { 0 };
    let storage = Storage {
        cpus: zeroed(cpus),
        processes: Arena::new(zeroed(33), 1),
        threads: Arena::new(zeroed(97), 1),
        endpoints: Arena::new(zeroed(65), 1),
        messages: Arena::new(zeroed(129), 1),
        notifications: Arena::new(zeroed(65), 1),
        memories: Arena::new(zeroed(129), 1),
        mappings: Arena::new(zeroed(513), 1),
        timers: Arena::new(zeroed(65), 1),
        irqs: Arena::new(zeroed(17), 1),
        nodes: Arena::new(zeroed(97 + 65 + 33), 1),
        blocks: Arena::new(zeroed(64 * 65), 64),
        frames: Frames::new(Box::leak(frames.into_boxed_slice()), FRAMES_BASE, Holes::default()),
        log: Ring::new(zeroed(512)),
        rings: zeroed(ring_words),
    };
    let kernel: &'static Kernel = Box::leak(Box::new(Kernel::new(storage, machine)));
    kernel.cpus.iter().for_each(|cpu| cpu.online.set(1));
    kernel
}

/// A living process that nobody's quota pays for.
pub(crate) fn process(kernel: &'static Kernel, name: &str, quota: &Quota) -> &'static Process {
    let process = kernel.processes.allocate(0);
    let name = Name::new(name).expect("test names are short and printable").to_words();
    for (at, word) in name.into_iter().enumerate() {
        process.name[at].set(word);
        process.prefix[at].set(0);
    }
    let index = process.index();

    process.service.set(ServiceId::service("test").0);
    process.account.open(quota.values());
    process.shares.set(Process::SHARES);
    process.most_shares.set(Process::FREE_SHARES);
    process.affinity.set((1 << kernel.cpus.len()) - 1);
    let root = kernel.frames.allocate().expect("the test machine has frames");
    kernel.make_root(process, root);
    process.account.charge(Resource::Frames, 1);
    process.satp.set(8 << 60 | u64::from(index) << 44 | kernel.frames.address(root) >> 12);
    process
}

/// A thread of a process, made and not started, with an IPC page that is mapped nowhere.
pub(crate) fn thread(kernel: &'static Kernel, process: &'static Process) -> &'static Thread {
    let thread = kernel.threads.allocate(process.header.shard());
    thread.frame.clear();
    thread.frame.set(0, CODE);
    thread.satp.set(process.satp.get());
    thread.service.set(process.service.get());
    thread.process.set(process.header.me());
    thread.start_tokens();
    thread.looked_at.set(u64::MAX);
    thread.source_endpoint.set(Thread::NOWHERE);
    thread.gate.start(0, thread.header.shard());
    thread.set_base_class(QosClass::Normal);
    thread.affinity.set((1 << kernel.cpus.len()) - 1);
    thread.shares.set(100);
    thread.ipc_frame.set(kernel.frames.allocate().expect("the test machine has frames"));
    kernel.join(process, thread);
    process.account.charge(Resource::Threads, 1);
    process.account.charge(Resource::Frames, 1);
    thread
}

/// Gives a process a capability of its own: every right to an object, or to a root.
pub(crate) fn give(kernel: &Kernel, process: &Process, kind: Kind, object: u64, rights: Rights) -> Handle {
    let shard = kernel.header(kind, object as u32).map_or(0, |header| header.shard());
    let capability = Capability { kind, object, shard, rights, badge: 0 };
    kernel.insert(process, &capability, 0).expect("the test process has room for a handle")
}

/// What a system call came to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome<T> {
    /// It was answered.
    Answered(Result<T, Error>),
    /// The thread waits; see [`answer`].
    Waits,
}

/// The system call of the thread that runs on CPU `cpu`, as the machine layer brings it.
pub(crate) fn ecall(kernel: &'static Kernel, cpu: usize, now: u64) {
    // The machine layer leaves the shorter ways out where events are recorded.
    let first = if kernel.rings.is_empty() { Way::Straight } else { Way::General };
    ecall_from(first, kernel, cpu, now);
}

/// [`ecall`] that tries no shorter way than `first`; says which one it took.
pub(crate) fn ecall_from(first: Way, kernel: &'static Kernel, cpu: usize, now: u64) -> Way {
    let cpu = kernel.cpus[cpu].here();
    let thread = kernel.threads.at(cpu.current.get());
    if thread.state() != State::Running {
        return Way::General;
    }
    kernel.call_by(cpu, thread, (first, now))
}

/// Makes a thread the running one of CPU `cpu`. Whoever ran there before is as a thread that was never started.
pub(crate) fn put_on_cpu(kernel: &'static Kernel, cpu: usize, thread: &'static Thread) {
    let current = &kernel.cpus[cpu].current;
    if current.get() != 0 && current.get() != thread.index() {
        kernel.threads.at(current.get()).set_state(State::New);
    }
    current.set(thread.index());
    kernel.cpus[cpu].here().payer.set(thread.index());
    thread.set_cpu(cpu as u32);
    thread.ran_on.set(thread.ran_on.get() | 1 << cpu);
    thread.set_state(State::Running);
}

/// Makes a thread ready, under the locks that this takes.
pub(crate) fn wake(kernel: &'static Kernel, cpu: Here, thread: &'static Thread) {
    let _held = kernel.shards.hold(ShardSet::ALL);
    kernel.make_ready(cpu, thread);
}

/// What the machine layer does after an event: all that CPU 0 asked for is done.
pub(crate) fn honour(kernel: &Kernel) {
    let requests = &kernel.cpus[0].at_rest().requests;
    kernel.cpus[0].fence.set(0);
    for request in [&requests.fence_instructions, &requests.acknowledge, &requests.mask] {
        request.set(0);
    }
}

/// Makes one typed system call on CPU 0 at time `now`, restarts and all.
pub(crate) fn call_at<S: Syscall>(
    kernel: &'static Kernel,
    thread: &'static Thread,
    call: S,
    now: u64,
) -> Outcome<S::Output> {
    ask(thread, call);
    for _ in 0..RESTARTS {
        if step(kernel, thread, now) == Step::Restart {
            continue;
        }
        return if thread.state().blocked() { Outcome::Waits } else { Outcome::Answered(answer::<S>(thread)) };
    }
    panic!("{} restarts for ever", S::NAME);
}

/// Makes only the first step of a system call that takes several.
pub(crate) fn first_step<S: Syscall>(kernel: &'static Kernel, thread: &'static Thread, call: S) {
    ask(thread, call);
    assert_eq!(step(kernel, thread, 0), Step::Restart, "{} takes one step", S::NAME);
}

/// Sets the registers of a system call.
fn ask<S: Syscall>(thread: &Thread, call: S) {
    let frame = &thread.frame;
    frame.set_message([0; 8]);
    let target = call.encode(&mut |at, word| frame.set(reg::A0 + at, word));
    frame.set(reg::T3, target);
    frame.set(reg::T2, S::NUMBER);
}

/// How the step of a system call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Restart,
    Over,
}

/// One event: the system call whose registers are set. No frame may be freed in a step that asks for a fence.
fn step(kernel: &'static Kernel, thread: &'static Thread, now: u64) -> Step {
    put_on_cpu(kernel, 0, thread);
    honour(kernel);
    let (pc, used) = (thread.frame.get(0), kernel.frames.pool.used());
    ecall(kernel, 0, now);
    let fenced = kernel.cpus[0].fence.get() != 0;
    assert!(!fenced || kernel.frames.pool.used() >= used, "a frame is freed before its fence");
    if thread.frame.get(0) == pc { Step::Restart } else { Step::Over }
}

/// Makes one typed system call that must not wait.
pub(crate) fn call<S: Syscall>(
    kernel: &'static Kernel,
    thread: &'static Thread,
    request: S,
) -> Result<S::Output, Error> {
    match call_at(kernel, thread, request, 0) {
        Outcome::Answered(answer) => answer,
        Outcome::Waits => panic!("{} waits", S::NAME),
    }
}

/// The answer that stands in a thread's frame.
pub(crate) fn answer<S: Syscall>(thread: &Thread) -> Result<S::Output, Error> {
    match Status(thread.frame.get(reg::T0)).error() {
        Some(error) => Err(error),
        None => S::Output::decode(&thread.frame),
    }
}

/// Makes a call that must be refused with `error` and change nothing.
pub(crate) fn refused<S: Syscall + Debug>(kernel: &'static Kernel, thread: &'static Thread, request: S, error: Error) {
    let text = std::format!("{request:?}");
    put_on_cpu(kernel, 0, thread);
    journal::begin();
    match call(kernel, thread, request) {
        Err(found) => assert_eq!(found, error, "{text}"),
        Ok(_) => panic!("not refused: {text}"),
    }
    assert_untouched(kernel, thread, &journal::end(), &text);
}

/// Checks every invariant of memory. (The threads of this machine are not scheduled: see `tests` for all others.)
pub(crate) fn check(kernel: &Kernel) {
    let mut found = Check::default();
    kernel.check_memory(&mut found);
    assert_eq!((found.violations, found.first), (0, None));
    assert!(found.checked > 0, "an empty check proves nothing");
}

mod tests {
    use super::*;
    use nexus_abi::syscall::{Close, Derive, Inspect};

    #[test]
    fn a_typed_call_goes_through_the_frame_and_back() {
        let kernel = machine(1, 64);
        let process = process(kernel, "one", &WIDE);
        let thread = thread(kernel, process);
        let info = give(kernel, process, Kind::Info, 0, Rights::ALL);

        let derived = call(kernel, thread, Derive { source: info, rights: Rights::USE, badge: 0 });

        let handle = derived.expect("an info capability can be derived").handle;
        let inspected = call(kernel, thread, Inspect { handle }).expect("the handle is new");
        assert_eq!((inspected.kind, inspected.rights), (Kind::Info, Rights::USE));
        assert_eq!(call(kernel, thread, Close { handle }).map(|_| ()), Ok(()));
        assert_eq!(call(kernel, thread, Close { handle }).map(|_| ()), Err(Error::BadHandle));
    }
}
