//! The wheel against a sorted map.

use super::{Node, Wheel};
use crate::{arena::Arena, invariant::Check};
use std::{collections::BTreeMap, println, vec::Vec};

const NODES: u32 = 40;

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// A time near `now`, or far, or at one of the ends.
fn some_time(state: &mut u64, now: u64) -> u64 {
    let spread = next(state) % 63;
    let when = match next(state) % 12 {
        0 => u64::MAX - 1 - next(state) % 3,
        1 => now.saturating_sub(next(state) % 1000),
        2 => (now | 63).saturating_add(next(state) % 3),
        _ => now.saturating_add(next(state) >> spread.max(1)),
    };
    when.min(u64::MAX - 1)
}

fn whole(wheel: &Wheel, nodes: &Arena<Node>, model: &BTreeMap<u32, u64>) {
    let mut check = Check::default();
    assert_eq!(wheel.check(&mut check, nodes, 0), model.len());
    assert_eq!(check.violations, 0, "{:?} at {}", check.first, check.first_at);
}

fn play(seed: u64, steps: u32) {
    let mut state = seed;
    let nodes = &Arena::new((0..=NODES).map(|_| Node::default()).collect::<Vec<Node>>().leak(), 1);
    let wheel = Wheel::default();
    let mut now = next(&mut state) >> (next(&mut state) % 64);
    wheel.base.set(now);
    wheel.next.set(u64::MAX);
    let mut model: BTreeMap<u32, u64> = BTreeMap::new();
    for step in 0..steps {
        let index = 1 + (next(&mut state) % u64::from(NODES)) as u32;
        match next(&mut state) % 8 {
            0..4 if !model.contains_key(&index) => {
                let when = some_time(&mut state, now);
                wheel.insert(nodes, index, when, 0);
                model.insert(index, when);
            }
            4 | 5 => {
                wheel.remove(nodes, index);
                model.remove(&index);
            }
            6 => now = some_time(&mut state, now).max(now),
            _ => {
                let alarm = wheel.next.get();
                now = if alarm == u64::MAX { now } else { alarm.max(now) };
            }
        }
        let earliest = model.values().min().copied();
        assert!(
            wheel.next.get() <= earliest.unwrap_or(u64::MAX),
            "seed {seed} step {step}: {earliest:?} is slept over"
        );
        while let Some(index) = wheel.pop(nodes, now) {
            let when = model.remove(&index).expect("what comes out was put in");
            assert!(when <= now, "seed {seed} step {step}: {when} comes out at {now}");
        }
        let left = model.values().min().copied();
        assert!(left.is_none_or(|when| when > now), "seed {seed} step {step}: {left:?} did not come out at {now}");
        assert!(wheel.next.get() > now, "seed {seed} step {step}: it asks to be looked at again at once");
        whole(&wheel, nodes, &model);
    }
}

#[test]
fn what_is_put_in_comes_out_at_its_time_and_nothing_is_slept_over() {
    let seed = std::env::var("NEXUS_SEED").map_or(1, |text| text.parse().expect("a decimal number"));
    println!("NEXUS_SEED={seed}");
    for run in 0..60 {
        play(seed + run, 500);
    }
}

#[test]
fn an_alarm_is_exactly_the_earliest_time_while_nothing_is_removed() {
    let nodes = &Arena::new((0..=4).map(|_| Node::default()).collect::<Vec<Node>>().leak(), 1);
    let wheel = Wheel::default();
    wheel.base.set(1_000);
    wheel.next.set(u64::MAX);
    for (index, when) in [(1, 1 << 40), (2, 70_000), (3, 1_001), (4, u64::MAX - 1)] {
        wheel.insert(nodes, index, when, 0);
    }
    for (index, when) in [(3, 1_001), (2, 70_000), (1, 1 << 40), (4, u64::MAX - 1)] {
        assert_eq!(wheel.next.get(), when);
        assert_eq!(wheel.pop(nodes, when - 1), None);
        assert_eq!(wheel.pop(nodes, when), Some(index));
        assert_eq!(wheel.pop(nodes, when), None);
    }
    assert_eq!(wheel.next.get(), u64::MAX);
}
