//! The memory plan over small made-up machines.

#![allow(clippy::single_range_in_vec_init, reason = "one bank of memory is one range")]

use super::*;
use core::ops::Range;
use std::vec::Vec;

const MIB: u64 = 1 << 20;
const RAM: u64 = 0x8000_0000;
const KERNEL: Range<u64> = RAM + 2 * MIB..RAM + 2 * MIB + 0x2_3000;

fn facts(banks: &[Range<u64>], reserved: &[Range<u64>]) -> Facts<'static> {
    let mut facts = Facts::default();
    banks.iter().for_each(|bank| insert(&mut facts.ram, bank.clone()).unwrap());
    reserved.iter().for_each(|range| insert(&mut facts.reserved, range.clone()).unwrap());
    facts
}

fn runs(facts: &Facts, taken: &[Range<u64>]) -> Vec<Range<u64>> {
    free_runs(facts, &KERNEL, taken).unwrap().into_iter().filter(|run| !run.is_empty()).collect()
}

#[test]
fn silent_firmware_owns_what_is_below_the_kernel() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[]);
    assert_eq!(runs(&facts, &[]), [KERNEL.end..RAM + 16 * MIB]);
}

#[test]
fn what_firmware_leaves_below_the_kernel_is_free() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[RAM..RAM + 0x8_0000]);
    assert_eq!(runs(&facts, &[]), [RAM + 0x8_0000..KERNEL.start, KERNEL.end..RAM + 16 * MIB]);
}

#[test]
fn taken_ranges_are_cut_out_in_whole_pages() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[]);
    let taken = [RAM + 10 * MIB + 1..RAM + 11 * MIB + 1, RAM + 14 * MIB..RAM + 14 * MIB + 5000, 0..0];
    let expected =
        [KERNEL.end..RAM + 10 * MIB, RAM + 11 * MIB + PAGE..RAM + 14 * MIB, RAM + 14 * MIB + 2 * PAGE..RAM + 16 * MIB];
    assert_eq!(runs(&facts, &taken), expected);
}

#[test]
fn overlapping_and_outer_ranges_leave_nothing_twice() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[RAM..RAM + MIB, RAM..RAM + 2 * MIB, 0..RAM + MIB]);
    let taken = [RAM + 8 * MIB..RAM + 40 * MIB, RAM + 7 * MIB..RAM + 9 * MIB];
    assert_eq!(runs(&facts, &taken), [KERNEL.end..RAM + 7 * MIB]);
}

#[test]
fn random_plans_give_free_memory_only_and_all_of_it() {
    let mut seed = 7_u64;
    let mut random = |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    for _ in 0..60 {
        let mut range = || {
            let start = RAM + random(4096) * PAGE;
            start..start + (1 + random(600)) * PAGE
        };
        let (reserved, taken) = ([RAM..RAM + PAGE, range()], [range(), range()]);
        let facts = facts(&[RAM..RAM + 16 * MIB], &reserved);
        let runs = runs(&facts, &taken);
        for page in (RAM..RAM + 16 * MIB).step_by(PAGE as usize) {
            let owned = reserved
                .iter()
                .chain(&taken)
                .chain([&KERNEL])
                .any(|range| range.start < page + PAGE && page < range.end);
            let free = runs.iter().filter(|run| run.contains(&page)).count();
            assert_eq!(free, usize::from(!owned), "{page:#x} of {reserved:x?} {taken:x?}: {runs:x?}");
        }
    }
}

#[test]
fn too_many_pieces_are_refused() {
    let bank = RAM..RAM + 64 * MIB;
    let mut all = facts(&[bank], &[]);
    (0..16).for_each(|at| insert(&mut all.reserved, RAM + (4 + 2 * at) * MIB..RAM + (5 + 2 * at) * MIB).unwrap());
    assert!(free_runs(&all, &KERNEL, &[]).is_none());
}

#[test]
fn the_pool_starts_above_the_kernel_and_names_its_holes() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[RAM..RAM + MIB]);
    let taken = [RAM + 10 * MIB..RAM + 11 * MIB, RAM + 14 * MIB..RAM + 14 * MIB + 2 * PAGE];
    let runs = free_runs(&facts, &KERNEL, &taken).unwrap();
    let (pool, found) = pool(&runs, &KERNEL).unwrap();
    let frame = |address: u64| ((address - KERNEL.end) / PAGE) as u32;
    assert_eq!(pool, KERNEL.end..RAM + 16 * MIB);
    let holes = taken.map(|range| frame(range.start)..frame(range.end));
    assert_eq!(found, [holes[0].clone(), holes[1].clone(), 0..0, 0..0]);
}

#[test]
fn more_holes_than_have_names_cut_the_pool_off() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[]);
    let taken: Vec<_> = (4..9).map(|at| RAM + at * MIB..RAM + at * MIB + PAGE).collect();
    let runs = free_runs(&facts, &KERNEL, &taken).unwrap();
    let (pool, holes) = pool(&runs, &KERNEL).unwrap();
    assert_eq!(pool.end, RAM + 8 * MIB);
    assert!(holes.iter().all(|hole| !hole.is_empty()));
}

#[test]
fn a_full_machine_has_no_pool() {
    let facts = facts(&[RAM..RAM + 16 * MIB], &[]);
    let mut runs = free_runs(&facts, &KERNEL, &[]).unwrap();
    let everything = runs[0].end - runs[0].start;
    assert_eq!(take(&mut runs, everything + 1), None);
    assert_eq!(take(&mut runs, everything), Some(KERNEL.end));
    assert_eq!(take(&mut runs, 1), None);
    assert_eq!(pool(&runs, &KERNEL), None);
}

#[test]
fn tables_grow_with_memory_up_to_a_bound() {
    assert_eq!([16 * MIB, 127 * MIB, 128 * MIB, 512 * MIB, u64::MAX].map(scale), [1, 1, 2, 8, 8]);
}
