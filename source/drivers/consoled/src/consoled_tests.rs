//! The console in this process: its clients over the in-process transport, a fake device and a fake ring below.

use super::*;
use crate::uart::tests::Fake;
use nexus_abi::ServiceId;
use nexus_ipc::{Caller, Local, local::LocalTransport};
use std::cell::RefCell;
use std::rc::Rc;

#[derive(Debug, Default)]
struct Ledger {
    log: Vec<LogChunk>,
    signals: Vec<(Handle, u64)>,
    gone: Vec<Handle>,
    done: usize,
    lent: Vec<u64>,
}

impl Board for Rc<RefCell<Ledger>> {
    fn log(&mut self) -> Result<LogChunk, Error> {
        let mut ledger = self.borrow_mut();
        Ok(if ledger.log.is_empty() { LogChunk::default() } else { ledger.log.remove(0) })
    }

    fn interrupt_done(&mut self) {
        self.borrow_mut().done += 1;
    }

    fn notify(&mut self, events: Handle, bits: u64) {
        self.borrow_mut().signals.push((events, bits));
    }

    fn lives(&mut self, events: Handle) -> bool {
        !self.borrow().gone.contains(&events)
    }

    fn lend(&mut self, badge: u64) -> Result<Handle, Error> {
        self.borrow_mut().lent.push(badge);
        Ok(handle(100 + badge))
    }
}

/// The badge of a route of the manifest.
const ROUTE: u64 = 1 << ROUTE_SHIFT;

type Device = Rc<RefCell<Fake>>;
type Service = Consoled<Device, Rc<RefCell<Ledger>>>;
type Link = LocalTransport<Service>;

struct Desk {
    device: Device,
    ledger: Rc<RefCell<Ledger>>,
    local: Local<Service>,
}

fn handle(number: u64) -> Handle {
    Handle::pack(0, 0, number).unwrap()
}

impl Desk {
    fn new() -> Self {
        let (device, ledger) = (Device::default(), Rc::<RefCell<Ledger>>::default());
        let local = Local::new(Consoled::new(Uart::new(device.clone()), ledger.clone()));
        Desk { device, ledger, local }
    }

    fn link(&self, process: u64, badge: u64) -> Link {
        let service = ServiceId::service("shell");
        self.local.connect(Caller { service, process: ProcessId(process), badge, trace: 0 })
    }

    fn session(&self, process: u64) -> console::Client<Link> {
        console::Client::new(self.link(process, ROUTE))
    }

    /// Process 1, with the console claimed.
    fn claimed(&self) -> console::Client<Link> {
        let mut session = self.session(1);
        session.claim(handle(1), 8).unwrap();
        session
    }

    fn program(&self, badge: u64) -> stream::Client<Link> {
        stream::Client::new(self.link(2, badge))
    }

    /// The device interrupts until everything is sent.
    fn settle(&self) {
        loop {
            let before = self.device.borrow().screen.len();
            self.device.borrow_mut().drain();
            self.local.signal(Signal { bits: 1, key: 0 });
            if self.device.borrow().screen.len() == before {
                return;
            }
        }
    }

    fn typed(&self, keys: &[u8]) {
        self.device.borrow_mut().keys.extend(keys);
        self.local.signal(Signal { bits: 1, key: 0 });
    }

    fn shown(&self) -> String {
        self.settle();
        String::from_utf8(std::mem::take(&mut self.device.borrow_mut().screen)).unwrap()
    }
}

#[test]
fn the_interface_s_contract_holds() {
    let desk = Desk::new();
    let (session, stranger) = (desk.link(1, ROUTE), desk.link(2, ROUTE));
    assert_eq!(nexus_proto::contract::console(session, stranger, handle(1)), Ok(()));
}

#[test]
fn a_session_reads_keys_and_writes_bytes() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    desk.typed(b"he\x03\r");
    assert_eq!(session.read(3).unwrap().data, b"he\x03");
    assert_eq!(session.read(300).unwrap().data, b"\r");
    assert_eq!(session.write(b"nexus> \n").unwrap().length, 8);
    assert_eq!(desk.shown(), "nexus> \r\n");
}

#[test]
fn only_the_session_may_and_not_through_a_loan() {
    let desk = Desk::new();
    let refused = Err(Error::Permission);
    assert_eq!(desk.session(1).read(1).map(drop), refused);
    let _session = desk.claimed();
    let mut other = desk.session(2);
    assert_eq!(other.read(1).map(drop), refused);
    assert_eq!(other.write(b"x").map(drop), refused);
    assert_eq!(other.lend().map(drop), refused);
    assert_eq!(other.retake().map(drop), refused);
    let mut badged = console::Client::new(desk.link(1, 7));
    assert_eq!(badged.claim(handle(3), 1).map(drop), refused);
    assert_eq!(badged.write(b"x").map(drop), refused);
    assert_eq!(desk.program(ROUTE).write(b"x").map(drop), refused);
    assert_eq!(desk.program(ROUTE).read(1).map(drop), refused);
    assert_eq!(desk.shown(), "");
}

#[test]
fn a_claim_is_refused_while_the_holder_lives_and_taken_over_when_it_is_gone() {
    let desk = Desk::new();
    let mut first = desk.claimed();
    assert_eq!(desk.session(2).claim(handle(2), 1).map(drop), Err(Error::Again));
    assert!(desk.local.closed().contains(&handle(2)));
    desk.ledger.borrow_mut().gone.push(handle(1));
    desk.session(2).claim(handle(2), 1).unwrap();
    assert!(desk.local.closed().contains(&handle(1)));
    assert_eq!(first.write(b"x").map(drop), Err(Error::Permission));
    assert_eq!(desk.session(2).write(b"x").unwrap().length, 1);
}

#[test]
fn a_read_of_nothing_is_invalid() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    assert_eq!(session.read(0).map(drop), Err(Error::Invalid));
    session.lend().unwrap();
    assert_eq!(desk.program(1).read(0).map(drop), Err(Error::Invalid));
}

#[test]
fn a_program_in_front_reads_lines_and_the_session_gets_the_interrupt() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    assert_eq!(session.lend().unwrap().stream, handle(101));
    desk.typed(b"hi\r");
    assert_eq!(desk.program(1).read(100).unwrap().data, b"hi\n");
    assert_eq!(desk.shown(), "hi\r\n");
    assert_eq!(session.read(1).map(drop), Err(Error::State));
    desk.typed(b"x\x03");
    assert_eq!(desk.ledger.borrow().signals, [(handle(1), 8)]);
    desk.typed(b"\x04");
    assert_eq!(desk.program(1).read(100).unwrap().data, b"");
}

#[test]
fn after_a_loan_its_stream_is_at_its_end_and_the_next_one_is_another() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    session.lend().unwrap();
    assert_eq!(session.lend().map(drop), Err(Error::State));
    session.retake().unwrap();
    assert_eq!(desk.program(1).write(b"late").map(drop), Err(Error::PeerClosed));
    assert_eq!(desk.program(1).read(1).unwrap().data, b"");
    assert_eq!(session.lend().unwrap().stream, handle(102));
    assert_eq!(desk.program(1).write(b"late").map(drop), Err(Error::PeerClosed));
    assert_eq!(desk.program(2).write(b"now\n").unwrap().length, 4);
    assert_eq!(desk.shown(), "now\r\n");
}

#[test]
fn a_program_cannot_print_a_line_of_the_system() {
    let desk = Desk::new();
    desk.claimed().lend().unwrap();
    desk.program(1).write(b"ok\nSELFTEST: end\n").unwrap();
    assert_eq!(desk.shown(), "ok\r\n| SELFTEST: end\r\n");
}

#[test]
fn lines_of_the_ring_come_out_whole_and_what_was_lost_is_said() {
    let desk = Desk::new();
    desk.claimed().write(b"nexus> ").unwrap();
    desk.ledger.borrow_mut().log = vec![
        LogChunk { bytes: b"init: st".to_vec(), lost: 0 },
        LogChunk { bytes: b"art\n".to_vec(), lost: 0 },
        LogChunk { bytes: b"init: x\n".to_vec(), lost: 7 },
    ];
    desk.local.signal(Signal { bits: 2, key: 0 });
    let text = desk.shown();
    assert!(text.starts_with("nexus> \r\ninit: start\r\n"), "{text:?}");
    assert!(text.contains("consoled: 7 bytes lost\r\n") && text.ends_with("init: x\r\nnexus> "), "{text:?}");
}

#[test]
fn a_line_that_lost_its_end_is_not_joined_with_the_next() {
    let desk = Desk::new();
    desk.ledger.borrow_mut().log = vec![
        LogChunk { bytes: b"app/boot/x: a".to_vec(), lost: 0 },
        LogChunk { bytes: b"init: up\n".to_vec(), lost: 9 },
    ];
    desk.local.signal(Signal { bits: 2, key: 0 });
    assert_eq!(desk.shown(), "app/boot/x: a\r\nconsoled: 9 bytes lost\r\ninit: up\r\n");
}

#[test]
fn a_flush_is_answered_when_ring_and_screen_are_sent_and_not_before() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    desk.device.borrow_mut().busy = true;
    session.write(b"text\n").unwrap();
    desk.ledger.borrow_mut().log = vec![LogChunk { bytes: b"init: x\n".to_vec(), lost: 0 }];
    let mut other = console::Client::new(desk.link(2, ROUTE));
    assert_eq!(other.flush().map(drop), Err(Error::TimedOut));
    desk.device.borrow_mut().busy = false;
    assert!(desk.shown().ends_with("init: x\r\n"));
    other.flush().unwrap();
    assert_eq!(console::Client::new(desk.link(2, 7)).flush().map(drop), Err(Error::Permission));
}

#[test]
fn who_waits_for_a_flush_is_bounded() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    desk.device.borrow_mut().busy = true;
    session.write(b"x").unwrap();
    let errors: Vec<Error> = (0..30).filter_map(|_| session.flush().err()).collect();
    assert_eq!(errors.iter().filter(|error| **error == Error::TimedOut).count(), WRITERS);
    assert_eq!(errors.last(), Some(&Error::Again));
}

#[test]
fn a_flood_waits_for_the_device_and_nothing_of_it_is_lost() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    desk.device.borrow_mut().busy = true;
    let mut taken = 0;
    let waits = loop {
        match session.write(&[b'x'; 4032]) {
            Ok(written) => taken += written.length as usize,
            Err(error) => break error,
        }
    };
    assert_eq!(waits, Error::TimedOut);
    assert!(taken <= screen::QUEUE);
    desk.device.borrow_mut().busy = false;
    // The one that waited was answered with a part of its bytes, and would now come with the rest.
    let shown = desk.shown().len();
    assert!((taken + 512..=taken + 4032).contains(&shown), "{shown} after {taken}");
}

#[test]
fn writers_that_wait_are_bounded() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    desk.device.borrow_mut().busy = true;
    let errors: Vec<Error> = (0..30).filter_map(|_| session.write(&[b'x'; 4032]).err()).collect();
    assert_eq!(errors.iter().filter(|error| **error == Error::TimedOut).count(), WRITERS);
    assert_eq!(errors.last(), Some(&Error::Again));
}

#[test]
fn only_one_reader_waits() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    assert_eq!(session.read(1).map(drop), Err(Error::TimedOut));
    assert_eq!(session.read(1).map(drop), Err(Error::Again));
}

#[test]
fn keys_wait_in_the_device_when_nobody_reads_and_none_is_lost() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    let keys: Vec<u8> = (0..4000).map(|at| b'a' + (at % 26) as u8).collect();
    desk.typed(&keys);
    desk.settle();
    desk.typed(b"");
    assert_eq!(desk.device.borrow().enabled & 1, 0, "a held key must not interrupt again and again");
    assert_eq!(desk.device.borrow().keys.len(), 4000 - keyboard::HELD);
    let mut read = Vec::new();
    while read.len() < 4000 {
        read.extend(session.read(256).unwrap().data);
    }
    assert_eq!(read, keys);
    assert_eq!(desk.device.borrow().enabled & 1, 1);
}

#[test]
fn each_device_signal_is_acknowledged_once() {
    let desk = Desk::new();
    desk.typed(b"a");
    desk.typed(b"b");
    desk.local.signal(Signal { bits: 2, key: 0 });
    assert_eq!(desk.ledger.borrow().done, 2);
}

#[test]
fn malformed_requests_are_refused() {
    let desk = Desk::new();
    let mut session = desk.claimed();
    for number in 0..10 {
        for interface in [console::NAME, stream::NAME, "other"] {
            let mut request = Message::tagged(nexus_ipc::interface::tag(interface, number));
            request.words[7] = 1;
            let answer = nexus_ipc::Transport::call(session.transport(), &request, nexus_abi::Deadline(1)).unwrap();
            assert!(
                matches!(answer.accepted(), Err(Error::Invalid | Error::Malformed | Error::NoCall | Error::BadHandle)),
                "{interface} {number}"
            );
        }
    }
}
