//! The kernel as a machine would drive it: threads of processes call, CPUs are kicked, the dead are taken back.
//!
//! A [`Stage`] plays the machine layer and user mode. Everything goes through the kernel's own events, and after each
//! every invariant is checked.

mod arguments;
mod calls;
mod capabilities;
mod chains;
mod donation;
mod expected;
mod lives;
mod parts;
mod policy;
mod random;
mod refusals;
mod scheduling;
mod shards;
mod steps;
mod straight;
mod traced;
mod transfers;
pub(crate) mod untouched;
mod waits;

use crate::{
    Kernel,
    cpu::Next,
    event::Trap,
    invariant::Check,
    percpu::PerCpu,
    process::Process,
    testing::{self, WIDE},
    thread::{State, Thread, reg},
    word::journal,
};
use core::cell::Cell;
use nexus_abi::{
    Deadline, Error, Handle, Kind, Name, Quota, Rights, ServiceId, Shard,
    handle::SHARDS,
    layout::{IPC_PAGE, PAGE_SIZE, USER_START},
    message::Status,
    syscall::{self, Answer as _, ProcessCreate, Syscall, ThreadCreate, ThreadStart},
};
use std::{format, vec::Vec};
use untouched::assert_untouched;

/// What a child process of the tests may own.
pub(super) const SMALL: Quota = Quota {
    frames: 48,
    threads: 8,
    messages: 16,
    slot_blocks: 2,
    processes: 2,
    endpoints: 8,
    notifications: 8,
    memories: 4,
    mappings: 8,
    timers: 4,
    irqs: 1,
};
const NEVER: u64 = u64::MAX;

/// A process of a test, by the handle that the root process has to it.
#[derive(Clone, Copy)]
struct Home {
    process: &'static Process,
    handle: Handle,
}

/// A message as its sender writes it into registers.
#[derive(Clone, Copy, Debug)]
struct Mail {
    to: u64,
    words: [u64; 8],
    deadline: u64,
    extent: u64,
}

/// A message as its receiver finds it in registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Got {
    status: Status,
    badge: u64,
    service: u64,
    process: u64,
    words: [u64; 8],
}

impl Mail {
    fn to(handle: Handle) -> Mail {
        Mail { to: handle.raw(), words: [0; 8], deadline: NEVER, extent: 0 }
    }

    fn saying(self, words: [u64; 8]) -> Mail {
        Mail { words, ..self }
    }

    fn until(self, deadline: u64) -> Mail {
        Mail { deadline, ..self }
    }

    fn with(self, extent: u64) -> Mail {
        Mail { extent, ..self }
    }
}

/// A kernel, and the time.
struct Stage {
    kernel: &'static Kernel,
    now: Cell<u64>,
    root: &'static Thread,
    spawn: Handle,
    threads: Cell<u64>,
    homes: Cell<u8>,
}

impl Stage {
    fn new(cpus: usize) -> Stage {
        Stage::on(testing::machine(cpus, 512))
    }

    /// On this machine.
    fn on(kernel: &'static Kernel) -> Stage {
        let process = testing::process(kernel, "root", &WIDE);
        let root = testing::thread(kernel, process);
        let spawn = testing::give(kernel, process, Kind::Spawn, 0, Rights::ALL);
        testing::put_on_cpu(kernel, 0, root);
        Stage { kernel, now: Cell::new(100), root, spawn, threads: Cell::new(0), homes: Cell::new(0) }
    }

    /// Each process has another home than the one before, so that what a test does crosses shards.
    fn next_shard(&self) -> Option<Shard> {
        self.homes.set((self.homes.get() + 1) % SHARDS as u8);
        Shard::new(self.homes.get())
    }

    /// A child of the root process.
    fn process(&self, name: &str) -> Home {
        self.process_with(name, SMALL)
    }

    fn process_with(&self, name: &str, quota: Quota) -> Home {
        let service = ServiceId::service(name);
        let name = Name::new(name).expect("a short name");
        let shard = self.next_shard();
        let made = self.does(self.root, ProcessCreate { spawn: self.spawn, service, name, quota, shard });
        let process = self.kernel.processes.get(made.id.0).expect("it was just made");
        Home { process, handle: made.process }
    }

    /// A thread of a process, started.
    fn thread(&self, home: Home) -> &'static Thread {
        let thread = self.new_thread(home);
        self.does(self.root, ThreadStart { thread: thread.0 });
        thread.1
    }

    /// A thread of a process, not started.
    fn new_thread(&self, home: Home) -> (Handle, &'static Thread) {
        let ipc_page = IPC_PAGE + self.threads.get() * PAGE_SIZE as u64;
        self.threads.set(self.threads.get() + 1);
        let made = self.does(
            self.root,
            ThreadCreate { process: Some(home.handle), entry: USER_START, stack: 0, a0: 0, a1: 0, ipc_page },
        );
        let place = self.place(self.root, made.thread);
        let thread = self.kernel.threads.get(place).expect("it was just made");
        (made.thread, thread)
    }

    /// The object that a thread's handle names.
    fn place(&self, thread: &Thread, handle: Handle) -> u64 {
        let process = self.kernel.processes.at(thread.process.get() as u32);
        self.kernel.slot(process, handle).expect("the handle is good").object.get()
    }

    /// Lets threads run in turn until this one has its CPU.
    fn focus(&self, thread: &'static Thread) {
        let cpu = self.kernel.cpus[thread.cpu() as usize].here();
        for _ in 0..256 {
            self.run_dry();
            if cpu.current.get() == thread.index() {
                return;
            }
            let ready = matches!(thread.state(), State::Ready | State::Running);
            assert!(ready, "{:?} cannot run", thread.state());
            self.kernel.rotate(cpu, crate::sched::queue::End::Back, self.now.get());
            self.kernel.settle(cpu, self.now.get());
        }
        panic!("a thread never gets its CPU");
    }

    /// Gives a thread its CPU while a dead process may still be taken back.
    fn focus_only(&self, thread: &'static Thread) {
        let cpu = self.kernel.cpus[thread.cpu() as usize].here();
        for _ in 0..256 {
            if cpu.current.get() == thread.index() {
                return;
            }
            let reaped = self.kernel.next(self.kernel.cpus[thread.cpu() as usize].here()) == Next::Reap;
            if reaped {
                self.kernel.reap(self.kernel.cpus[thread.cpu() as usize].here(), self.now.get());
            } else {
                self.kernel.rotate(cpu, crate::sched::queue::End::Back, self.now.get());
                self.kernel.settle(cpu, self.now.get());
            }
        }
        panic!("a thread never gets its CPU");
    }

    /// One entry into the kernel by the running thread, and nothing behind it.
    fn enter_once(&self, thread: &'static Thread, registers: &[(usize, u64)]) {
        registers.iter().for_each(|&(register, value)| thread.frame.set(register, value));
        testing::ecall(self.kernel, thread.cpu() as usize, self.now.get());
        self.check();
    }

    /// Delivers kicks and takes the dead back, on every CPU, until nothing of that is left.
    fn run_dry(&self) {
        let mut quiet = false;
        while !quiet {
            quiet = true;
            for (at, cpu) in self.kernel.cpus.iter().map(PerCpu::at_rest).enumerate() {
                cpu.fence.set(0);
                cpu.requests.fence_instructions.set(0);
                let kicks = cpu.requests.kicks.get();
                cpu.requests.kicks.set(0);
                for target in (0..self.kernel.cpus.len()).filter(|target| kicks & 1 << target != 0) {
                    self.kernel.kick(self.kernel.cpus[target].here(), self.now.get());
                    quiet = false;
                }
                if self.kernel.next(self.kernel.cpus[at].here()) == Next::Reap {
                    self.kernel.reap(self.kernel.cpus[at].here(), self.now.get());
                    quiet = false;
                }
                self.check();
            }
        }
    }

    /// Every invariant holds.
    fn check(&self) {
        let mut check = Check::default();
        self.kernel.check_invariants(&mut check);
        assert_eq!(check.violations, 0, "{:?} at {}", check.first, check.first_at);
    }

    /// Makes the alarm ring on every CPU at a time, and no earlier one that is due before.
    fn pass_to(&self, when: u64) {
        loop {
            let alarms = self.kernel.cpus.iter().enumerate().map(|(at, cpu)| (cpu.at_rest().alarm(), at));
            let (alarm, cpu) = alarms.min().expect("there is a CPU");
            if alarm > when {
                break;
            }
            self.now.set(self.now.get().max(alarm));
            self.kernel.timer(self.kernel.cpus[cpu].here(), self.now.get());
            self.run_dry();
        }
        self.now.set(when);
    }

    /// Raises the running thread's trap.
    fn trap(&self, thread: &'static Thread, cause: u64, address: u64) {
        self.focus(thread);
        let cpu = self.kernel.cpus[thread.cpu() as usize].here();
        self.kernel.fault(cpu, thread, Trap { cause, address }, self.now.get());
        self.run_dry();
    }

    /// Makes a thread enter the kernel with these registers; a call that restarts is made again.
    fn enter(&self, thread: &'static Thread, registers: &[(usize, u64)]) {
        let me = thread.header.me();
        self.focus(thread);
        for junk in [reg::RA, reg::T0, reg::T1, reg::T2, reg::T3, reg::T4, reg::T5, reg::T6] {
            thread.frame.set(junk, 0xbad);
        }
        thread.frame.set_message([0; 8]);
        registers.iter().for_each(|&(register, value)| thread.frame.set(register, value));
        let pc = thread.frame.get(0);
        for _ in 0..1000 {
            testing::ecall(self.kernel, thread.cpu() as usize, self.now.get());
            self.check();
            if thread.header.me() != me || thread.frame.get(0) != pc {
                return;
            }
            self.focus(thread);
        }
        panic!("a call restarts for ever");
    }

    /// Makes a typed call and leaves it where it stands.
    fn ask<S: Syscall>(&self, thread: &'static Thread, call: S) {
        let mut registers = Vec::from([(reg::T2, S::NUMBER)]);
        let target = call.encode(&mut |at, word| registers.push((reg::A0 + at, word)));
        registers.push((reg::T3, target));
        self.enter(thread, &registers);
        self.run_dry();
    }

    /// Makes a typed call and reads its answer.
    fn asks<S: Syscall>(&self, thread: &'static Thread, call: S) -> Result<S::Output, Error> {
        self.ask(thread, call);
        self.answer::<S>(thread)
    }

    /// Makes a typed call that succeeds.
    fn does<S: Syscall>(&self, thread: &'static Thread, call: S) -> S::Output {
        self.asks(thread, call).unwrap_or_else(|error| panic!("{}: {}", S::NAME, error.name()))
    }

    /// The answer that a thread finds, which waits no longer.
    fn answer<S: Syscall>(&self, thread: &'static Thread) -> Result<S::Output, Error> {
        match self.got(thread).status.error() {
            Some(error) => Err(error),
            None => S::Output::decode(&thread.frame),
        }
    }

    /// Makes a message call and leaves it where it stands.
    fn post(&self, thread: &'static Thread, number: u64, mail: Mail) {
        let mut registers = Vec::from([(reg::T2, number), (reg::T3, mail.to), (reg::T5, mail.deadline)]);
        registers.push((reg::T6, mail.extent));
        registers.extend(mail.words.iter().enumerate().map(|(at, &word)| (reg::A0 + at, word)));
        self.enter(thread, &registers);
        self.run_dry();
    }

    /// Makes a message call and reads what comes back at once.
    fn posts(&self, thread: &'static Thread, number: u64, mail: Mail) -> Result<Got, Error> {
        self.post(thread, number, mail);
        let got = self.got(thread);
        got.status.error().map_or(Ok(got), Err)
    }

    /// What a thread that can go on finds in its registers. What must not leak is 0.
    fn got(&self, thread: &'static Thread) -> Got {
        assert!(matches!(thread.state(), State::Ready | State::Running), "{:?}: no answer yet", thread.state());
        let frame = &thread.frame;
        assert_eq!([reg::RA, reg::T1, reg::T6].map(|register| frame.get(register)), [0; 3]);
        let got = Got {
            status: Status(frame.get(reg::T0)),
            badge: frame.get(reg::T2),
            service: frame.get(reg::T3),
            process: frame.get(reg::T4),
            words: core::array::from_fn(|at| frame.message(at)),
        };
        if got.status.error().is_some() {
            assert_eq!((got.badge, got.service, got.process, got.words), (0, 0, 0, [0; 8]));
        }
        got
    }

    /// A typed call that is refused and changes nothing.
    fn refuses<S: Syscall + core::fmt::Debug>(&self, thread: &'static Thread, call: S, error: Error) {
        self.focus(thread);
        let text = format!("{call:?}");
        journal::begin();
        assert_eq!(self.asks(thread, call).err(), Some(error), "{text}");
        assert_untouched(self.kernel, thread, &journal::end(), &text);
    }

    /// A message call that is refused and changes nothing.
    fn refuses_post(&self, thread: &'static Thread, number: u64, mail: Mail, error: Error) {
        self.focus(thread);
        let text = format!("{number} {mail:?}");
        journal::begin();
        assert_eq!(self.posts(thread, number, mail).err(), Some(error), "{text}");
        assert_untouched(self.kernel, thread, &journal::end(), &text);
    }

    /// The right to call an endpoint whose own thread may be waiting: from the root process.
    fn grant_while_waiting(&self, owner: &'static Thread, endpoint: Handle, to: Home) -> Handle {
        let object = self.place(owner, endpoint);
        testing::give(self.kernel, to.process, Kind::Endpoint, object, Rights::USE)
    }

    /// A word of a thread's IPC page.
    fn page(&self, thread: &Thread, at: usize) -> &'static crate::word::Word {
        &self.kernel.frames.at(thread.ipc_frame.get()).0[at]
    }

    /// Gives a process another's capability, as the root process would by granting it.
    fn grant(&self, from: &'static Thread, source: Handle, to: Home, terms: (Rights, u64)) -> Handle {
        let object = self.place(self.root, to.handle);
        let process = self.kernel.processes.at(from.process.get() as u32);
        let handle = testing::give(self.kernel, process, Kind::Process, object, Rights::USE);
        let grant = syscall::Grant { process: handle, source, rights: terms.0, badge: terms.1 };
        let granted = self.does(from, grant).handle;
        self.does(from, syscall::Close { handle });
        granted
    }
}
