//! Shard locks with re-validation (`lock`, `ipc::with_shards`), and standing still (`sched::stop`).

use super::{Form, explore};
use loom::cell::UnsafeCell;
use loom::sync::Arc;
use loom::sync::atomic::{
    AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed, Release},
};
use loom::thread;

/// `lock::Lock`.
struct Lock(AtomicUsize);

impl Lock {
    fn acquire(&self) {
        while self.0.swap(1, Acquire) != 0 {
            thread::yield_now();
        }
    }

    fn release(&self) {
        self.0.swap(0, Release);
    }
}

/// Two shards; an object in the second, which a word in the first names.
struct Shards {
    locks: [Lock; 2],
    generation: UnsafeCell<usize>,
}

/// One CPU finds out under the first shard that it needs the second, lets go and starts again with both; another ends the
/// object under both. Nobody is at it beside another, and nobody waits for ever.
fn shards(form: Form) {
    let free = || Lock(AtomicUsize::new(0));
    let shards = Arc::new(Shards { locks: [free(), free()], generation: UnsafeCell::new(1) });
    let other = shards.clone();
    let ends = thread::spawn(move || {
        other.locks[1].acquire();
        other.generation.with_mut(|_| ());
        other.locks[1].release();
        other.locks.iter().for_each(Lock::acquire);
        other.generation.with_mut(|_| ());
        other.locks.iter().rev().for_each(Lock::release);
    });
    shards.locks[0].acquire();
    shards.locks[0].release();
    // The broken form goes on with what it holds.
    let held = if form == Form::Sound { 0..2 } else { 0..1 };
    shards.locks[held.clone()].iter().for_each(Lock::acquire);
    shards.generation.with(|_| ());
    shards.locks[held].iter().for_each(Lock::release);
    ends.join().expect("it ends");
}

#[test]
fn shards_guard_what_they_hold() {
    explore("shard locks", shards);
}

/// As above, by what is found: the generation is looked at again once both shards are held.
fn again(form: Form) {
    struct World {
        locks: [Lock; 2],
        generation: AtomicUsize,
    }
    let free = || Lock(AtomicUsize::new(0));
    let world = Arc::new(World { locks: [free(), free()], generation: AtomicUsize::new(1) });
    let other = world.clone();
    let ends = thread::spawn(move || {
        other.locks.iter().for_each(Lock::acquire);
        other.generation.store(2, Relaxed);
        other.locks.iter().rev().for_each(Lock::release);
    });
    world.locks[0].acquire();
    let named = world.generation.load(Relaxed);
    world.locks[0].release();
    world.locks.iter().for_each(Lock::acquire);
    let acts = form == Form::Broken || world.generation.load(Relaxed) == named;
    if acts {
        assert_eq!(world.generation.load(Relaxed), named, "acts on an object that has ended");
    }
    world.locks.iter().rev().for_each(Lock::release);
    ends.join().expect("it ends");
}

#[test]
fn what_was_found_under_fewer_shards_is_looked_at_again() {
    explore("re-validation", again);
}

/// `sched::stop`: who looks is alone, also when a CPU still stands from the look before.
fn stop(form: Form) {
    struct World {
        stop: AtomicUsize,
        still: AtomicUsize,
        state: UnsafeCell<usize>,
    }
    let world = Arc::new(World { stop: AtomicUsize::new(0), still: AtomicUsize::new(0), state: UnsafeCell::new(0) });
    let other = world.clone();
    let works = thread::spawn(move || {
        for _ in 0..2 {
            other.state.with_mut(|_| ());
            loop {
                let number = other.stop.load(Acquire);
                if number == 0 {
                    break;
                }
                other.still.store(if form == Form::Sound { number } else { 1 }, Release);
                thread::yield_now();
            }
        }
        // Its kicks go on for as long as somebody may look.
        usize::MAX
    });
    for number in [1, 2] {
        let _ = world.stop.compare_exchange(0, number, AcqRel, Acquire);
        let stands = |still| if form == Form::Sound { still == number } else { still != 0 };
        let mut tries = 0;
        while !stands(world.still.load(Acquire)) && tries < 3 {
            tries += 1;
            thread::yield_now();
        }
        if stands(world.still.load(Acquire)) {
            world.state.with(|_| ());
        }
        world.stop.store(0, Release);
    }
    works.join().expect("it ends");
}

#[test]
fn who_looks_is_alone() {
    explore("standing still", stop);
}
