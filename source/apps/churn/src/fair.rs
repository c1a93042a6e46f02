//! How one CPU is divided between threads, and how soon one that waited runs.
//!
//! For a machine with one hart that counts instructions: what is printed is the same on every run.

use alloc::{boxed::Box, sync::Arc, vec::Vec};
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use core::time::Duration;
use nexus_abi::syscall::{NotificationCreate, QosSet, SharesSet, Wait, Yield};
use nexus_abi::{Error, Handle, QosClass};
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
/// In which every thread has begun.
const BEGUN: Duration = Duration::from_millis(50);

/// What a thread does with the CPU.
#[derive(Clone, Copy)]
enum Habit {
    Count,
    GiveAway,
    Nap,
}

/// What the threads of one trial share.
#[derive(Default)]
struct Trial {
    laps: [AtomicU64; 2],
    over: AtomicBool,
    gone: AtomicU64,
}

/// Prints what came of each trial; answers how many broke their promise.
pub(crate) fn divide() -> Result<i64, Error> {
    let never = invoke(NotificationCreate { process: None })?.notification;
    let [light, heavy] = race(never, [(100, QosClass::Idle), (300, QosClass::Idle)])?;
    let ratio = heavy * 1000 / light.max(1);
    println!("shares 100 and 300 of a second: 1 to {}.{:03}", ratio / 1000, ratio % 1000);
    let [lower, higher] = race(never, [(100, QosClass::Idle), (100, QosClass::Normal)])?;
    let part = lower * 1000 / (lower + higher).max(1);
    println!("a lower class beside a higher one that never waits: {}.{} %", part / 10, part % 10);
    let mut broken = i64::from(!HEAVY_PER_LIGHT.contains(&ratio)) + i64::from(part < LOWER);
    for (name, habit) in [("count", Habit::Count), ("give the CPU away", Habit::GiveAway), ("nap", Habit::Nap)] {
        let latest = latest(never, habit)?;
        println!("woken beside two of a lower class that {name}: after at most {latest} instructions");
        broken += i64::from(latest > LATEST);
    }
    println!("{broken} promises broken");
    Ok(broken.min(1))
}

/// How far two threads get in a second.
fn race(never: Handle, runners: [(u32, QosClass); 2]) -> Result<[u64; 2], Error> {
    let trial = begin(never, runners, Habit::Count)?;
    let read = || [0, 1].map(|lane: usize| trial.laps[lane].load(Ordering::Relaxed));
    let before = read();
    sleep(never, SECOND);
    let after = read();
    end(never, &trial);
    Ok([0, 1].map(|lane| after[lane] - before[lane]))
}

/// The longest time from the end of a nap to the first instruction after it.
fn latest(never: Handle, habit: Habit) -> Result<u64, Error> {
    let trial = begin(never, [(100, QosClass::Idle); 2], habit)?;
    let mut late = Duration::ZERO;
    for _ in 0..NAPS {
        let due = Instant::now().after(NAP);
        let _ = invoke(Wait { notification: never, deadline: due });
        late = late.max(Instant::now().since(Instant::from_ticks(due.0)));
    }
    end(never, &trial);
    Ok(late.as_nanos() as u64)
}

fn begin(never: Handle, runners: [(u32, QosClass); 2], habit: Habit) -> Result<Arc<Trial>, Error> {
    let trial = Arc::new(Trial::default());
    let bodies: Vec<_> = (0..2).map(|lane| (lane, trial.clone(), runners[lane])).collect();
    for (lane, theirs, runner) in bodies {
        let body = move || {
            run(&theirs, lane, runner, habit);
            thread::exit();
        };
        thread::spawn(STACK_PAGES, Box::new(body))?;
    }
    sleep(never, BEGUN);
    Ok(trial)
}

/// Waits until both threads are through with what they share.
fn end(never: Handle, trial: &Trial) {
    trial.over.store(true, Ordering::Relaxed);
    while trial.gone.load(Ordering::Relaxed) < 2 {
        sleep(never, BEGUN);
    }
}

fn run(trial: &Trial, lane: usize, (shares, class): (u32, QosClass), habit: Habit) {
    // Who is refused runs as it is, which the outcome then shows.
    let _ = invoke(SharesSet { thread: None, shares });
    let _ = invoke(QosSet { class: class as u8, target: 0 });
    let never = invoke(NotificationCreate { process: None }).map(|made| made.notification);
    while !trial.over.load(Ordering::Relaxed) {
        trial.laps[lane].fetch_add(1, Ordering::Relaxed);
        match (habit, never) {
            (Habit::GiveAway, _) => _ = invoke(Yield {}),
            (Habit::Nap, Ok(never)) => sleep(never, Duration::from_micros(30 + 20 * lane as u64)),
            _ => {}
        }
    }
    trial.gone.fetch_add(1, Ordering::Relaxed);
}

/// Nobody notifies: only the deadline ends this.
fn sleep(never: Handle, time: Duration) {
    let _ = invoke(Wait { notification: never, deadline: deadline_in(time) });
}
