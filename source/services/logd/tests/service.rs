//! logd in process: the contract of its interface, its rings, its bounds.

use std::cell::RefCell;
use std::rc::Rc;

use logd::{LEVEL_BYTES, LEVEL_RECORDS, Logd, MAX_SENDERS, MAX_WATCHES, Signals};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::{Error, Handle, Name, ProcessId, QosClass, Quota, ServiceId};
use nexus_ipc::local::LocalTransport;
use nexus_ipc::ring::{Shared, Writer};
use nexus_ipc::{Caller, Local, Signal};
use nexus_proto::contract::logs as contract;
use nexus_proto::logs::{ANYBODY, APPEND, BURST, Client, RATE, READ};
use nexus_proto::record::{Level, MAX_BYTES, Record};
use wiring::{Grants, Program, Wiring};

const TIMEBASE: u64 = 10_000_000;
const PROGRAM: &str = "app/boot/prober";
const OWN: ServiceId = ServiceId::program(PROGRAM);
const TALKER: ServiceId = ServiceId::service("talker");

#[derive(Default)]
struct Fired(Rc<RefCell<Vec<(Handle, u64)>>>);

impl Signals for Fired {
    fn notify(&mut self, notification: Handle, bits: u64) {
        self.0.borrow_mut().push((notification, bits));
    }
}

#[derive(Clone)]
struct Page(Rc<RefCell<Vec<u8>>>);

impl Shared for Page {
    fn load(&self, at: usize) -> u64 {
        u64::from_le_bytes(self.0.borrow()[at..at + 8].try_into().expect("eight bytes"))
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

struct World {
    local: Local<Logd<Page, Fired>>,
    ring: Page,
    fired: Rc<RefCell<Vec<(Handle, u64)>>>,
}

fn handle(raw: u64) -> Handle {
    Handle::from_raw(raw).expect("not 0")
}

impl World {
    fn new() -> World {
        let (ring, fired) = (Page(Rc::new(RefCell::new(vec![0; PAGE_SIZE]))), Rc::default());
        let name = Name::new(PROGRAM).expect("short");
        let wiring = Wiring {
            programs: vec![Program {
                name,
                id: OWN,
                prefix: name,
                quota: Quota::default(),
                shard: None,
                qos: QosClass::Normal,
                limits: nexus_abi::Limits::NONE,
                stack_pages: 1,
                grants: Grants::default(),
            }],
            ..Wiring::default()
        };
        let service = Logd::new(Fired(Rc::clone(&fired)), wiring, vec![(TALKER, ring.clone())], TIMEBASE);
        World { local: Local::new(service), ring, fired }
    }

    fn transport(&self, service: ServiceId, badge: u64) -> LocalTransport<Logd<Page, Fired>> {
        self.local.connect(Caller { service, process: ProcessId(service.0 >> 8), badge, trace: 0 })
    }

    fn own(&self) -> LocalTransport<Logd<Page, Fired>> {
        self.transport(OWN, APPEND | READ)
    }

    fn client(&self) -> Client<LocalTransport<Logd<Page, Fired>>> {
        Client::new(self.own())
    }

    fn ring_bell(&self) {
        self.local.signal(Signal { bits: 1, key: 0 });
    }

    fn texts(&self, sender: ServiceId) -> Vec<String> {
        let (mut client, mut after, mut texts) = (self.client(), 0, Vec::new());
        while let Ok(found) = client.next(after, Level::Trace as u8, sender) {
            after = found.sequence;
            texts.push(Record::read(&found.record).expect("kept").text.to_owned());
        }
        texts
    }
}

fn bytes(level: Level, text: &str) -> Vec<u8> {
    let record = Record { level, target: "test", text, fields: "" };
    record.write(&mut [0; MAX_BYTES]).expect("sound").to_vec()
}

#[test]
fn test_reject_log_append_oversized_fields() {
    assert_eq!(contract::oversized_fields(World::new().own(), OWN), Ok(()));
}

#[test]
fn test_reject_log_append_rate_limited_sender() {
    assert_eq!(contract::rate_limited(World::new().own(), OWN), Ok(()));
}

#[test]
fn test_reject_log_payload_identity_spoof() {
    assert_eq!(contract::identity_spoof(World::new().own(), OWN), Ok(()));
}

#[test]
fn hostile_requests_are_refused() {
    let world = World::new();
    assert_eq!(contract::hardened(world.own(), world.transport(OWN, 0), handle(9)), Ok(()));
}

#[test]
fn what_was_added_can_be_asked_for() {
    let world = World::new();
    let fired = Rc::clone(&world.fired);
    assert_eq!(contract::queried(world.own(), OWN, handle(9), move || !fired.borrow().is_empty()), Ok(()));
    assert_eq!(*world.fired.borrow(), [(handle(9), 1)], "once");
    assert_eq!(world.local.closed(), [handle(9)], "and the handle is given back");
}

#[test]
fn a_ring_is_its_senders_whatever_stands_in_it() {
    let world = World::new();
    let mut writer = Writer::over(world.ring.clone());
    writer.put(&bytes(Level::Info, "from the ring")).expect("fits");
    writer.put(b"no record at all").expect("fits");
    world.ring_bell();
    let found = world.client().next(0, Level::Info as u8, ANYBODY).expect("one is there");
    assert_eq!((found.sender, found.process), (TALKER, ProcessId(0)));
    assert_eq!(world.texts(TALKER), ["from the ring"]);
    let stated = world.client().sender(0).expect("it has an account");
    assert_eq!((stated.sender, stated.kept, stated.malformed), (TALKER, 1, 1));
}

#[test]
fn every_record_is_kept_or_counted_exactly_once() {
    let world = World::new();
    let mut writer = Writer::over(world.ring.clone());
    let (mut put, mut full) = (0u64, 0u64);
    for round in 0..1_000 {
        match writer.put(&bytes(Level::Info, "as fast as it goes")) {
            Ok(()) => put += 1,
            Err(_) => full += 1,
        }
        if round % 7 == 0 && round < 500 {
            world.ring_bell();
        }
    }
    world.ring_bell();
    let stated = world.client().sender(0).expect("it has an account");
    assert_eq!(stated.dropped, full, "what the ring had no room for");
    assert_eq!(stated.kept + stated.limited, put, "what went through it");
    assert_eq!(stated.kept, u64::from(BURST), "time stood still, so the account did not fill");
    assert!(full > 0 && stated.limited > 0);
}

#[test]
fn losses_are_told_once_a_second() {
    let world = World::new();
    let mut client = world.client();
    (0..BURST + 5).for_each(|_| drop(client.append(&bytes(Level::Trace, "much"))));
    assert_eq!(world.texts(ServiceId::service("logd")), [] as [&str; 0]);
    world.local.advance(TIMEBASE);
    assert_eq!(world.texts(ServiceId::service("logd")), ["5 records of app/boot/prober were lost"]);
    world.local.advance(10 * TIMEBASE);
    assert_eq!(world.texts(ServiceId::service("logd")).len(), 1, "told once");
}

#[test]
fn an_account_fills_with_its_rate_and_no_further_than_its_burst() {
    let world = World::new();
    let mut client = world.client();
    let mut flood = || (0..4 * BURST).filter(|_| client.append(&bytes(Level::Info, "x")).is_ok()).count() as u32;
    assert_eq!(flood(), BURST);
    world.local.advance(TIMEBASE / 2);
    assert_eq!(flood(), RATE / 2);
    world.local.advance(1_000 * TIMEBASE);
    assert_eq!(flood(), BURST);
}

#[test]
fn one_sender_takes_nothing_from_another() {
    let world = World::new();
    let mut writer = Writer::over(world.ring.clone());
    for _ in 0..20 {
        (0..40).for_each(|_| assert_eq!(writer.put(&bytes(Level::Debug, "flood")), Ok(())));
        world.ring_bell();
    }
    assert_eq!(world.client().append(&bytes(Level::Debug, "quiet")).map(drop), Ok(()));
}

#[test]
fn chatter_pushes_out_chatter_and_no_error() {
    let world = World::new();
    let mut client = world.client();
    client.append(&bytes(Level::Error, "the one that matters")).expect("kept");
    for _ in 0..2 * LEVEL_RECORDS {
        world.local.advance(TIMEBASE / u64::from(RATE));
        client.append(&bytes(Level::Debug, &"chatter".repeat(12))).expect("inside the rate");
    }
    let texts = world.texts(OWN);
    assert_eq!(texts[0], "the one that matters");
    assert_eq!(texts.len(), 1 + LEVEL_BYTES / bytes(Level::Debug, &"chatter".repeat(12)).len());
}

#[test]
fn senders_and_watches_have_a_bound() {
    let world = World::new();
    for at in 0..MAX_SENDERS as u64 {
        let mut sender = Client::new(world.transport(ServiceId(1000 + at), APPEND));
        sender.append(&bytes(Level::Info, "here")).expect("kept");
    }
    let over = Client::new(world.transport(ServiceId(1), APPEND)).append(&bytes(Level::Info, "one too many")).err();
    assert_eq!(over, Some(Error::OverLimit));
    let end = world.client().tail(0, 5, ANYBODY).expect("an end").after;
    let watch = |at: u64| Client::new(world.transport(ServiceId(at << 8), READ)).watch(end, handle(at), 1).map(drop);
    (1..=MAX_WATCHES as u64).for_each(|at| assert_eq!(watch(at), Ok(())));
    assert_eq!(watch(99), Err(Error::OverLimit));
    assert_eq!(watch(1), Ok(()), "one that waits may wait anew");
}
