//! How one CPU is divided between threads, and how soon one that waited runs.
//!
//! For a machine with one hart that counts instructions: what is printed is the same on every run.

use alloc::{boxed::Box, sync::Arc};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use nexus_abi::syscall::{NotificationCreate, Notify, QosSet, SharesSet, Wait, Yield};
use nexus_abi::{Deadline, Error, Handle, QosClass};
use nexus_rt::time::{Instant, deadline_in};
use nexus_rt::{kernel::invoke, println, thread};

const SECOND: Duration = Duration::from_secs(1);
const STACK_PAGES: u64 = 2;
/// Three times the weight is three times the CPU, within 5 %.
const HEAVY_PER_LIGHT: core::ops::RangeInclusive<u64> = 2850..=3150;
/// What a lower class makes of the CPU beside a higher one that never waits, in thousandths: at least one in a hundred.
const LOWER: u64 = 10;
/// Times that a thread sleeps beside lower classes, and how long.
const NAPS: u32 = 300;
const NAP: Duration = Duration::from_micros(700);
/// Instructions after the end of its nap by which it must run.
const LATEST: u64 = 50_000;
/// Signalled once each thread has begun, and once it has ended; one bit a lane.
const BEGUN: u64 = 0b0011;
const ENDED: u64 = 0b1100;
/// Those of the first lane.
const MINE: u64 = 0b0101;
/// For that.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a thread does with the CPU.
#[derive(Clone, Copy)]
enum Habit {
    Count,
    GiveAway,
    Nap,
}

/// What the two threads are, and what they do.
type Trial = ([(u32, QosClass); 2], Habit);

const CLASSES: Trial = ([(100, QosClass::Idle), (100, QosClass::Normal)], Habit::Count);
const SHARES: Trial = ([(100, QosClass::Idle), (300, QosClass::Idle)], Habit::Count);
const LOW: [(u32, QosClass); 2] = [(100, QosClass::Idle); 2];
const SLEEPER: [(&str, Trial); 3] =
    [("count", (LOW, Habit::Count)), ("give the CPU away", (LOW, Habit::GiveAway)), ("nap", (LOW, Habit::Nap))];

/// Two threads that go through one trial after the other.
struct Pair {
    laps: [AtomicU64; 2],
    over: AtomicBool,
    /// Signalled for each to begin.
    go: [Handle; 2],
    /// Signalled by each that has begun or ended.
    met: Handle,
}

/// Prints what came of each trial; answers how many broke their promise.
pub(crate) fn divide() -> Result<i64, Error> {
    let never = notification()?;
    let pair = Pair::start()?;
    let [lower, higher] = pair.race(never)?;
    let part = lower * 1000 / (lower + higher).max(1);
    println!("a lower class beside a higher one that never waits: {}.{} %", part / 10, part % 10);
    let [light, heavy] = pair.race(never)?;
    let ratio = heavy * 1000 / light.max(1);
    println!("shares 100 and 300 of a second: 1 to {}.{:03}", ratio / 1000, ratio % 1000);
    let mut broken = i64::from(!HEAVY_PER_LIGHT.contains(&ratio)) + i64::from(part < LOWER);
    for (name, _) in SLEEPER {
        let latest = pair.latest(never)?;
        println!("woken beside two of a lower class that {name}: after at most {latest} instructions");
        broken += i64::from(latest > LATEST);
    }
    println!("{broken} promises broken");
    Ok(broken.min(1))
}

impl Pair {
    /// The first trial is [`CLASSES`], since nobody may raise itself, then come [`SHARES`] and those of [`SLEEPER`].
    fn start() -> Result<Arc<Pair>, Error> {
        let (go, met) = ([notification()?, notification()?], notification()?);
        let pair = Arc::new(Pair { laps: Default::default(), over: AtomicBool::new(false), go, met });
        for lane in 0..2 {
            let theirs = pair.clone();
            let body = move || {
                // Who is refused a signal is missed at the deadline.
                let _ = theirs.work_off(lane);
                thread::exit();
            };
            thread::spawn(STACK_PAGES, Box::new(body))?;
        }
        Ok(pair)
    }

    fn work_off(&self, lane: usize) -> Result<(), Error> {
        let trials = [CLASSES, SHARES].into_iter().chain(SLEEPER.map(|(_, trial)| trial));
        for (runners, habit) in trials {
            invoke(Wait { notification: self.go[lane], deadline: Deadline::NEVER })?;
            take_class(runners[lane]);
            invoke(Notify { notification: self.met, bits: BEGUN & MINE << lane })?;
            self.run(lane, habit);
            invoke(Notify { notification: self.met, bits: ENDED & MINE << lane })?;
        }
        Ok(())
    }

    fn run(&self, lane: usize, habit: Habit) {
        while !self.over.load(Ordering::Relaxed) {
            self.laps[lane].fetch_add(1, Ordering::Relaxed);
            match habit {
                Habit::Count => {}
                Habit::GiveAway => _ = invoke(Yield {}),
                Habit::Nap => sleep(self.go[lane], Duration::from_micros(30 + 20 * lane as u64)),
            }
        }
    }

    fn begin(&self) -> Result<(), Error> {
        self.over.store(false, Ordering::Relaxed);
        for go in self.go {
            invoke(Notify { notification: go, bits: 1 })?;
        }
        self.wait_for(BEGUN)
    }

    fn end(&self) -> Result<(), Error> {
        self.over.store(true, Ordering::Relaxed);
        self.wait_for(ENDED)
    }

    fn wait_for(&self, bits: u64) -> Result<(), Error> {
        let (deadline, mut came) = (deadline_in(PATIENCE), 0);
        while came & bits != bits {
            came |= invoke(Wait { notification: self.met, deadline })?.bits;
        }
        Ok(())
    }

    /// How far both get in a second.
    fn race(&self, never: Handle) -> Result<[u64; 2], Error> {
        self.begin()?;
        let read = || [0, 1].map(|lane: usize| self.laps[lane].load(Ordering::Relaxed));
        let before = read();
        sleep(never, SECOND);
        let after = read();
        self.end()?;
        Ok([0, 1].map(|lane| after[lane] - before[lane]))
    }

    /// The longest time from the end of a nap beside them to the first instruction after it.
    fn latest(&self, never: Handle) -> Result<u64, Error> {
        self.begin()?;
        let mut late = Duration::ZERO;
        for _ in 0..NAPS {
            let due = Instant::now().after(NAP);
            let _ = invoke(Wait { notification: never, deadline: due });
            late = late.max(Instant::now().since(Instant::from_ticks(due.0)));
        }
        self.end()?;
        Ok(late.as_nanos() as u64)
    }
}

pub(crate) fn notification() -> Result<Handle, Error> {
    invoke(NotificationCreate { process: None }).map(|made| made.notification)
}

/// Who is refused runs as it is, which the outcome then shows.
fn take_class((shares, class): (u32, QosClass)) {
    let _ = invoke(SharesSet { thread: None, shares });
    let _ = invoke(QosSet { class: class as u8, target: 0 });
}

/// Nobody notifies: only the deadline ends this.
pub(crate) fn sleep(never: Handle, time: Duration) {
    let _ = invoke(Wait { notification: never, deadline: deadline_in(time) });
}
