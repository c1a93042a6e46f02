//! A service dies after it took a call and before, while and after it answers: at each of its system calls in turn.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Schedules of each call.
const SEEDS: [u64; 2] = [1, 2];
/// Host threads.
const WORKERS: usize = 2;
/// No call takes so many system calls of its server.
const MANY: u64 = 500;

/// One call under one seed, with every death: deaths, and how many callers were answered in spite of it.
fn at_every_call(seed: u64, call: usize) -> Result<(u64, u64), String> {
    let (mut deaths, mut answered) = (0, 0);
    for number in 1..MANY {
        match sim::interrupted(seed, call, number)? {
            None => return Ok((deaths, answered)),
            Some(heard) => (deaths, answered) = (deaths + 1, answered + u64::from(heard)),
        }
    }
    Err(format!("seed {seed}, call {call}: it makes {MANY} system calls and more"))
}

#[test]
fn whenever_a_service_dies_its_caller_is_answered_or_told_once_and_nothing_is_left() {
    let runs: Vec<(u64, usize)> =
        SEEDS.into_iter().flat_map(|seed| (0..sim::calls().len()).map(move |call| (seed, call))).collect();
    let (next, outcomes) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some(&(seed, call)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = at_every_call(seed, call);
            outcomes.lock().expect("no worker panics").push((seed, call, outcome));
        }
    };
    thread::scope(|scope| (0..WORKERS).for_each(|_| _ = scope.spawn(work)));
    let mut outcomes = outcomes.into_inner().expect("no worker panics");
    outcomes.sort_by_key(|&(seed, call, _)| (call, seed));
    let names: Vec<_> = sim::calls().collect();
    for (seed, call, outcome) in &outcomes {
        let (name, victim) = names[*call];
        match outcome {
            Ok((deaths, answered)) => {
                println!("{name}, {victim} dies, seed {seed}: {deaths} deaths, {answered} answered")
            }
            Err(error) => println!("{name}, {victim} dies: {error}"),
        }
    }
    assert!(outcomes.iter().all(|(.., outcome)| outcome.is_ok()));
    let bare = |(.., outcome): &(u64, usize, Result<(u64, u64), String>)| {
        outcome.as_ref().is_ok_and(|(deaths, _)| *deaths == 0)
    };
    assert!(!outcomes.iter().any(bare), "a service that never died proves nothing");
}
