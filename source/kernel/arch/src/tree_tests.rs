//! The device tree of QEMU's `virt` (four harts, 128 MiB), whole, cut off everywhere, and garbled.

#![allow(clippy::single_range_in_vec_init, reason = "one bank of memory is one range")]

use super::*;
use crate::facts::{Facts, Problem};
use std::{collections::BTreeMap, string::String, vec, vec::Vec};

const VIRT: &[u8] = include_bytes!("../tests/virt.dtb");

fn with_length(mut blob: Vec<u8>) -> Vec<u8> {
    let length = (blob.len() as u32).to_be_bytes();
    if let Some(bytes) = blob.get_mut(4..8) {
        bytes.copy_from_slice(&length);
    }
    blob
}

/// Replaces the only place with these bytes by as many others.
fn replaced(from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut blob = VIRT.to_vec();
    let places: Vec<usize> = (0..blob.len() - from.len()).filter(|&at| blob[at..].starts_with(from)).collect();
    assert!(!places.is_empty());
    for at in places {
        blob[at..at + to.len()].copy_from_slice(to);
    }
    blob
}

fn present(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    ranges.iter().filter(|range| !range.is_empty()).cloned().collect()
}

fn problem(blob: &[u8]) -> Option<Problem> {
    read(blob, 0).err()
}

#[test]
fn the_tree_of_virt_is_read_whole() {
    let facts: Facts = read(VIRT, 0).unwrap();
    let harts: Vec<_> = facts.harts().iter().map(|hart| (hart.id, facts.context(hart))).collect();
    assert!(facts.sstc && facts.float);
    assert_eq!(present(&facts.ram), [0x8000_0000..0x8800_0000]);
    assert_eq!(facts.timebase, 10_000_000);
    assert_eq!((facts.devices[Device::Uart as usize].clone(), facts.uart_shift), (0x1000_0000..0x1000_0100, 0));
    assert_eq!((facts.devices[Device::Plic as usize].clone(), facts.lines), (0xc00_0000..0xc60_0000, 96));
    assert_eq!(facts.devices[Device::Clint as usize], 0x200_0000..0x201_0000);
    assert_eq!(facts.devices[Device::Test as usize], 0x10_0000..0x10_1000);
    assert_eq!(facts.initrd.start, 0x8420_0000);
    assert_eq!(facts.arguments, b"bootstat panic=exit");
    let expected = [(0, Some(1)), (1, Some(3)), (2, Some(5)), (3, Some(7))];
    assert_eq!(harts, expected);
}

#[test]
fn every_truncation_is_malformed() {
    for length in 0..VIRT.len() {
        assert_eq!(problem(&VIRT[..length]), Some("damaged"), "{length} bytes");
        let honest = with_length(VIRT[..length].to_vec());
        assert_eq!(problem(&honest), Some("damaged"), "{length} bytes that say so");
    }
}

#[test]
fn bytes_behind_the_tree_are_malformed_too() {
    let mut longer = VIRT.to_vec();
    longer.push(0);
    assert_eq!(problem(&longer), Some("damaged"));
}

#[test]
fn every_changed_byte_is_survived() {
    let mut outcomes: BTreeMap<String, u32> = BTreeMap::new();
    for at in 0..VIRT.len() {
        for change in [0xff, 0x01] {
            let mut blob = VIRT.to_vec();
            blob[at] ^= change;
            let outcome = problem(&blob).map_or(String::from("read"), |problem| problem.into());
            *outcomes.entry(outcome).or_default() += 1;
        }
    }
    for outcome in ["read", "damaged", "no timebase-frequency", "reg"] {
        assert!(outcomes.contains_key(outcome), "{outcome} never happened: {outcomes:?}");
    }
}

#[test]
fn noise_with_a_header_is_survived() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    for _ in 0..2_000 {
        let mut blob = VIRT.to_vec();
        for _ in 0..8 {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            let at = 40 + seed as usize % (blob.len() - 40);
            blob[at] = (seed >> 32) as u8;
        }
        let _ = read(&blob, 0);
    }
}

#[test]
fn a_tree_without_timebase_names_it() {
    let blob = replaced(b"timebase-frequency\0", b"timebase-frequencx\0");
    assert_eq!(problem(&blob), Some("no timebase-frequency"));
}

#[test]
fn a_tree_without_memory_or_harts_names_them() {
    assert_eq!(problem(&replaced(b"memory@80000000\0", b"memorx@80000000\0")), Some("no memory"));
    assert_eq!(problem(&replaced(b"cpus\0", b"cpux\0")), Some("no hart that runs"));
}

#[test]
fn sparse_hart_numbers_are_kept() {
    // `reg` of cpu@3: its only cell, behind the property's header, before `device_type`.
    let facts = read(VIRT, 0).unwrap();
    let reg = [0, 0, 0, 3, 0, 0, 0, 4].to_vec();
    let places: Vec<usize> = (0..VIRT.len() - 16)
        .filter(|&at| VIRT[at..].starts_with(&reg) && VIRT[at + 12..].starts_with(&[0, 0, 0, 3]))
        .collect();
    let sparse = places.iter().find_map(|&at| {
        let mut blob = VIRT.to_vec();
        blob[at + 12..at + 16].copy_from_slice(&[0, 0, 1, 7]);
        read(&blob, 0)
            .ok()
            .map(|facts| facts.harts().iter().map(|hart| hart.id).collect::<Vec<_>>())
            .filter(|ids| *ids == vec![0, 1, 2, 0x107])
    });
    assert!(sparse.is_some(), "{:?}", facts.harts());
}

#[test]
fn what_is_missing_but_not_needed_is_none() {
    let found = |from: &[u8], to: &[u8], device| read(&replaced(from, to), 0).unwrap().devices[device as usize].clone();
    assert_eq!(found(b"ns16550a\0", b"ns16550x\0", Device::Uart), 0..0);
    assert_eq!(found(b"sifive,test1\0sifive,test0\0", b"sifive,tesx1\0sifive,tesx0\0", Device::Test), 0..0);
    let blob = replaced(b"linux,initrd-start\0", b"linux,initrd-starx\0");
    assert_eq!(read(&blob, 0).unwrap().initrd, 0..0);
}

#[test]
fn the_boot_hart_comes_first_and_one_that_the_tree_does_not_name_is_refused() {
    let facts = read(VIRT, 3).unwrap();
    let ids: Vec<u64> = facts.harts().iter().map(|hart| hart.id).collect();
    assert_eq!((ids, facts.all_harts), (vec![3, 0, 1, 2], 4));
    assert_eq!(read(VIRT, 4).err(), Some("no hart that runs"));
}

#[test]
fn what_one_hart_lacks_none_is_said_to_have() {
    let facts_without = |letters: &[u8]| {
        let places = (0..VIRT.len()).filter(|&at| VIRT[at..].starts_with(letters));
        let found = places.map(|at| {
            let mut blob = VIRT.to_vec();
            blob[at + letters.len() - 1] = b'x';
            read(&blob, 0).map(|facts| (facts.sstc, facts.float)).unwrap()
        });
        found.collect::<Vec<_>>()
    };
    assert_eq!(facts_without(b"_sstc"), [(false, true); 4]);
    assert_eq!(facts_without(b"rv64imafd"), [(true, false); 4]);
}

#[test]
fn extensions_are_found_in_either_form() {
    let old = Some(b"rv64imafdch_zicsr_sstc\0".as_slice());
    let new = Some(b"i\0m\0sstc\0d\0".as_slice());
    for (isa, list) in [(old, None), (None, new), (Some(b"rv64\0".as_slice()), new)] {
        assert!(extension(isa, list, b"sstc"));
        assert!(extension(isa, list, b"d"));
        assert!(!extension(isa, list, b"v"));
    }
    assert!(!extension(Some(b"rv64imac_zd_sstcx\0"), None, b"d"));
    assert!(!extension(Some(b"rv\0"), Some(b""), b"sstc"));
    assert!(!extension(Some(b"rv64imac\0ld"), None, b"d"), "letters end with their string");
}
