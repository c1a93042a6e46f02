//! Rings between honest and hostile ends.

extern crate std;

use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::RefCell;
use std::{format, vec};

use super::*;

#[derive(Clone)]
struct Page(Rc<RefCell<Vec<u8>>>);

impl Page {
    fn new() -> Page {
        Page(Rc::new(RefCell::new(vec![0; PAGE_SIZE])))
    }
}

impl Shared for Page {
    fn load(&self, at: usize) -> u64 {
        let mut bytes = [0; 8];
        self.read(at, &mut bytes);
        u64::from_le_bytes(bytes)
    }

    fn store(&self, at: usize, word: u64) {
        self.write(at, &word.to_le_bytes());
    }

    fn publish(&self, at: usize, word: u64) {
        self.store(at, word);
    }

    fn observe(&self, at: usize) -> u64 {
        self.load(at)
    }

    fn read(&self, at: usize, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0.borrow()[at..at + bytes.len()]);
    }

    fn write(&self, at: usize, bytes: &[u8]) {
        self.0.borrow_mut()[at..at + bytes.len()].copy_from_slice(bytes);
    }
}

fn take(reader: &mut Reader<Page>) -> Option<Result<Vec<u8>, Error>> {
    let mut bytes = [0; MAX_RECORD];
    reader.next(&mut bytes).map(|record| record.map(<[u8]>::to_vec))
}

/// A sequence of numbers that a seed gives (Marsaglia, "Xorshift RNGs", 2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below
    }
}

fn seed() -> u64 {
    let seed = std::env::var("NEXUS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0x5eed_0001);
    std::println!("NEXUS_SEED={seed}");
    seed
}

#[test]
fn records_arrive_once_in_order_and_every_drop_is_counted() {
    let page = Page::new();
    let (mut writer, mut reader) = (Writer::over(page.clone()), Reader::over(page));
    let (mut numbers, mut there, mut dropped) = (Numbers(seed()), Vec::new(), 0);
    for round in 0..20_000u64 {
        let record: Vec<u8> = (0..numbers.next(300)).map(|at| (round + at) as u8).collect();
        match writer.put(&record) {
            Ok(()) => there.push(record),
            Err(error) => {
                assert_eq!(error, Error::Again);
                dropped += 1;
            }
        }
        if numbers.next(3) == 0 {
            for record in there.drain(..numbers.next(there.len() as u64 + 1) as usize) {
                assert_eq!(take(&mut reader), Some(Ok(record)));
            }
        }
    }
    for record in there {
        assert_eq!(take(&mut reader), Some(Ok(record)));
    }
    assert_eq!(take(&mut reader), None);
    assert!(dropped > 0, "the ring was full at times");
    assert_eq!(reader.dropped(), dropped);
    assert_eq!(reader.dropped(), 0, "each is told once");
}

#[test]
fn a_record_that_is_too_long_changes_nothing() {
    let page = Page::new();
    let mut writer = Writer::over(page.clone());
    let before = page.0.borrow().clone();
    assert_eq!(writer.put(&[0; MAX_RECORD + 1]), Err(Error::TooLong));
    assert_eq!(*page.0.borrow(), before);
    assert_eq!(writer.put(&[0; MAX_RECORD]), Ok(()));
}

#[test]
fn ends_that_restart_go_on_where_the_others_stopped() {
    let page = Page::new();
    Writer::over(page.clone()).put(b"one").expect("fits");
    Writer::over(page.clone()).put(b"two").expect("fits");
    assert_eq!(take(&mut Reader::over(page.clone())), Some(Ok(b"one".to_vec())));
    assert_eq!(take(&mut Reader::over(page)), Some(Ok(b"two".to_vec())));
}

#[test]
fn no_content_makes_a_reader_fail_or_read_without_end() {
    let mut numbers = Numbers(seed());
    for _ in 0..20_000 {
        let page = Page::new();
        let mut reader = Reader::over(page.clone());
        for _ in 0..4 {
            let word = match numbers.next(4) {
                0 => numbers.next(u64::MAX),
                1 => u64::MAX - numbers.next(64),
                _ => numbers.next(2 * CAPACITY as u64),
            };
            let at = [HEAD, TAIL, DATA, DATA + 8 * numbers.next(8) as usize][numbers.next(4) as usize];
            page.store(at, word);
        }
        let taken = (0..=CAPACITY).take_while(|_| take(&mut reader).is_some()).count();
        assert!(taken <= CAPACITY / 8 + 1, "{}", format!("{taken} records in one ring"));
        page.store(HEAD, u64::MAX - 7);
        let _ = (take(&mut reader), Writer::over(page.clone()), take(&mut reader));
        assert_eq!(Writer::over(page).put(b"x"), Ok(()));
        assert_eq!(take(&mut reader), Some(Ok(b"x".to_vec())), "the next writer is heard again");
    }
}

#[test]
fn a_length_that_leads_behind_the_head_is_no_record() {
    let page = Page::new();
    let (mut writer, mut reader) = (Writer::over(page.clone()), Reader::over(page.clone()));
    writer.put(b"eight by").expect("fits");
    page.store(DATA, 16);
    assert_eq!(take(&mut reader), Some(Err(Error::Corrupt)));
    assert_eq!(take(&mut reader), None);
}

#[test]
fn after_nonsense_the_reader_finds_the_next_whole_record() {
    let page = Page::new();
    let (mut writer, mut reader) = (Writer::over(page.clone()), Reader::over(page.clone()));
    writer.put(b"spoilt").expect("fits");
    page.store(DATA, u64::MAX);
    assert_eq!(take(&mut reader), Some(Err(Error::Corrupt)));
    writer.put(b"sound").expect("fits");
    assert_eq!(take(&mut reader), Some(Ok(b"sound".to_vec())));
}
