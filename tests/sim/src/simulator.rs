//! One run: picks what happens next, lets it happen, checks.

use std::collections::BTreeMap;
use std::rc::Rc;

use nexus_abi::image::Image;
use nexus_abi::syscall::{Bind, Defer, Derive, InfoProcess, Inspect, LogWrite, Notify, Syscall, Wait, ipc};
use nexus_abi::{Error, ServiceId};
use nexus_core::Kernel;
use nexus_core::boot::First;
use nexus_core::cpu::Next;
use nexus_core::invariant::Check;
use nexus_core::thread::{State, Thread, reg};

use crate::cast::{CLIENTS, VICTIMS, VISITOR, program};
use crate::census::Census;
use crate::client::DEEDS;
use crate::events::{Harts, Way};
use crate::image::{self, IMAGE};
use crate::play::{Act, Play};
use crate::program::{Phase, Program};
use crate::random::mix;
use crate::{Report, machine};

/// CPUs of the simulated machine.
const CPUS: usize = 2;
/// Events after which an act that should be over is not.
const PATIENCE: u64 = 20_000;
/// An event takes 0.1 µs to this many ticks.
const STEP: u64 = 40;
/// While there is trouble: once in so many events everything stands still for up to 5 ms.
const STALL: (u64, u64) = (256, 50_000);
/// Once in so many of its system calls a victim crashes before it.
const CRASH: u64 = 150;
/// Once in so many a one-way message meets a full queue.
const DROP: u64 = 20;

/// Calls that change no memory, those of messages apart: tables, mappings and frames are not looked at after them.
const SPARES_MEMORY: [u64; 8] = [
    Wait::NUMBER,
    Notify::NUMBER,
    LogWrite::NUMBER,
    Inspect::NUMBER,
    Bind::NUMBER,
    Defer::NUMBER,
    Derive::NUMBER,
    InfoProcess::NUMBER,
];
/// What was done to memory is looked at by the next event whose number this divides, if not more seldom: tables are long
/// to walk.
const LOOK: u64 = 32;
/// Lines of the console that go with an error.
const LINES: usize = 12;

/// Something that can happen now.
#[derive(Clone, Copy, Debug)]
enum Event {
    Timer(usize),
    Kick(usize),
    Reap(usize),
    Run(usize, u32),
}

impl Event {
    fn number(self) -> u64 {
        match self {
            Event::Timer(cpu) => cpu as u64,
            Event::Kick(cpu) => 0x100 | cpu as u64,
            Event::Reap(cpu) => 0x200 | cpu as u64,
            Event::Run(cpu, thread) => 0x300 | cpu as u64 | u64::from(thread) << 16,
        }
    }
}

/// What an event may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Touched {
    /// No memory: tables, mappings, objects and frames are as they were.
    State,
    /// Anything.
    Memory,
}

/// A run.
pub(crate) struct Simulator {
    kernel: &'static Kernel,
    harts: Harts,
    programs: BTreeMap<u32, Program>,
    /// Identities of programs that crash.
    victims: [u64; VICTIMS.len() + 1],
    play: Rc<Play>,
    report: Report,
    /// Whether each call is printed.
    spoken: bool,
    /// The invariants are looked at after each event whose number this divides, and when an act is over.
    look: u64,
    /// What has changed since it was looked at.
    unseen: Touched,
    /// Who dies, and at which of its system calls from now on; nobody at 0.
    doomed: Option<(u64, u64)>,
    /// Everything that happened, in one number.
    hash: u64,
}

impl Simulator {
    /// A machine that has just been switched on, whose invariants are looked at after every event in so many.
    pub(crate) fn new(seed: u64, look: u64) -> Simulator {
        let (kernel, play) = (machine::kernel(CPUS), Play::begin(seed));
        let all = image::image();
        let bytes = &all[..image::length()];
        let image = Image::read(bytes).expect("the image is sound");
        let behind = IMAGE + bytes.len() as u64;
        let first = First { image, bytes, image_range: IMAGE..behind, device_tree: behind..IMAGE + all.len() as u64 };
        kernel.start_first(&first, 0).expect("there is room for init");
        let report = Report { seed, ..Report::default() };
        let mut victims = [program(VISITOR).0; VICTIMS.len() + 1];
        victims.iter_mut().zip(VICTIMS).for_each(|(id, name)| *id = ServiceId::service(name).0);
        let (programs, spoken) = (BTreeMap::new(), std::env::var_os("NEXUS_SIM_TRACE").is_some());
        Simulator {
            kernel,
            harts: Harts::new(kernel),
            programs,
            victims,
            play,
            report,
            spoken,
            look,
            unseen: Touched::Memory,
            doomed: None,
            hash: seed,
        }
    }

    /// The three acts. An error says what must not be, at which event, and what was printed last.
    pub(crate) fn run(mut self, events: u64) -> Result<Report, String> {
        self.play_out(events).map_err(|what| {
            let mut lines: Vec<&str> = self.harts.console.lines().rev().take(LINES).collect();
            lines.reverse();
            format!("{what}, at event {}\n{}\n{}", self.report.events, lines.join("\n"), self.threads())
        })?;
        Ok(self.report)
    }

    /// What each thread does, for people.
    fn threads(&self) -> String {
        let line = |(index, program): (&u32, &Program)| {
            let thread = self.kernel.threads.at(*index);
            let (name, state, phase) = (name_of(thread.service.get()), thread.state(), program.phase);
            format!(
                "{name}: {state:?} {phase:?}, call {} of {:#x}\n",
                thread.frame.get(reg::T2),
                thread.frame.get(reg::T3)
            )
        };
        self.programs.iter().map(line).collect()
    }

    /// One call of a client, while who serves it dies before its system call of this number, counted from the moment when
    /// that call is made. None: it was through before. Else whether the call was answered.
    pub(crate) fn run_interrupted(mut self, deed: usize, number: u64) -> Result<Option<bool>, String> {
        self.until_quiet()?;
        let before = Census::take(self.kernel);
        self.play.deed.set(Some(deed));
        self.doomed = Some((DEEDS[deed].victim(), number));
        self.play.turn(Act::Trouble);
        let end = self.report.events + PATIENCE;
        while self.play.through.get() < CLIENTS.len() {
            self.step()?;
            if self.report.events > end {
                return Err(format!("the caller hangs\n{}", self.threads()));
            }
        }
        self.doomed = None;
        self.play.turn(Act::Ending);
        self.until_quiet()?;
        Census::take(self.kernel).same_as(&before)?;
        let answered = self.play.done.get() == Some(Ok(()));
        Ok((self.report.kills > 0).then_some(answered))
    }

    fn play_out(&mut self, events: u64) -> Result<(), String> {
        self.until_quiet()?;
        let before = Census::take(self.kernel);
        self.play.turn(Act::Trouble);
        let end = self.report.events + events;
        while self.report.events < end {
            self.step()?;
        }
        self.play.turn(Act::Ending);
        self.until_quiet()?;
        Census::take(self.kernel).same_as(&before)?;
        let mut seen = self.play.seen.take();
        self.report.answered = seen.answered;
        self.report.refused = core::mem::take(&mut seen.refused);
        (self.report.latest, self.report.slowest) = (seen.latest, seen.slowest);
        self.report.hash = self.hash;
        Ok(())
    }

    /// Goes on until every client is through with the act and nothing is left to do.
    fn until_quiet(&mut self) -> Result<(), String> {
        let end = self.report.events + PATIENCE;
        while self.report.events < end {
            if self.play.through.get() == CLIENTS.len() && self.possible().is_empty() {
                return self.look_at(self.unseen);
            }
            self.step()?;
        }
        Err(format!(
            "{:?} does not end: {} of {} clients are through",
            self.play.act.get(),
            self.play.through.get(),
            CLIENTS.len()
        ))
    }

    /// What can happen now.
    fn possible(&self) -> Vec<Event> {
        let now = self.play.now.get();
        let mut events = Vec::new();
        for (at, cpu) in self.kernel.cpus.iter().enumerate() {
            if cpu.here().alarm() <= now {
                events.push(Event::Timer(at));
            }
            if self.harts.is_kicked(at) {
                events.push(Event::Kick(at));
            }
            match self.kernel.next(self.kernel.cpus[at].here()) {
                Next::Run(thread) => events.push(Event::Run(at, thread)),
                Next::Reap => events.push(Event::Reap(at)),
                Next::Idle => {}
            }
        }
        events
    }

    /// One event, and a look at everything.
    fn step(&mut self) -> Result<(), String> {
        let events = self.possible();
        if events.is_empty() {
            return self.sleep();
        }
        let event = self.play.random.borrow_mut().pick(&events);
        self.pass_time();
        let now = self.play.now.get();
        let touched = match event {
            Event::Timer(cpu) => {
                self.harts.timer(cpu, now);
                Touched::State
            }
            Event::Kick(cpu) => {
                self.harts.kick(cpu, now);
                Touched::State
            }
            Event::Reap(cpu) => {
                self.harts.reap(cpu, now);
                Touched::Memory
            }
            Event::Run(cpu, thread) => match self.run_thread(cpu, self.kernel.threads.at(thread))? {
                Some(touched) => touched,
                None => return Ok(()),
            },
        };
        self.report.events += 1;
        self.note(&[now, event.number()]);
        self.bury();
        self.check(touched)
    }

    fn note(&mut self, words: &[u64]) {
        self.hash = words.iter().fold(self.hash, |hash, word| mix(hash.rotate_left(5) ^ word));
    }

    /// Nothing can happen before some alarm.
    fn sleep(&mut self) -> Result<(), String> {
        match self.kernel.cpus.iter().map(|cpu| cpu.here().alarm()).min() {
            Some(alarm) if alarm != u64::MAX => {
                self.play.now.set(alarm);
                Ok(())
            }
            _ => Err(format!("nobody will ever wake: {} clients are through", self.play.through.get())),
        }
    }

    fn pass_time(&mut self) {
        let mut random = self.play.random.borrow_mut();
        let mut took = 1 + random.below(STEP);
        if self.play.act.get() == Act::Trouble && random.once_in(STALL.0) {
            took += random.below(STALL.1);
        }
        drop(random);
        self.play.now.set(self.play.now.get() + took);
    }

    /// Lets a thread go on to its next system call, which is no event of the kernel's; or makes that call.
    fn run_thread(&mut self, cpu: usize, thread: &'static Thread) -> Result<Option<Touched>, String> {
        let index = thread.index();
        if self.programs.get(&index).is_none_or(|program| program.me != thread.header.me()) {
            let program = Program::new(self.kernel, thread, &self.play);
            let program = program.ok_or_else(|| format!("nobody knows the program of thread {index}"))?;
            self.programs.insert(index, program);
        }
        let program = self.programs.get_mut(&index).expect("it was just put there");
        if program.phase == Phase::User {
            let out = program.go_on();
            self.note(&[out.number, out.target, out.deadline, out.extent]);
            self.note(&out.words);
            return Ok(None);
        }
        if self.crashes(thread) {
            self.report.kills += 1;
            self.harts.crash(cpu, thread, self.play.now.get());
            return Ok(Some(Touched::Memory));
        }
        let (frame, pc) = (&thread.frame, thread.frame.get(0));
        let number = frame.get(reg::T2);
        let spares = number <= ipc::SEND || SPARES_MEMORY.contains(&number);
        let touched = if spares { Touched::State } else { Touched::Memory };
        if self.drops(thread) {
            self.report.drops += 1;
            frame.set(0, pc + 4);
            frame.refuse(Error::Again);
        } else {
            let first = self.play.random.borrow_mut().pick(&[Way::Straight, Way::Straight, Way::Detour, Way::General]);
            let way = self.harts.call(cpu, thread, (first, self.play.now.get()));
            self.report.ways[way as usize] += 1;
            self.tell(thread, (number, way));
        }
        // A call of which only a step is done is made again.
        if frame.get(0) != pc
            && let Some(program) = self.programs.get_mut(&index)
        {
            program.phase = Phase::User;
        }
        if self.harts.power { Err("the machine was switched off".into()) } else { Ok(Some(touched)) }
    }

    /// Prints a call and what stands in its caller's frame after it, if that is wanted.
    fn tell(&self, thread: &Thread, (number, way): (u64, Way)) {
        if self.spoken {
            let (now, name, frame) = (self.play.now.get(), name_of(thread.service.get()), &thread.frame);
            let words: [u64; 4] = core::array::from_fn(|at| frame.message(at));
            let (state, status) = (thread.state(), frame.get(reg::T0));
            println!("{now}: {name} calls {number} {way:?}: {state:?}, status {status:#x}, words {words:x?}");
        }
    }

    fn crashes(&mut self, thread: &Thread) -> bool {
        let service = thread.service.get();
        if self.play.deed.get().is_some() {
            let Some((_, left)) = self.doomed.as_mut().filter(|(victim, left)| *victim == service && *left > 0) else {
                return false;
            };
            *left -= 1;
            return *left == 0;
        }
        self.play.act.get() == Act::Trouble
            && self.victims.contains(&service)
            && self.play.random.borrow_mut().once_in(CRASH)
    }

    fn drops(&self, thread: &Thread) -> bool {
        let sends = thread.frame.get(reg::T2) == ipc::SEND;
        sends
            && self.play.deed.get().is_none()
            && self.play.act.get() == Act::Trouble
            && self.play.random.borrow_mut().once_in(DROP)
    }

    /// Programs of threads that are gone are taken from their stacks.
    fn bury(&mut self) {
        let threads = &self.kernel.threads;
        self.programs.retain(|&index, program| {
            let thread = threads.at(index);
            thread.header.me() == program.me && thread.state() != State::Dead
        });
    }

    /// Every invariant that the event could have broken, those of memory by and by; and what clients object to.
    fn check(&mut self, touched: Touched) -> Result<(), String> {
        if touched == Touched::Memory {
            self.unseen = touched;
        }
        if self.report.events.is_multiple_of(self.look) {
            let by_now = self.report.events.is_multiple_of(self.look.max(LOOK));
            self.look_at(if by_now { self.unseen } else { Touched::State })?;
        }
        match &self.play.seen.borrow().wrong {
            Some(wrong) => Err(wrong.clone()),
            None => Ok(()),
        }
    }

    /// Every invariant of what was touched.
    fn look_at(&mut self, touched: Touched) -> Result<(), String> {
        let mut found = Check::default();
        self.kernel.check_state(&mut found);
        if touched == Touched::Memory {
            self.kernel.check_memory(&mut found);
            self.unseen = Touched::State;
        }
        match found.first {
            Some(first) => Err(format!("the kernel: not so: {first} (at {})", found.first_at)),
            None => Ok(()),
        }
    }
}

/// What the manifest calls an identity.
fn name_of(service: u64) -> String {
    let name = crate::cast::wiring().name_of(ServiceId(service));
    name.map_or("init".into(), |name| name.as_str().into())
}
