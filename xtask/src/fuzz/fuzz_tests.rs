//! The judge of the fuzzer: what it reads, and what it does not let pass.

use super::judge::{Report, verdict};
use super::order::{Clock, Order, Pace};
use super::progress::Progress;
use super::unreachable::UNREACHABLE;
use nexus_abi::Error;
use nexus_abi::syscall::{Close, LogWrite, Notify, Syscall, TYPED, ipc, refusals};
use std::time::Duration;

/// A report in which every declared pair that can be met was met once.
fn whole() -> Report {
    let mut report = Report::default();
    let numbers = TYPED.iter().map(|call| call.number).chain(ipc::ALL.iter().map(|&(number, _)| number));
    for number in numbers.chain([u64::MAX]) {
        let possible = refusals(number).filter(|&error| !UNREACHABLE.iter().any(|pairs| pairs.covers(number, error)));
        let outcomes: String = possible.map(|error| format!(" {}=1", error.name())).collect();
        assert!(report.read(&format!("init: fuzz: row {number} ok=3{outcomes}")));
    }
    report
}

#[test]
fn a_report_is_read_line_by_line() {
    let mut report = Report::default();
    assert!(report.read("init: fuzz: calls 120 next 17"));
    assert!(report.read("init: fuzz: row 26 ok=5 EBADHANDLE=7"));
    assert!(report.read("init: fuzz: calls 130 next 18 digest 00ff"));
    assert!(report.read("init: fuzz: end 0"));
    assert_eq!((report.calls, report.next, report.digest.as_str(), report.end), (130, 18, "00ff", Some(0)));
    assert_eq!(report.pairs[&(Close::NUMBER, "EBADHANDLE".to_string())], 7);
}

#[test]
fn what_a_child_prints_is_not_read() {
    let mut report = Report::default();
    assert!(!report.read("fuzz: fuzz: end 0"));
    assert!(!report.read("some: init: fuzz: end 0"));
    assert_eq!(report.end, None);
}

#[test]
fn a_report_with_every_pair_passes() {
    assert_eq!(verdict(&whole(), 1), Ok(()));
}

#[test]
fn a_pair_that_was_not_met_is_found() {
    let mut report = whole();
    report.pairs.remove(&(Notify::NUMBER, Error::PeerClosed.name().to_string()));
    assert_eq!(verdict(&report, 1), Err("Notify never refused with EPEERCLOSED".to_string()));
    assert_eq!(verdict(&report, 4), Ok(()));
}

#[test]
fn a_pair_that_is_not_declared_is_found() {
    let mut report = whole();
    report.read(&format!("init: fuzz: row {} EIO=1", Close::NUMBER));
    assert_eq!(verdict(&report, 1), Err("Close refuses with EIO, which it does not declare".to_string()));
}

#[test]
fn a_pair_that_is_called_impossible_and_met_is_found() {
    let mut report = whole();
    report.read(&format!("init: fuzz: row {} ESTATE=1", LogWrite::NUMBER));
    assert_eq!(verdict(&report, 1), Err("LogWrite refuses with ESTATE, which is said to be impossible".to_string()));
}

#[test]
fn every_impossible_pair_is_a_declared_one() {
    let numbers: Vec<u64> =
        TYPED.iter().map(|call| call.number).chain(ipc::ALL.iter().map(|&(number, _)| number)).collect();
    for (at, pairs) in UNREACHABLE.iter().enumerate() {
        let mut covered = numbers.iter().flat_map(|&number| refusals(number).map(move |error| (number, error)));
        assert!(covered.any(|(number, error)| pairs.covers(number, error)), "entry {at} covers nothing");
    }
}

#[test]
fn the_command_line_says_how_much_and_how() {
    let read = |line: &str| Order::read(&line.split_whitespace().map(String::from).collect::<Vec<_>>());
    let order = read("--seed 7 --calls 9 --from 3 --twice").unwrap();
    assert_eq!(
        (order.seed, order.calls, order.first, order.clock, order.pace),
        (7, 9, 3, Clock::Instructions, Pace::Twice)
    );
    assert_eq!((order.harts, read("--harts 4").unwrap().harts), (1, 4));
    assert!(read("--harts 2 --counted").is_err() && read("--harts 0").is_err() && read("--harts 9").is_err());
    assert_eq!(read("--slices 5").unwrap().pace, Pace::Slices(Duration::from_secs(300)));
    assert!(read("--calls").is_err() && read("--calls x").is_err() && read("--what").is_err());
}

#[test]
fn progress_is_read_as_it_was_written() {
    let progress = Progress { seed: 1, calls: 2, next: 3 };
    assert_eq!(Progress::parse(&progress.text()), Some(progress));
    assert_eq!(Progress::parse("1 2"), None);
}
