//! Random events over four CPUs, every invariant checked after each.
//!
//! Threads of several processes make every call with arguments that are half right; timers, interrupts, kicks and faults
//! come in between. `NEXUS_SEED` replays a run, `NEXUS_EVENTS` sets its length. At the end stands a table of how often
//! each kind of event succeeded and was refused, and a pair that was to be expected and never came fails the test.

use super::{
    arguments::{Season, Source},
    expected::EXPECTED,
    refusals::declared,
    untouched::assert_untouched,
};
use crate::{
    Kernel,
    caps::{Capability, slot::Slot},
    cpu::Next,
    event::Trap,
    invariant::Check,
    process::Process,
    sched::queue::SPENT,
    testing,
    thread::{State, Thread, reg},
    ways::Way,
    word::journal::{self, Change},
};
use nexus_abi::{
    Error, Handle, Kind, Quota, Rights,
    message::Status,
    syscall::{self, Syscall, ipc},
};
use std::{
    collections::BTreeMap,
    format, print, println,
    string::{String, ToString},
    vec::Vec,
};

const CPUS: usize = 4;
/// Roots that processes of the test are given, so that they can do something.
const DOWRY: [Kind; 5] = [Kind::Spawn, Kind::Info, Kind::Log, Kind::DeviceRoot, Kind::Power];

/// What the root process may own: nearly everything.
const ROOT: Quota = Quota {
    frames: 2000,
    threads: 90,
    messages: 120,
    slot_blocks: 60,
    processes: 30,
    endpoints: 60,
    notifications: 60,
    memories: 100,
    mappings: 400,
    timers: 60,
    irqs: 4,
};

/// SplitMix64.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(super) fn one_in(&mut self, odds: u64) -> bool {
        self.below(odds) == 0
    }

    pub(super) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A call that was made: by whom, under which name, what it said.
#[derive(Clone, Debug)]
struct Made {
    thread: u64,
    name: &'static str,
    number: u64,
    registers: Vec<(usize, u64)>,
}

struct World {
    kernel: &'static Kernel,
    dice: Dice,
    now: u64,
    root: &'static Process,
    /// Kicks asked for and not yet delivered.
    kicks: u32,
    /// The call whose answer each thread will find.
    pending: BTreeMap<u32, Made>,
    counts: BTreeMap<(&'static str, String), u64>,
    last: String,
    /// The thread that the root process made last.
    to_start: u64,
    /// Events so far.
    events: u64,
    /// Refusals that were seen to change nothing.
    refusals: u64,
}

impl World {
    fn new(seed: u64) -> World {
        let kernel = testing::spreading_machine(CPUS, 400);
        let root = testing::process(kernel, "root", &ROOT);
        for kind in DOWRY.into_iter().chain([Kind::Spawn, Kind::Spawn]) {
            testing::give(kernel, root, kind, 0, Rights::ALL);
        }
        for cpu in 0..CPUS {
            let thread = testing::thread(kernel, root);
            testing::put_on_cpu(kernel, cpu, thread);
        }
        let (pending, counts) = (BTreeMap::new(), BTreeMap::new());
        World {
            kernel,
            dice: Dice(seed),
            now: 100,
            root,
            kicks: 0,
            pending,
            counts,
            last: String::new(),
            to_start: 0,
            events: 0,
            refusals: 0,
        }
    }

    fn note(&mut self, kind: &'static str, outcome: &str) {
        *self.counts.entry((kind, outcome.to_string())).or_default() += 1;
    }

    /// One event at one CPU.
    fn step(&mut self) {
        self.now += self.dice.below(40);
        if self.events.is_multiple_of(500) {
            self.endow_root();
        }
        self.events += 1;
        let cpu = self.dice.below(CPUS as u64) as usize;
        let kicked = self.kicks & 1 << cpu != 0;
        let due = self.kernel.cpus[cpu].at_rest().alarm() <= self.now;
        match self.dice.below(100) {
            _ if kicked && self.dice.one_in(2) => self.kick(cpu),
            _ if due && self.dice.one_in(2) => self.timer(cpu),
            0..2 => self.timer(cpu),
            2..6 => self.interrupt(cpu),
            _ => match self.kernel.next(self.kernel.cpus[cpu].here()) {
                Next::Reap => {
                    self.last = format!("reap on {cpu}");
                    self.kernel.reap(self.kernel.cpus[cpu].here(), self.now);
                    self.note("reap", "ok");
                }
                Next::Idle => self.idle(cpu),
                Next::Run(thread) => self.run(cpu, self.kernel.threads.at(thread)),
            },
        }
        self.after(cpu);
    }

    /// What the machine layer does behind every event, and the check.
    fn after(&mut self, at: usize) {
        let requests = &self.kernel.cpus[at].at_rest().requests;
        self.kicks |= requests.kicks.get();
        requests.kicks.set(0);
        for request in [&requests.fence_instructions, &requests.acknowledge, &requests.mask, &requests.power] {
            request.set(0);
        }
        self.kernel.cpus[at].fence.set(0);
        let mut check = Check::default();
        self.kernel.check_invariants(&mut check);
        for (cpu, state) in self.kernel.cpus.iter().enumerate() {
            check.at = cpu as u32;
            let coming = self.kicks & 1 << cpu != 0;
            check.that("a mark that coalesces kicks has its kick", coming || state.kicked.get() == 0);
        }
        assert!(self.root.running(), "the root process must live, after {}", self.last);
        assert_eq!(check.violations, 0, "{:?} at {}, after {}", check.first, check.first_at, self.last);
    }

    fn kick(&mut self, cpu: usize) {
        self.last = format!("kick of {cpu}");
        self.kicks &= !(1 << cpu);
        self.kernel.kick(self.kernel.cpus[cpu].here(), self.now);
        self.note("kick", "ok");
    }

    fn timer(&mut self, cpu: usize) {
        self.last = format!("timer of {cpu} at {}", self.now);
        self.kernel.timer(self.kernel.cpus[cpu].here(), self.now);
        self.note("timer", "ok");
    }

    fn interrupt(&mut self, cpu: usize) {
        let line = self.dice.below(40) as u32;
        self.last = format!("interrupt {line} at {cpu}");
        self.kernel.interrupted(self.kernel.cpus[cpu].here(), line, (Way::Straight, self.now));
        self.note("interrupt", "ok");
    }

    /// A CPU with nothing to do sleeps up to its alarm, if no other CPU has anything to do before.
    fn idle(&mut self, cpu: usize) {
        let busy = (0..CPUS).any(|cpu| self.kernel.next(self.kernel.cpus[cpu].here()) != Next::Idle) || self.kicks != 0;
        let alarm = self.kernel.cpus.iter().map(|cpu| cpu.at_rest().alarm()).min().unwrap_or(u64::MAX);
        assert!(busy || alarm != u64::MAX, "everybody sleeps for ever");
        if !busy {
            self.now = self.now.max(alarm);
        }
        self.last = format!("nothing on {cpu}");
    }

    /// The running thread faults or calls.
    fn run(&mut self, cpu: usize, thread: &'static Thread) {
        self.reap_answer(thread);
        let root = thread.process.get() == self.root.header.me();
        if !root && self.dice.one_in(150) {
            self.last = format!("fault of {}", thread.index());
            let trap = Trap { cause: 13, address: self.dice.next() };
            self.kernel.fault(self.kernel.cpus[cpu].here(), thread, trap, self.now);
            self.note("fault", "ok");
            return;
        }
        let process = self.kernel.processes.at(thread.process.get() as u32);
        let made = self.choose(thread, process);
        self.last =
            format!("{} by {} of {} on {cpu} at {}: {made:x?}", made.name, thread.index(), process.index(), self.now);
        for (register, value) in &made.registers {
            thread.frame.set(*register, *value);
        }
        let mailbox = self.kernel.cpus[cpu].here();
        // Whose time is used up is chosen anew after every event.
        let spent = mailbox.load.from(0) & SPENT != 0;
        let calm = mailbox.mail.is_empty() && mailbox.kicked.get() == 0 && !spent;
        let pc = thread.frame.get(0);
        journal::begin();
        testing::ecall(self.kernel, cpu, self.now);
        let changes = journal::end();
        if thread.header.me() != made.thread {
            self.note(made.name, "ok");
        } else if thread.frame.get(0) == pc {
            self.note(made.name, "restart");
        } else {
            self.answered(thread, made, calm.then_some(changes));
        }
    }

    fn answered(&mut self, thread: &'static Thread, made: Made, changes: Option<Vec<Change>>) {
        let running = matches!(thread.state(), State::Running | State::Ready);
        let refused = running.then(|| Status(thread.frame.get(reg::T0)).error()).flatten();
        if let (Some(changes), Some(error)) = (changes, refused)
            && !answers(made.number, error)
        {
            assert_untouched(self.kernel, thread, &changes, &self.last);
            self.refusals += 1;
        }
        if refused.is_none() && running {
            self.endow(thread, &made);
        }
        self.pending.insert(thread.index(), made);
    }

    /// Counts what the last call of a thread came to, now that it runs again.
    fn reap_answer(&mut self, thread: &'static Thread) {
        let Some(made) = self.pending.remove(&thread.index()) else { return };
        if made.thread == thread.header.me() {
            let outcome = match Status(thread.frame.get(reg::T0)).error() {
                None => "ok".to_string(),
                Some(error) => {
                    let known = made.name == "no call" || declared(made.name, error);
                    assert!(known, "{} may not be refused with {}", made.name, error.name());
                    error.name().to_string()
                }
            };
            self.note(made.name, &outcome);
        }
    }

    /// Gives a process a few endpoints that it may call.
    fn introduce(&mut self, process: &'static Process) {
        let places = (64..(self.kernel.blocks.blocks_touched() + 1) * 64).filter(|&place| {
            let slot = self.kernel.blocks.at(place);
            slot.allows(Kind::Endpoint, Rights::TAKE)
        });
        let places: Vec<u32> = places.collect();
        for _ in 0..places.len().min(3) {
            let place = self.dice.pick(&places);
            let found = self.kernel.blocks.at(place);
            let room = process.running() && self.kernel.check_slots(process, 1, 0).is_ok();
            if let (true, Ok(capability)) = (room, self.kernel.transferable(found, process)) {
                self.kernel.insert(process, &capability, place).expect("there is room");
            }
        }
    }

    fn choose(&mut self, thread: &'static Thread, process: &'static Process) -> Made {
        let root = thread.process.get() == self.root.header.me();
        let season = match self.events / 500 % 8 {
            0..4 => Season::Grow,
            4 => Season::Hoard,
            7 => Season::Shrink,
            _ => Season::Live,
        };
        if root && self.to_start != 0 && self.dice.one_in(2) {
            let number = syscall::ThreadStart::NUMBER;
            let registers = Vec::from([(reg::T2, number), (reg::T3, core::mem::take(&mut self.to_start))]);
            return Made { thread: thread.header.me(), name: "ThreadStart", number, registers };
        }
        loop {
            let mut source = Source { kernel: self.kernel, dice: &mut self.dice, process, now: self.now, root, season };
            let (name, number, registers) = source.call(thread);
            let ends = matches!(number, syscall::ThreadExit::NUMBER | syscall::ProcessExit::NUMBER);
            let deaf = matches!(number, ipc::CALL | ipc::REPLY_RECV);
            if !root || !ends && !deaf {
                return Made { thread: thread.header.me(), name, number, registers };
            }
        }
    }

    /// Gives the root process back what it closed.
    fn endow_root(&mut self) {
        for kind in DOWRY {
            let mut slots =
                (64..(self.kernel.blocks.blocks_touched() + 1) * 64).map(|place| self.kernel.blocks.at(place));
            let whole = |slot: &Slot| {
                slot.kind() == Some(kind)
                    && slot.process.get() == self.root.index()
                    && slot.object.get() == 0
                    && slot.rights() == Rights::ALL
            };
            if !slots.any(whole) && self.kernel.check_slots(self.root, 1, 0).is_ok() {
                testing::give(self.kernel, self.root, kind, 0, Rights::ALL);
            }
        }
    }

    /// Makes something of what was made: threads run, children have roots, endpoints have callers.
    fn endow(&mut self, thread: &'static Thread, made: &Made) {
        let process = self.kernel.processes.at(thread.process.get() as u32);
        let Some(handle) = Handle::from_raw(thread.frame.get(reg::A0)) else { return };
        let Ok(found) = self.kernel.slot(process, handle) else { return };
        let object = found.object.get();
        match made.number {
            syscall::ProcessCreate::NUMBER => {
                let Some(child) = self.kernel.processes.get(object) else { return };
                for kind in DOWRY {
                    if self.dice.one_in(2) && self.kernel.check_slots(child, 1, 0).is_ok() {
                        testing::give(self.kernel, child, kind, 0, Rights::ALL);
                    }
                }
            }
            syscall::ThreadCreate::NUMBER => {
                let Some(made) = self.kernel.threads.get(object) else { return };
                made.set_cpu(self.dice.below(CPUS as u64) as u32);
                self.to_start = handle.raw();
                self.introduce(self.kernel.processes.at(made.process.get() as u32));
            }
            syscall::EndpointCreate::NUMBER | syscall::NotificationCreate::NUMBER | syscall::MemoryCreate::NUMBER => {
                for _ in 0..2 {
                    let at = 1 + self.dice.below(u64::from(self.kernel.processes.pool.capacity)) as u32;
                    let other = self.kernel.processes.at(at);
                    let allowed = self.kernel.transferable(found, other);
                    if let (true, true, Ok(capability)) =
                        (other.running(), self.kernel.check_slots(other, 1, 0).is_ok(), allowed)
                    {
                        // Of memory it would name pages that nobody looked at.
                        let badge = if capability.kind.is_memory() { 0 } else { self.dice.below(3) };
                        let capability = Capability { badge, ..capability };
                        self.kernel.insert(other, &capability, found.place.get()).expect("there is room");
                    }
                }
            }
            _ => {}
        }
    }

    fn print(&self) {
        let mut name = "";
        for ((kind, outcome), count) in &self.counts {
            if *kind != name {
                print!("\n{kind:20}");
                name = kind;
            }
            print!(" {outcome} {count}");
        }
        println!();
    }
}

/// True if an answer was given, or could no longer be, before the call was refused: what this changes is meant.
fn answers(number: u64, error: Error) -> bool {
    match number {
        ipc::REPLY_RECV | ipc::REPLY_RECV_UNTIL | ipc::REPLY_RECV_EXTENDED => error == Error::TimedOut,
        ipc::REPLY | ipc::REPLY_EXTENDED => error == Error::PeerClosed,
        // Whoever drives the console hears of the audit line.
        syscall::QosSet::NUMBER => error != Error::NoCall,
        _ => false,
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().map_or(default, |text| text.parse().expect("a decimal number"))
}

fn run(events: u64) {
    let seed = number("NEXUS_SEED", 0x5eed_0001);
    println!("NEXUS_SEED={seed} NEXUS_EVENTS={events}");
    let mut world = World::new(seed);
    for _ in 0..events {
        world.step();
    }
    world.print();
    println!("{} refusals changed nothing", world.refusals);
    let missing: Vec<_> = EXPECTED
        .iter()
        .flat_map(|(kind, outcomes)| outcomes.iter().map(move |outcome| (*kind, *outcome)))
        .filter(|(kind, outcome)| !world.counts.contains_key(&(*kind, outcome.to_string())))
        .collect();
    assert!(missing.is_empty() || events < 100_000, "never came: {missing:?}");
}

#[test]
fn no_sequence_of_events_breaks_an_invariant() {
    run(number("NEXUS_EVENTS", 100_000));
}

#[test]
#[ignore = "the daily tier's length"]
fn no_long_sequence_of_events_breaks_an_invariant() {
    run(number("NEXUS_EVENTS", 1_000_000));
}
