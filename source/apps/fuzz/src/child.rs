//! A child: two threads that make random calls in one address space until they are through or dead.

use alloc::boxed::Box;

use nexus_abi::layout::IPC_PAGE;
use nexus_abi::syscall::{
    EndpointCreate, MemoryCreate, MemoryGrow, NotificationCreate, TimerCreate, WaitSetCreate, Yield,
};
use nexus_abi::{Error, Kind};
use nexus_rt::sys::{Departure, poke};
use nexus_rt::{env, kernel::invoke, thread};

use crate::dice::Dice;
use crate::fuzzer::{Fuzzer, Touch};
use crate::pool::Pool;
use crate::scenes;
use crate::tally::{Tally, Word};

/// Sequences of the first thread.
const SEQUENCES: u64 = 48;
/// Calls of the second thread.
const DISTURBANCES: u64 = 160;
/// Pages of the second thread's stack.
const STACK_PAGES: u64 = 3;
/// Handles that children start with, by name, and what they are.
const GIVEN: [(&str, Kind); 22] = [
    ("log", Kind::Log),
    ("console", Kind::Log),
    ("info", Kind::Info),
    ("info-bare", Kind::Info),
    ("spawn", Kind::Spawn),
    ("spawn-root", Kind::Spawn),
    ("power", Kind::Power),
    ("devices", Kind::DeviceRoot),
    ("image", Kind::Memory),
    ("self", Kind::Process),
    ("victim", Kind::Process),
    ("door", Kind::Endpoint),
    ("store", Kind::Memory),
    ("dead", Kind::Process),
    ("dead-endpoint", Kind::Endpoint),
    ("dead-signal", Kind::Notification),
    ("dead-set", Kind::WaitSet),
    ("dead-memory", Kind::Memory),
    ("neighbour", Kind::Process),
    ("near-endpoint", Kind::Endpoint),
    ("near-signal", Kind::Notification),
    ("near-memory", Kind::Memory),
];

/// What sort of child it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
pub(crate) enum Flavour {
    /// Like most.
    Plain = 0,
    /// It may mint windows and interrupt lines, and so leaves alone what it maps.
    Devices = 1,
    /// Its identity may raise classes, and it may have many threads.
    Raiser = 2,
    /// A neighbour owns some of what it has.
    Neighbour = 3,
    /// It plays what takes a capability that is being revoked.
    Revoking = 4,
    /// It plays what takes full tables.
    Full = 5,
}

impl Flavour {
    /// Every flavour, by number.
    pub(crate) const ALL: [Flavour; 6] =
        [Flavour::Plain, Flavour::Devices, Flavour::Raiser, Flavour::Neighbour, Flavour::Revoking, Flavour::Full];
}

/// Everything a child does.
pub(crate) fn run() -> Result<i64, Error> {
    let tally = Tally::given()?;
    let mut dice = Dice::new(tally.word(Word::Seed, 0));
    let flavour = Flavour::ALL[tally.word(Word::Flavour, 0) as usize % Flavour::ALL.len()];
    let touch = if flavour == Flavour::Devices { Touch::Nothing } else { Touch::Memory };
    let named = |name: &str| env::handle(name).map_or(7, |handle| handle.raw());
    let processes = [0, named("self"), named("dead"), named("victim")];
    let pool = furnish(&tally, &mut dice)?;
    let mut own = Fuzzer { dice, pool, tally, linked: false, processes, touch };
    scenes::play(flavour, &mut own);
    let mut other = own.twin();
    thread::spawn(STACK_PAGES, Box::new(move || disturb(&mut other)))?;
    for _ in 0..SEQUENCES {
        own.sequence();
        let _ = own.ask(Yield {});
    }
    Ok(0)
}

/// Makes one of everything, and gathers what it was given.
fn furnish(tally: &Tally, dice: &mut Dice) -> Result<Pool, Error> {
    let mut pool = Pool::empty();
    for (name, kind) in GIVEN {
        if let Ok(handle) = env::handle(name) {
            pool.add(handle.raw(), Some(kind), dice);
        }
    }
    for (at, kind) in [(0, Kind::Timer), (1, Kind::Irq)] {
        match tally.word(Word::Heritage, at) {
            0 => {}
            handle => pool.add(handle, Some(kind), dice),
        }
    }
    let process = None;
    let notification = invoke(NotificationCreate { process })?.notification;
    let memory = invoke(MemoryCreate { process, pages: 4 })?.memory;
    invoke(MemoryGrow { memory, pages: 2 })?;
    let made = [
        (invoke(EndpointCreate { process, queue: 2 })?.endpoint, Kind::Endpoint),
        (invoke(EndpointCreate { process, queue: 0 })?.endpoint, Kind::Endpoint),
        (invoke(NotificationCreate { process })?.notification, Kind::Notification),
        (invoke(WaitSetCreate { process })?.wait_set, Kind::WaitSet),
        (invoke(TimerCreate { notification, bits: 1 })?.timer, Kind::Timer),
        (notification, Kind::Notification),
        (memory, Kind::Memory),
    ];
    made.into_iter().for_each(|(handle, kind)| pool.add(handle.raw(), Some(kind), dice));
    Ok(pool)
}

/// The second thread: it takes part in messages, changes mappings, and writes into the first one's IPC page.
fn disturb(fuzzer: &mut Fuzzer) {
    for _ in 0..DISTURBANCES {
        match fuzzer.dice.below(8) {
            0 => {
                let (place, handle) = (fuzzer.dice.below(8), fuzzer.any_handle());
                poke(IPC_PAGE + 8 * place, handle);
            }
            1 => drop(fuzzer.ask(Yield {})),
            2 => {
                let call: Departure = fuzzer.any_call();
                fuzzer.act(&call);
            }
            _ => {
                let call = fuzzer.disturbing_call();
                fuzzer.act(&call);
            }
        }
    }
}
