//! The first process: starts children, outlives them, and looks at what they left.

use alloc::string::String;
use core::time::Duration;

use nexus_abi::layout::GROW_BATCH;
use nexus_abi::syscall::{
    Close, Derive, EndpointCreate, InfoInvariants, InfoObjects, MemoryCreate, MemoryGrow, NotificationCreate, PowerOff,
    ProcessKill, ProcessWatch, QosSet, Wait, ipc,
};
use nexus_abi::{Deadline, Error, Handle, Kind, QosClass, Quota, Rights, ServiceId, Shard};
use nexus_rt::kernel::invoke;
use nexus_rt::sys::{Departure, counted};
use nexus_rt::{env, time::deadline_in};

use crate::brood::{Brood, give, give_objects_of, give_remains};
use crate::child::Flavour;
use crate::dice::Dice;
use crate::neighbour::READY;
use crate::report;
use crate::tally::{PAGES, Tally, Word};
use crate::victim;

/// How long a child may make no call before it is killed: it waits for what never comes.
const STILL: Duration = Duration::from_millis(2);
/// How long it may live at all, in units of that.
const LIFE: u32 = 200;
/// How long the counts may take to be as before, in units of that.
const SETTLE: u32 = 200;
/// How long anything may take that must come.
const SURELY: Duration = Duration::from_secs(20);
/// Children before the counts are taken that must come back.
const WARM_UP: u64 = 32;
/// Children between two looks at everything.
const LOOK: u64 = 32;
/// Children between two lines of progress.
const PROGRESS: u64 = 512;
/// What [`InfoObjects`] counts beside the kinds.
const POOLS: [u32; 4] = [0, 64, 65, 66];
const COUNTS: usize = POOLS.len() + Kind::ALL.len();
/// Where the row of processes is.
fn processes() -> usize {
    POOLS.len() + Kind::ALL.iter().position(|kind| *kind == Kind::Process).unwrap_or_default()
}

/// What a child may own.
const QUOTA: Quota = Quota {
    frames: 140,
    threads: 4,
    messages: 8,
    slot_blocks: 2,
    processes: 2,
    endpoints: 6,
    notifications: 8,
    memories: 14,
    mappings: 20,
    timers: 4,
    irqs: 2,
};

/// What was asked for by boot argument.
struct Order {
    seed: u64,
    calls: u64,
    /// The number of the first child.
    first: u64,
}

struct Parent {
    brood: Brood,
    tally: Tally,
    tally_memory: Handle,
    gone: Handle,
    victim: Handle,
    door: Handle,
    /// The owner's way to the victim.
    owner: Handle,
    store: Handle,
    round: u64,
}

/// Runs the whole and stops the machine: with status 0 if nothing was found.
pub(crate) fn run() -> Result<i64, Error> {
    let outcome = order().and_then(fuzz);
    let status = match &outcome {
        Ok(()) => 0,
        Err(error) => {
            nexus_rt::log!("fuzz: FAIL {}", error.name());
            1
        }
    };
    nexus_rt::log!("fuzz: end {status}");
    let _ = invoke(PowerOff { power: env::handle("power")?, status });
    Ok(status.into())
}

fn order() -> Result<Order, Error> {
    let arguments = env::boot_arguments(env::handle("info")?)?;
    let text = String::from_utf8(arguments).map_err(|_| Error::Invalid)?;
    let order = text.split_ascii_whitespace().find_map(|word| word.strip_prefix("selftest=fuzz,"));
    let mut numbers = order.ok_or(Error::NotFound)?.split(',').map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok).ok_or(Error::Invalid);
    Ok(Order { seed: next()?, calls: next()?, first: next()? })
}

fn fuzz(order: Order) -> Result<(), Error> {
    let mut parent = Parent::new()?;
    let mut number = order.first;
    let (mut before, alone) = ([0; COUNTS], counts()[processes()]);
    while parent.tally.calls() < order.calls || number < order.first + WARM_UP {
        parent.raise_one(order.seed, number)?;
        number += 1;
        if number == order.first + WARM_UP {
            before = parent.settled(|now| now[processes()] == alone);
        } else if number.is_multiple_of(LOOK) && number > order.first + WARM_UP {
            parent.look(&before, number)?;
        }
        if number.is_multiple_of(PROGRESS) {
            nexus_rt::log!("fuzz: calls {} next {number}", parent.tally.calls());
        }
    }
    parent.look(&before, number)?;
    report::rows(&parent.tally);
    let digest = parent.tally.word(Word::Digest, 0) ^ parent.tally.word(Word::Digest, 1).rotate_left(32);
    nexus_rt::log!("fuzz: calls {} next {number} digest {digest:016x}", parent.tally.calls());
    Ok(())
}

/// Used objects by row; 0 where the kernel counts none.
fn counts() -> [u64; COUNTS] {
    let info = env::handle("info");
    core::array::from_fn(|row| {
        let kind = POOLS.get(row).copied().unwrap_or_else(|| Kind::ALL[row - POOLS.len()] as u32);
        info.and_then(|info| invoke(InfoObjects { info, kind })).map_or(0, |found| found.used)
    })
}

impl Parent {
    fn new() -> Result<Parent, Error> {
        // Room on the heap, so that it does not grow once objects are counted.
        drop(alloc::vec::Vec::<u8>::with_capacity(128 * 1024));
        let tally_memory = invoke(MemoryCreate { process: None, pages: PAGES })?.memory;
        while invoke(MemoryGrow { memory: tally_memory, pages: GROW_BATCH })?.total < PAGES {}
        let brood = Brood::new()?;
        let quota = Quota { messages: 16, ..QUOTA };
        let mut embryo = brood.conceive(ServiceId::program("app/victim"), quota, Shard::new(1))?;
        let process = Some(embryo.process());
        let store = invoke(MemoryCreate { process, pages: victim::STORE_PAGES })?.memory;
        invoke(MemoryGrow { memory: store, pages: victim::STORE_PAGES })?;
        let door = invoke(EndpointCreate { process, queue: 16 })?.endpoint;
        give(&mut embryo, env::SERVE, door, Rights::ALL)?;
        give(&mut embryo, "store", store, Rights::USE.union(Rights::TAKE))?;
        let owner = invoke(Derive { source: door, rights: Rights::USE, badge: victim::OWNER })?.handle;
        let victim = brood.start(embryo, "victim")?;
        Ok(Parent {
            brood,
            tally: Tally::over(tally_memory)?,
            tally_memory,
            gone: invoke(NotificationCreate { process: None })?.notification,
            victim,
            door,
            owner,
            store,
            round: 0,
        })
    }

    /// One child, from its making to its end.
    fn raise_one(&self, seed: u64, number: u64) -> Result<(), Error> {
        let mut dice = Dice::new(seed ^ number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let flavour = match number % 16 {
            at @ 1..6 => Flavour::ALL[at as usize],
            _ => Flavour::Plain,
        };
        self.tally.set_word(Word::Seed, 0, dice.next());
        self.tally.set_word(Word::Flavour, 0, flavour as u64);
        (0..2).for_each(|at| self.tally.set_word(Word::Heritage, at, 0));
        let (service, quota) = match flavour {
            Flavour::Raiser => (ServiceId::service("init"), Quota { threads: 90, frames: 400, ..QUOTA }),
            _ => (ServiceId::program("app/fuzz"), QUOTA),
        };
        let mut embryo = self.brood.conceive(service, quota, Shard::new(dice.below(5) as u8))?;
        self.furnish(&mut embryo, flavour, number)?;
        let neighbour = match flavour {
            Flavour::Neighbour => Some(self.move_in(&mut embryo)?),
            _ => None,
        };
        let process = self.brood.start(embryo, "child")?;
        self.outlive(process)?;
        if let Some(process) = neighbour {
            let _ = invoke(ProcessKill { process, status: 0 });
            invoke(Close { handle: process })?;
        }
        // A child may have lowered this program's class.
        invoke(QosSet { class: QosClass::Interactive as u8, target: 0 }).map(drop)
    }

    /// Gives a child its handles.
    fn furnish(&self, embryo: &mut launch::Embryo, flavour: Flavour, number: u64) -> Result<(), Error> {
        let pass = Rights::USE.union(Rights::TRANSFER);
        let (quiet, loud) = (Rights::TRANSFER, pass.union(Rights::TAKE));
        let devices = if flavour == Flavour::Devices { pass } else { quiet };
        let own = if number.is_multiple_of(2) { Rights::ALL } else { pass };
        let process = embryo.process();
        let given = [
            ("info", env::handle("info")?, pass),
            ("info-bare", env::handle("info")?, quiet),
            ("spawn-root", env::handle("spawn")?, if number % 4 == 1 { Rights::ALL } else { quiet }),
            ("power", env::handle("power")?, quiet),
            ("devices", env::handle("devices")?, devices),
            ("image", env::handle("image")?, pass),
            ("console", env::handle("log")?, if number % 8 == 3 { loud } else { quiet }),
            ("self", process, own),
            ("victim", self.victim, Rights::TAKE.union(Rights::TRANSFER)),
            ("door", self.door, pass),
            ("store", self.store, pass),
            ("tally", self.tally_memory, Rights::USE.union(Rights::TAKE)),
        ];
        for (name, handle, rights) in given {
            give(embryo, name, handle, rights)?;
        }
        if number.is_multiple_of(4) {
            give_remains(&self.brood, embryo)?;
        }
        Ok(())
    }

    /// Starts the neighbour of a child; answers its handle.
    fn move_in(&self, child: &mut launch::Embryo) -> Result<Handle, Error> {
        let mut embryo = self.brood.conceive(ServiceId::program("app/neighbour"), QUOTA, Shard::new(2))?;
        give(&mut embryo, "heir", child.process(), Rights::USE)?;
        give(&mut embryo, "devices", env::handle("devices")?, Rights::USE)?;
        give(&mut embryo, "console", env::handle("log")?, Rights::TAKE)?;
        give(&mut embryo, "gone", self.gone, Rights::USE)?;
        give(&mut embryo, "tally", self.tally_memory, Rights::USE.union(Rights::TAKE))?;
        give_objects_of(embryo.process(), child, ["near-endpoint", "near-signal", "near-set", "near-memory"])?;
        let process = self.brood.start(embryo, "neighbour")?;
        let signalled = invoke(Wait { notification: self.gone, deadline: deadline_in(SURELY) })?.bits;
        if signalled != READY {
            return Err(Error::State);
        }
        give(child, "neighbour", process, Rights::ALL)?;
        Ok(process)
    }

    /// Waits until a child is gone, and all that it had is back; ends one that makes no calls any more.
    fn outlive(&self, process: Handle) -> Result<(), Error> {
        invoke(ProcessWatch { process, notification: self.gone, bits: 1 })?;
        let mut before = self.tally.calls();
        for _ in 0..LIFE {
            match invoke(Wait { notification: self.gone, deadline: deadline_in(STILL) }) {
                Ok(_) => return invoke(Close { handle: process }).map(drop),
                Err(Error::TimedOut) => {}
                Err(error) => return Err(error),
            }
            let now = self.tally.calls();
            if now == core::mem::replace(&mut before, now) {
                break;
            }
        }
        // It waits until all is back. A child that watched itself has taken the signal away.
        invoke(ProcessKill { process, status: 0 })?;
        let _ = invoke(Wait { notification: self.gone, deadline: Deadline(0) });
        invoke(Close { handle: process }).map(drop)
    }

    /// The counts, once they are as they must be: what dead children had begun is taken back behind this program's back.
    fn settled(&self, due: impl Fn(&[u64; COUNTS]) -> bool) -> [u64; COUNTS] {
        let mut after = counts();
        for _ in 0..SETTLE {
            if due(&after) {
                break;
            }
            let _ = invoke(Wait { notification: self.gone, deadline: deadline_in(STILL) });
            after = counts();
        }
        after
    }

    /// Looks at everything that must be as before: the victim's memory, the kernel's invariants, every count.
    fn look(&mut self, before: &[u64; COUNTS], number: u64) -> Result<(), Error> {
        let call = Departure {
            number: ipc::CALL_UNTIL,
            target: self.owner.raw(),
            deadline: deadline_in(SURELY).0,
            extent: 0,
            words: [0; 8],
        };
        let arrival = counted(&call).arrival;
        let told = arrival.status.error().map_or(Ok(arrival.words[0]), Err);
        if told != Ok(victim::expected(self.round)) {
            nexus_rt::log!("fuzz: FAIL the victim's memory, before child {number}: {told:x?}");
            return Err(Error::Corrupt);
        }
        self.round += 1;
        let found = invoke(InfoInvariants { info: env::handle("info")? })?;
        if found.violations > 0 || found.checked == 0 {
            nexus_rt::log!("fuzz: FAIL {} invariants, before child {number}", found.violations);
            return Err(Error::State);
        }
        let after = self.settled(|now| now == before);
        let differs = before.iter().zip(&after).position(|(was, is)| was != is);
        match differs {
            None => Ok(()),
            Some(row) => {
                let (was, is) = (before[row], after[row]);
                nexus_rt::log!("fuzz: FAIL row {row} of the counts was {was}, is {is} before child {number}");
                report::owners();
                Err(Error::OverLimit)
            }
        }
    }
}
