//! Many seeds, and one seed twice.
//!
//! `NEXUS_SIM_SEEDS=FIRST..END` says which seeds are run, `NEXUS_SIM_EVENTS` how many events of trouble each has,
//! `NEXUS_SIM_LOOK` after how many events every invariant is looked at; `cargo xtask sim` sets all three.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use sim::Report;

/// Events of trouble that a seed has.
const EVENTS: u64 = 10_000;
/// Host threads.
const WORKERS: usize = 2;

fn number<T: std::str::FromStr>(name: &str, otherwise: T) -> T {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name}: not a number: {text}")),
        Err(_) => otherwise,
    }
}

fn seeds(otherwise: Range<u64>) -> Range<u64> {
    let Ok(text) = std::env::var("NEXUS_SIM_SEEDS") else { return otherwise };
    let range = text.split_once("..").and_then(|(first, end)| Some(first.parse().ok()?..end.parse().ok()?));
    range.unwrap_or_else(|| panic!("NEXUS_SIM_SEEDS: not FIRST..END: {text}"))
}

/// What all runs came to together.
#[derive(Default)]
struct Sum {
    seeds: u64,
    total: Report,
    failures: Vec<String>,
}

impl Sum {
    fn add(&mut self, outcome: Result<Report, String>) {
        self.seeds += 1;
        let report = match outcome {
            Ok(report) => report,
            Err(failure) => return self.failures.push(failure),
        };
        let total = &mut self.total;
        total.hash ^= report.hash;
        total.events += report.events;
        total.kills += report.kills;
        total.drops += report.drops;
        total.answered += report.answered;
        total.ways.iter_mut().zip(report.ways).for_each(|(sum, one)| *sum += one);
        report.refused.into_iter().for_each(|(error, times)| *total.refused.entry(error).or_default() += times);
        total.latest = total.latest.max(report.latest);
        total.slowest = total.slowest.max(report.slowest);
    }

    /// Prints it, and fails if a seed did.
    fn judge(self, took: Duration) {
        let Report { hash, events, kills, drops, ways, answered, refused, latest, slowest, .. } = &self.total;
        println!("sim: {} seeds, {events} events, {kills} crashes, {drops} drops in {} s", self.seeds, took.as_secs());
        println!("sim: calls by way: straight {}, detour {}, general {}", ways[0], ways[1], ways[2]);
        println!("sim: in trouble {answered} answered, {refused:?}; {latest} ticks behind a deadline at most");
        println!("sim: all that happened: {hash:#018x}");
        println!("sim: after it every call answered, the slowest within {slowest} ticks");
        for failure in self.failures.iter().take(3) {
            println!("sim: {failure}");
        }
        assert!(self.failures.is_empty(), "{} of {} seeds failed", self.failures.len(), self.seeds);
        let calm = *kills < self.seeds || *drops < self.seeds || ways.iter().any(|&way| way < self.seeds);
        assert!(!calm || self.seeds < 10, "too calm to prove anything");
    }
}

fn run(seeds: Range<u64>) {
    let (start, events) = (Instant::now(), number("NEXUS_SIM_EVENTS", EVENTS));
    let look = number("NEXUS_SIM_LOOK", 1);
    let (next, sum) = (AtomicU64::new(seeds.start), Mutex::new(Sum::default()));
    let work = || {
        while sum.lock().expect("no worker panics").failures.len() < 3 {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            let outcome = sim::run(seed, events, look);
            sum.lock().expect("no worker panics").add(outcome);
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| _ = scope.spawn(work)));
    sum.into_inner().expect("no worker panics").judge(start.elapsed());
}

#[test]
fn clients_are_answered_after_trouble() {
    run(seeds(1..13));
}

#[test]
#[ignore = "as long as it is told to be: a suite of its own"]
fn clients_are_answered_after_much_trouble() {
    run(seeds(1..201));
}

#[test]
fn a_seed_is_one_run_however_often_it_is_looked_at_and_another_seed_is_another() {
    let report = sim::run(7, 2_000, 1).expect("it is sound");
    assert_eq!(Ok(&report), sim::run(7, 2_000, 64).as_ref());
    assert_ne!(report.hash, sim::run(8, 2_000, 1).expect("it is sound").hash);
}
