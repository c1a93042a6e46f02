//! The ring, its system calls, and who drives the console.

use crate::{
    Kernel,
    memory::bench::Bench,
    testing::{WIDE, give},
    text::Piece as _,
};
use nexus_abi::{
    Deadline, Error, Handle, Kind, Name, Rights,
    message::{HEADER_BYTES, MAX_LINE},
    syscall::{Close, ConsoleClaim, LogRead, LogWrite, Wait},
};
use std::{string::String, vec, vec::Vec};

impl Bench {
    fn log(&self) -> Handle {
        give(self.kernel, self.process, Kind::Log, 0, Rights::ALL)
    }

    /// Puts bytes into the payload of the thread's IPC page.
    fn fill(&self, bytes: &[u8]) {
        let words = &self.kernel.frames.at(self.thread.ipc_frame.get()).0[HEADER_BYTES / 8..];
        for (word, bytes) in words.iter().zip(bytes.chunks(8)) {
            let mut value = [0; 8];
            value[..bytes.len()].copy_from_slice(bytes);
            word.set(u64::from_le_bytes(value));
        }
    }

    pub(crate) fn payload(&self, length: usize) -> Vec<u8> {
        let words = &self.kernel.frames.at(self.thread.ipc_frame.get()).0[HEADER_BYTES / 8..];
        words.iter().flat_map(|word| word.get().to_le_bytes()).take(length).collect()
    }

    fn say(&self, log: Handle, text: &[u8]) {
        self.fill(text);
        self.call(LogWrite { log, length: text.len() as u32 }).map(|_| ()).expect("the handle is good");
    }

    fn claim(&self, log: Handle, notification: Handle) -> Result<u64, Error> {
        self.call(ConsoleClaim { log, notification, bits: 1 }).map(|claimed| claimed.cursor)
    }
}

/// Prints a line of the kernel's own.
fn print(kernel: &Kernel, text: &str) {
    let line = kernel.log.line();
    text.spell(&|byte| line.put(byte));
}

fn drained(kernel: &Kernel) -> String {
    let mut bytes = Vec::new();
    kernel.log.drain(&mut |byte| bytes.push(byte));
    String::from_utf8(bytes).expect("the ring holds ASCII")
}

#[test]
fn a_line_carries_the_writers_name_or_prefix() {
    let bench = Bench::new(64);
    let log = bench.log();

    bench.say(log, b"hello");
    for (word, value) in bench.process.prefix.iter().zip(Name::new("SELFTEST").expect("a name").to_words()) {
        word.set(value);
    }
    bench.say(log, b"again\n");
    bench.say(log, b"");

    assert_eq!(drained(bench.kernel), "bench: hello\nSELFTEST: again\nSELFTEST: \n");
    assert_eq!(drained(bench.kernel), "", "what was emitted is not emitted again");
}

#[test]
fn no_text_looks_like_a_line_of_another() {
    let bench = Bench::new(64);
    let log = bench.log();
    bench.say(log, b"a\ninit: ready\r\x1b[2J\x00\x7f\xc2\x9b\n\n");
    assert_eq!(drained(bench.kernel), "bench: a\\x0ainit: ready\\x0d\\x1b[2J\\x00\\x7f\\xc2\\x9b\\x0a\n");
}

#[test]
fn the_longest_line_that_one_call_writes_is_a_page() {
    let bench = Bench::new(64);
    let log = bench.log();
    for (word, value) in bench.process.prefix.iter().zip(Name::new(&"p".repeat(24)).expect("a name").to_words()) {
        word.set(value);
    }
    bench.say(log, &[0; MAX_LINE]);
    let line = drained(bench.kernel);
    assert_eq!(line.len(), 24 + 2 + 4 * MAX_LINE + 1);
    assert!(line.len() <= 4096, "no more than a page under the ring's lock");
    bench.refused(LogWrite { log, length: MAX_LINE as u32 + 1 }, Error::OverLimit);
}

#[test]
fn the_kernel_prints_lines_of_its_own() {
    let bench = Bench::new(64);
    print(bench.kernel, "KINIT: cpu1 online");
    assert_eq!(drained(bench.kernel), "KINIT: cpu1 online\n");
}

#[test]
fn a_reader_goes_on_where_it_was_and_is_told_what_it_lost() {
    let bench = Bench::new(64);
    let log = bench.log();
    bench.say(log, b"one");
    let first = bench.call(LogRead { log, cursor: 0 }).expect("the handle is good");
    assert_eq!((first.cursor, first.length, first.lost), (11, 11, 0));
    assert_eq!(bench.payload(11), b"bench: one\n");

    let line = vec![b'x'; 1000];
    (0..5).for_each(|_| bench.say(log, &line));
    let end = 11 + 5 * 1008;
    let next = bench.call(LogRead { log, cursor: 11 }).expect("the handle is good");
    // The ring keeps 4,096 bytes, which begin inside the first of the five lines.
    assert_eq!(next.lost, 1008);
    assert_eq!((u64::from(next.length), next.cursor), (1024, 11 + 1008 + 1024));
    let last = bench.call(LogRead { log, cursor: end - 7 }).expect("the handle is good");
    assert_eq!((last.cursor, last.length, last.lost), (end, 7, 0));
    let none = bench.call(LogRead { log, cursor: end }).expect("the handle is good");
    assert_eq!((none.cursor, none.length, none.lost), (end, 0, 0));
}

#[test]
fn who_comes_too_late_never_begins_inside_a_line() {
    for length in 8..40 {
        let bench = Bench::new(64);
        let log = bench.log();
        let text = &b"init: x ".repeat(5)[..length];
        (0..600).for_each(|_| bench.say(log, text));
        let shown = drained(bench.kernel);
        assert!(shown.len() > 4000 && shown.lines().all(|line| line.starts_with("bench: init: x ")), "{shown}");
    }
}

#[test]
fn a_panic_gets_the_last_whole_lines() {
    let bench = Bench::new(64);
    print(bench.kernel, "first line");
    print(bench.kernel, "second");
    let _held = bench.kernel.log.lock.hold();
    let mut bytes = Vec::new();
    bench.kernel.log.tail(12, &mut |byte| bytes.push(byte));
    assert_eq!(bytes, b"second\n");
}

#[test]
fn log_write_and_read_refuse() {
    let bench = Bench::new(64);
    let log = bench.log();
    let writer = bench.weaker(log, Rights::USE);
    let reader = bench.weaker(log, Rights::TAKE);
    let closed = bench.weaker(log, Rights::ALL);
    bench.call(Close { handle: closed }).map(|_| ()).expect("the handle is good");

    bench.refused(LogWrite { log, length: MAX_LINE as u32 + 1 }, Error::OverLimit);
    bench.refused(LogWrite { log, length: u32::MAX }, Error::OverLimit);
    bench.refused(LogWrite { log: reader, length: 1 }, Error::Permission);
    bench.refused(LogWrite { log: bench.root, length: 1 }, Error::WrongKind);
    bench.refused(LogWrite { log: closed, length: 1 }, Error::BadHandle);
    bench.refused(LogRead { log, cursor: 1 }, Error::Invalid);
    bench.refused(LogRead { log, cursor: u64::MAX }, Error::Invalid);
    bench.refused(LogRead { log: writer, cursor: 0 }, Error::Permission);
    bench.refused(LogRead { log: bench.root, cursor: 0 }, Error::WrongKind);
    bench.refused(LogRead { log: closed, cursor: 0 }, Error::BadHandle);
    bench.say(writer, b"this one may");

    bench.process.account.refund(crate::process::quota::Resource::Frames, 1);
    bench.kernel.frames.release(bench.thread.ipc_frame.get());
    bench.thread.ipc_frame.set(0);
    bench.refused(LogWrite { log, length: 1 }, Error::State);
    bench.refused(LogRead { log, cursor: 0 }, Error::State);
}

#[test]
fn a_claimed_console_is_the_drivers_until_it_is_gone() {
    let bench = Bench::new(64);
    let (log, notification) = (bench.log(), bench.notification());
    let writer = Bench::with(bench.kernel, &WIDE);
    let theirs = writer.log();
    writer.say(theirs, b"early");
    assert_eq!(drained(bench.kernel), "bench: early\n");
    writer.say(theirs, b"late");

    assert_eq!(bench.claim(log, notification), Ok(13));
    writer.say(theirs, b"claimed");
    assert_eq!(drained(bench.kernel), "");
    let waited = bench.call(Wait { notification, deadline: Deadline::POLL }).expect("new bytes signal");
    assert_eq!(waited.bits, 1);
    let read = bench.call(LogRead { log, cursor: 13 }).expect("the handle is good");
    assert_eq!(bench.payload(read.length as usize), b"bench: late\nbench: claimed\n");
    writer.say(theirs, b"unread");

    bench.kernel.unclaim(writer.process);
    assert_eq!(drained(bench.kernel), "", "somebody else's death changes nothing");
    bench.kernel.unclaim(bench.process);
    assert_eq!(drained(bench.kernel), "bench: unread\n", "the kernel goes on where the driver stopped");
    assert_eq!(writer.claim(theirs, writer.notification()).map(|_| ()), Ok(()));
}

#[test]
fn console_claim_refuses() {
    let bench = Bench::new(64);
    let other = Bench::with(bench.kernel, &WIDE);
    let (log, notification) = (bench.log(), bench.notification());
    let good = ConsoleClaim { log, notification, bits: 1 };
    let writer = bench.weaker(log, Rights::USE);
    let deaf = bench.weaker(notification, Rights::TAKE);
    let closed = bench.weaker(log, Rights::ALL);
    bench.call(Close { handle: closed }).map(|_| ()).expect("the handle is good");

    bench.refused(ConsoleClaim { bits: 0, ..good }, Error::Invalid);
    bench.refused(ConsoleClaim { log: writer, ..good }, Error::Permission);
    bench.refused(ConsoleClaim { log: notification, ..good }, Error::WrongKind);
    bench.refused(ConsoleClaim { log: closed, ..good }, Error::BadHandle);
    bench.refused(ConsoleClaim { notification: deaf, ..good }, Error::Permission);
    bench.refused(ConsoleClaim { notification: log, ..good }, Error::WrongKind);
    bench.refused(ConsoleClaim { notification: closed, ..good }, Error::BadHandle);
    let (theirs, bell) = (other.log(), other.notification());
    other.claim(theirs, bell).map(|_| ()).expect("nobody has it");
    bench.refused(good, Error::Exists);
    assert!(other.claim(theirs, bell).is_ok(), "who has it may claim again");
}

#[test]
fn console_claim_refuses_a_notification_that_is_gone() {
    let bench = Bench::new(64);
    let (log, notification) = (bench.log(), bench.notification());
    bench.kernel.notifications.at(1).header.die();
    bench.refused(ConsoleClaim { log, notification, bits: 1 }, Error::PeerClosed);
}
