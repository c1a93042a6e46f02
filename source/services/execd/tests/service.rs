//! The service over a fake kernel, in process: the contract, who may what, and what is left behind.

mod fake;

use execd::{Execd, Holdings, MAX_RECORDS, MAX_WAITERS};
use fake::Fake;
use nexus_abi::image::{self, Entry, EntryKind, Header};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{self, Syscall};
use nexus_abi::{Budget, Deadline, Error, Handle, Limits, Name, ProcessId, QosClass, Quota, ServiceId};
use nexus_ipc::local::LocalTransport;
use nexus_ipc::{Answered, Call, Caller, Local, Message, Outcome, Port, Serve, Signal};
use nexus_proto::contract;
use nexus_proto::exec::{CONTROL, Client, Fate, RAISE, START, WITH_STARTER, pack};
use wiring::{Grant, Grants, Program, Wiring};

/// The service, and a clock under which its programs run: they end a while after they were started.
struct Bench {
    execd: Execd<Fake>,
    next: u64,
}

impl Serve for Bench {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        self.next = call.port.now() + 100;
        self.execd.call(call, request)
    }

    fn deadline(&self) -> Deadline {
        Deadline(self.next)
    }

    fn expired(&mut self, port: &mut dyn Port) {
        self.next = u64::MAX;
        self.execd.kernel().run();
        let bits = core::mem::take(&mut self.execd.kernel().signalled);
        self.execd.signal(port, Signal { bits, key: 0 });
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("short")
}

fn program(text: &str) -> Program {
    Program {
        name: name(text),
        id: ServiceId::program(text),
        prefix: name("hello"),
        quota: Quota { frames: 64, ..Quota::default() },
        qos: QosClass::Normal,
        limits: Limits::NONE,
        stack_pages: 4,
        grants: Grants::default().with(Grant::Log),
        shard: None,
    }
}

/// One page of code, and a header that says so.
fn elf() -> Vec<u8> {
    let mut file = vec![0; 2 * PAGE_SIZE];
    file[..16].copy_from_slice(&[0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let halves = [(16, 2), (18, 243), (52, 64), (54, 56), (56, 1), (58, 64)];
    halves.into_iter().for_each(|(at, value): (usize, u16)| file[at..at + 2].copy_from_slice(&value.to_le_bytes()));
    let words = [(20, 1), (64, 1), (68, 5)];
    words.into_iter().for_each(|(at, value): (usize, u32)| file[at..at + 4].copy_from_slice(&value.to_le_bytes()));
    let page = PAGE_SIZE as u64;
    let longs = [(24, 0x1_0000), (32, 64), (72, page), (80, 0x1_0000), (88, 0x1_0000), (96, page), (104, page)];
    longs.into_iter().for_each(|(at, value): (usize, u64)| file[at..at + 8].copy_from_slice(&value.to_le_bytes()));
    file
}

fn boot_image() -> Vec<u8> {
    let names = ["app/boot/hello", "app/boot/spin", "app/boot/crash", "app/boot/broken"];
    let mut programs: Vec<Program> = names.into_iter().map(program).collect();
    programs[1].limits = Limits { shares: 50, cpus: 0b11, budget: Budget { time_us: 2000, period_us: 10_000 } };
    let manifest = Wiring { programs, ..Wiring::default() }.write().expect("small");
    let mut files = vec![("manifest", ServiceId(0), EntryKind::Manifest, manifest)];
    for text in names {
        let bytes = if text.ends_with("broken") { b"#!/bin/sh".to_vec() } else { elf() };
        let short = text.rsplit('/').next().expect("a last part");
        files.push((short, ServiceId::program(text), EntryKind::Program, bytes));
    }
    let (mut bytes, mut entries) = (vec![0; PAGE_SIZE], vec![]);
    for (text, id, kind, file) in files {
        let (offset, length) = (bytes.len() as u64, file.len() as u64);
        entries.push(Entry { name: name(text), id, kind, offset, length, digest: wiring::digest(&file) });
        bytes.extend(file);
        bytes.resize(bytes.len().next_multiple_of(PAGE_SIZE), 0);
    }
    let header = Header { length: bytes.len() as u64, stack_pages: 1, entries: entries.len(), ..Header::default() };
    image::seal(&mut bytes, &header, &entries).expect("sound");
    bytes
}

fn setup() -> Local<Bench> {
    let mut kernel = Fake::default();
    let holdings = Holdings {
        image: kernel.handle("image"),
        spawn: kernel.handle("spawn"),
        ends: kernel.handle("ends"),
        init: Some(kernel.handle("init")),
        log: Some(kernel.handle("log")),
        info: None,
        timebase: 10_000_000,
    };
    let execd = Execd::new(kernel, boot_image().leak(), holdings).expect("a sound image");
    Local::new(Bench { execd, next: u64::MAX })
}

type Connection = Client<LocalTransport<Bench>>;

fn transport(local: &Local<Bench>, process: u64, badge: u64) -> LocalTransport<Bench> {
    let service = ServiceId::program("app/boot/selftest");
    local.connect(Caller { service, process: ProcessId(process), badge, trace: 0 })
}

fn client(local: &Local<Bench>, process: u64, badge: u64) -> Connection {
    Client::new(transport(local, process, badge))
}

fn start(client: &mut Connection, program: &str) -> ProcessId {
    client.start(program, &[], None, None, None).expect("it starts").process
}

fn with_kernel<T>(local: &Local<Bench>, use_it: impl FnOnce(&mut Fake) -> T) -> T {
    use_it(local.service_mut().execd.kernel())
}

#[test]
fn the_service_keeps_its_contract() {
    let local = setup();
    assert_eq!(contract::exec(transport(&local, 1, START), "hello"), Ok(()));
    assert_eq!(contract::exec_kill(transport(&local, 1, START), "spin"), Ok(()));
    let other = start(&mut client(&local, 1, START), "spin");
    assert_eq!(contract::exec_denied(transport(&local, 2, 0), "hello", other), Ok(()));
}

#[test]
fn policy_is_asked_at_each_start_about_who_the_kernel_says() {
    let local = setup();
    start(&mut client(&local, 1, START), "hello");
    with_kernel(&local, |kernel| {
        assert_eq!(kernel.asked, [(ServiceId::program("app/boot/selftest"), "exec".to_owned(), START)]);
        assert_eq!(kernel.audits, ["open allow route unknown app/boot/hello"]);
    });
}

#[test]
fn without_policys_leave_nothing_starts_and_the_caller_is_told_why() {
    for error in [Error::Permission, Error::Unavailable] {
        let local = setup();
        with_kernel(&local, |kernel| kernel.policy = Some(error));
        let before = with_kernel(&local, |kernel| kernel.open.clone());
        let refused = client(&local, 1, START).start("hello", &[], None, None, None).err();
        assert_eq!(refused, Some(error));
        with_kernel(&local, |kernel| {
            assert!(kernel.processes.is_empty());
            assert_eq!(kernel.open, before);
            assert_eq!(kernel.audits, [format!("open deny {} unknown app/boot/hello", error.name())]);
            kernel.policy = None;
        });
        start(&mut client(&local, 1, START), "hello");
    }
}

#[test]
fn who_has_no_permission_is_refused_without_asking_policy() {
    let local = setup();
    assert_eq!(client(&local, 1, 0).start("hello", &[], None, None, None).err(), Some(Error::Permission));
    with_kernel(&local, |kernel| assert!(kernel.asked.is_empty()));
}

#[test]
fn a_program_controls_what_it_started_and_nothing_else() {
    let local = setup();
    let (mut owner, mut other) = (client(&local, 1, START), client(&local, 2, START));
    let process = start(&mut owner, "spin");

    assert_eq!(other.state(process).err(), Some(Error::Permission));
    assert_eq!(other.wait(process).err(), Some(Error::Permission));
    assert_eq!(other.kill(process, 1).err(), Some(Error::Permission));

    assert_eq!(owner.state(process).expect("its own").fate(), Ok(Fate::Running));
}

#[test]
fn control_reaches_every_program_but_starts_none() {
    let local = setup();
    let process = start(&mut client(&local, 1, START), "spin");
    let mut warden = client(&local, 3, CONTROL);

    assert_eq!(warden.start("hello", &[], None, None, None).err(), Some(Error::Permission));
    assert_eq!(warden.list(0).expect("one").process, process);
    warden.kill(process, 7).expect("it may");

    assert_eq!(warden.wait(process).expect("it ended").fate(), Ok(Fate::Killed(7)));
    assert_eq!(warden.list(0).err(), Some(Error::NotFound));
}

#[test]
fn what_a_program_started_ends_with_it_however_deep_and_leaves_no_record() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let first = start(&mut owner, "spin");
    let mut line = vec![first];
    for _ in 0..5 {
        let last = line.last().expect("there is a first").0;
        line.push(start(&mut client(&local, last, START), "spin"));
        start(&mut client(&local, last, START), "spin");
    }
    let other = start(&mut owner, "spin");

    owner.kill(first, 9).expect("its own");

    assert_eq!(owner.wait(first).expect("it ended").fate(), Ok(Fate::Killed(9)));
    with_kernel(&local, |kernel| {
        let ends = line[1..].iter().map(|process| kernel.processes[&process.0].status);
        assert!(ends.into_iter().all(|status| status == [3, WITH_STARTER as u64, 0, 0]));
        assert_eq!(kernel.processes.values().filter(|process| process.runs).count(), 1);
    });
    let listed = client(&local, 3, CONTROL).list(0).expect("the other one");
    assert_eq!(listed.process, other);
    assert_eq!(client(&local, 3, CONTROL).list(listed.index + 1).err(), Some(Error::NotFound));
}

#[test]
fn a_program_that_ends_by_itself_takes_its_successor_with_it() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let first = start(&mut owner, "hello");
    let successor = start(&mut client(&local, first.0, START), "spin");

    assert_eq!(owner.wait(first).expect("it ended").fate(), Ok(Fate::Exited(0)));

    assert_eq!(client(&local, 3, CONTROL).state(successor).err(), Some(Error::NotFound));
    with_kernel(&local, |kernel| assert_eq!(kernel.processes.values().filter(|process| process.runs).count(), 0));
}

#[test]
fn a_class_above_the_manifests_takes_policys_leave_and_below_it_none() {
    let local = setup();
    let (mut owner, mut stranger) = (client(&local, 1, START), client(&local, 2, START));
    let process = start(&mut owner, "spin");
    let forget = |kernel: &mut Fake| {
        kernel.classes.clear();
        kernel.asked.clear();
        kernel.audits.clear();
    };
    with_kernel(&local, forget);

    for error in [Error::Permission, Error::Unavailable] {
        with_kernel(&local, |kernel| kernel.policy = Some(error));
        assert_eq!(owner.set_class(process, QosClass::Interactive).err(), Some(error));
    }
    with_kernel(&local, |kernel| {
        let denied = |reason| format!("raise deny {reason} unknown app/boot/spin");
        assert_eq!(kernel.audits, ["EPERM", "EUNAVAILABLE"].map(denied), "one audit each");
        assert!(kernel.asked.iter().all(|(_, interface, permits)| interface == "exec" && *permits == RAISE));
        forget(kernel);
    });
    assert_eq!(stranger.set_class(process, QosClass::Idle).err(), Some(Error::Permission));
    let mut warden = client(&local, 3, CONTROL);
    assert_eq!(warden.set_class(process, QosClass::PerfBurst).err(), Some(Error::Permission));
    with_kernel(&local, |kernel| assert_eq!(kernel.classes, [], "a refused request reaches no kernel"));

    owner.set_class(process, QosClass::Idle).expect("lower than the manifest's");
    owner.set_class(process, QosClass::Normal).expect("the manifest's");
    with_kernel(&local, |kernel| assert_eq!(kernel.asked, [], "that takes nobody's leave"));
    with_kernel(&local, |kernel| kernel.policy = None);
    warden.set_class(process, QosClass::Interactive).expect("by policy's leave");
    with_kernel(&local, |kernel| assert_eq!(kernel.audits, ["raise allow route unknown app/boot/spin"]));
    let number = u64::from(process.number());
    with_kernel(&local, |kernel| assert_eq!(kernel.classes, [(0, number), (1, number), (2, number)]));

    with_kernel(&local, |kernel| kernel.refuse = Some((syscall::QosSet::NUMBER, Error::Again)));
    assert_eq!(warden.set_class(process, QosClass::Idle).err(), Some(Error::Again), "the class is full");
    with_kernel(&local, |kernel| kernel.refuse = None);
    owner.kill(process, 0).expect("its own");
    assert_eq!(owner.set_class(process, QosClass::Idle).err(), Some(Error::State));
}

#[test]
fn limits_of_the_manifest_are_set_at_the_start_and_beyond_them_it_takes_policys_leave() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let process = start(&mut owner, "crash");
    with_kernel(&local, |kernel| assert_eq!(kernel.limits, [], "the manifest sets none"));
    let bound = Limits { shares: 50, cpus: 0b11, budget: Budget { time_us: 2000, period_us: 10_000 } };
    assert_eq!(owner.limit(process, bound).err(), None, "less than no limit");
    let process = start(&mut owner, "spin");
    let forget = |kernel: &mut Fake| {
        assert_eq!(kernel.limits.pop(), Some((50, 0b11, 20_000, 100_000)));
        kernel.limits.clear();
        kernel.asked.clear();
        kernel.audits.clear();
        kernel.policy = Some(Error::Permission);
    };
    with_kernel(&local, forget);
    let more = |time_us, period_us| Limits { budget: Budget { time_us, period_us }, ..bound };
    let wider = [
        Limits { shares: 51, ..bound },
        Limits { cpus: 0b111, ..bound },
        more(2001, 10_000),
        more(2000, 9999),
        more(0, 0),
    ];
    for limits in wider {
        assert_eq!(owner.limit(process, limits).err(), Some(Error::Permission), "{limits:?}");
    }
    with_kernel(&local, |kernel| {
        assert_eq!(kernel.audits, ["raise deny EPERM unknown app/boot/spin"; 5], "one audit each");
        assert_eq!(kernel.limits, [], "a refused request reaches no kernel");
        kernel.asked.clear();
    });
    for limits in
        [Limits { shares: 0, ..bound }, Limits { shares: 1001, ..bound }, Limits { cpus: 0, ..bound }, more(1, 999)]
    {
        assert_eq!(owner.limit(process, limits).err(), Some(Error::Invalid), "{limits:?}");
    }
    assert_eq!(client(&local, 2, START).limit(process, bound).err(), Some(Error::Permission), "another's program");
    owner.limit(process, more(1000, 20_000)).expect("less");
    owner.limit(process, bound).expect("as the manifest says");
    with_kernel(&local, |kernel| {
        assert_eq!(kernel.asked, [], "that takes nobody's leave");
        kernel.policy = None;
    });
    owner.limit(process, wider[0]).expect("by policy's leave");
    let set = [(50, 3, 10_000, 200_000), (50, 3, 20_000, 100_000), (51, 3, 20_000, 100_000)];
    with_kernel(&local, |kernel| assert_eq!(kernel.limits, set));
    owner.kill(process, 0).expect("its own");
    assert_eq!(owner.limit(process, bound).err(), Some(Error::State));
}

#[test]
fn a_fault_is_told_with_cause_place_and_address() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let process = start(&mut owner, "crash");
    let fate = owner.wait(process).expect("it ended").fate();
    assert_eq!(fate, Ok(Fate::Faulted { cause: 13, pc: 0x1_0000, address: 8 }));
}

#[test]
fn a_wait_ends_at_its_deadline_and_the_record_stays_for_the_next() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let process = start(&mut owner, "spin");

    assert_eq!(owner.until(Deadline(50)).wait(process).err(), Some(Error::TimedOut));
    owner.kill(process, 3).expect("its own");

    assert_eq!(owner.wait(process).expect("the first waiter had gone").fate(), Ok(Fate::Killed(3)));
}

#[test]
fn watchers_are_signalled_once_and_their_handles_closed() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let process = start(&mut owner, "spin");
    let bell = |local: &Local<Bench>| with_kernel(local, |kernel| kernel.handle("bell"));

    owner.watch(process, bell(&local), 4).expect("there is room");
    owner.kill(process, 0).expect("its own");
    owner.watch(process, bell(&local), 8).expect("at once");

    with_kernel(&local, |kernel| {
        assert_eq!(kernel.notified.iter().map(|&(_, bits)| bits).collect::<Vec<_>>(), [4, 8]);
        assert_eq!(kernel.count("bell"), 0);
    });
}

#[test]
fn who_watches_again_takes_no_second_place() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let process = start(&mut owner, "spin");

    for _ in 0..2 * MAX_WAITERS {
        let bell = with_kernel(&local, |kernel| kernel.handle("bell"));
        owner.watch(process, bell, 4).expect("it has a place");
    }
    with_kernel(&local, |kernel| assert_eq!(kernel.count("bell"), 1, "the handle that came last is kept"));
    owner.kill(process, 0).expect("its own");

    with_kernel(&local, |kernel| {
        assert_eq!((kernel.notified.len(), kernel.count("bell")), (1, 0), "it is told once");
    });
}

#[test]
fn waiters_and_watchers_are_bounded() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let process = start(&mut owner, "spin");
    for at in 0..MAX_WAITERS {
        let bell = with_kernel(&local, |kernel| kernel.handle("bell"));
        owner.watch(process, bell, 1 << at).expect("there is room");
        assert_eq!(owner.until(Deadline(1)).wait(process).err(), Some(Error::TimedOut));
    }

    let bell = with_kernel(&local, |kernel| kernel.handle("bell"));
    assert_eq!(owner.watch(process, bell, 1 << MAX_WAITERS).err(), Some(Error::OverLimit));
    assert_eq!(owner.wait(process).err(), Some(Error::OverLimit));
    assert_eq!(local.closed(), [bell]);
}

#[test]
fn streams_are_passed_on_and_the_services_own_copies_closed() {
    let local = setup();
    let stream = with_kernel(&local, |kernel| kernel.handle("stream"));
    let packed = pack(["one", "two"]).expect("no zero bytes");

    let started = client(&local, 1, START).start("hello", &packed, Some(stream), None, None).expect("it starts");

    with_kernel(&local, |kernel| {
        let grants = &kernel.processes[&started.process.0].grants;
        assert_eq!(grants.last(), Some(&(stream.raw(), 9)), "usable and transferable, nothing more");
        assert_eq!(grants.len(), 3, "log, init and the stream");
        assert_eq!(kernel.count("stream"), 0);
    });
}

#[test]
fn a_file_that_is_no_program_is_corrupt_and_makes_no_process() {
    let local = setup();
    assert_eq!(client(&local, 1, START).start("broken", &[], None, None, None).err(), Some(Error::Corrupt));
    with_kernel(&local, |kernel| assert!(kernel.processes.is_empty()));
}

#[test]
fn whatever_step_fails_the_process_is_gone_and_nothing_is_held() {
    for step in [
        syscall::ProcessCreate::NUMBER,
        syscall::MemoryCreate::NUMBER,
        syscall::MemoryGrow::NUMBER,
        syscall::Map::NUMBER,
        syscall::Grant::NUMBER,
        syscall::ProcessWatch::NUMBER,
        syscall::ThreadCreate::NUMBER,
        syscall::ThreadStart::NUMBER,
    ] {
        let local = setup();
        let before = with_kernel(&local, |kernel| {
            kernel.refuse = Some((step, Error::Exhausted));
            kernel.open.len()
        });

        let refused = client(&local, 1, START).start("hello", &[], None, None, None).err();

        assert_eq!(refused, Some(Error::Exhausted), "call {step}");
        with_kernel(&local, |kernel| {
            assert_eq!(kernel.open.len(), before, "call {step} left {:?}", kernel.open);
            assert!(kernel.processes.values().all(|process| process.status[0] == 3), "call {step}");
        });
    }
}

#[test]
fn the_table_is_bounded_and_gives_the_oldest_ended_place_away() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let running: Vec<_> = (0..MAX_RECORDS).map(|_| start(&mut owner, "spin")).collect();
    assert_eq!(owner.start("spin", &[], None, None, None).err(), Some(Error::OverLimit));

    for &process in [running[9], running[3]].iter() {
        owner.kill(process, 1).expect("its own");
    }
    start(&mut owner, "spin");

    assert_eq!(owner.state(running[3]).err(), Some(Error::NotFound), "it was started first of those that ended");
    assert!(owner.state(running[9]).is_ok());
}

#[test]
fn five_hundred_programs_leave_no_handle() {
    let local = setup();
    let mut owner = client(&local, 1, START);
    let before = with_kernel(&local, |kernel| kernel.open.len());
    for _ in 0..500 {
        let process = start(&mut owner, "hello");
        assert_eq!(owner.wait(process).expect("it ended").fate(), Ok(Fate::Exited(0)));
    }
    assert_eq!(with_kernel(&local, |kernel| kernel.open.len()), before);
}

#[test]
fn a_damaged_image_makes_no_service() {
    let whole = boot_image();
    for at in [0, 8, 30, PAGE_SIZE, 100] {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        let holdings = Holdings {
            image: Handle::from_raw(1).expect("not 0"),
            spawn: Handle::from_raw(2).expect("not 0"),
            ends: Handle::from_raw(3).expect("not 0"),
            init: None,
            log: None,
            info: None,
            timebase: 1,
        };
        assert!(Execd::new(Fake::default(), damaged.leak(), holdings).is_err(), "byte {at}");
    }
}

#[test]
fn a_program_whose_file_was_damaged_is_not_started() {
    let mut bytes = boot_image();
    let length = bytes.len();
    let at = length - 6 * PAGE_SIZE;
    bytes[at..at + 8].fill(0xff);
    let holdings = {
        let handle = |raw| Handle::from_raw(raw).expect("not 0");
        let (image, spawn, ends) = (handle(1), handle(2), handle(3));
        Holdings { image, spawn, ends, init: None, log: None, info: None, timebase: 1 }
    };
    let execd = Execd::new(Fake::default(), bytes.leak(), holdings).expect("the manifest is whole");
    let local = Local::new(Bench { execd, next: u64::MAX });
    let mut owner = client(&local, 1, START);
    let refused = ["hello", "spin", "crash"].map(|name| owner.start(name, &[], None, None, None).err());
    assert!(refused.contains(&Some(Error::Corrupt)), "{refused:?}");
}

#[test]
fn what_a_predecessor_started_is_found_again_and_can_be_ended() {
    let mut kernel = Fake::default();
    let handle = |raw| Handle::from_raw(raw).expect("not 0");
    let (image, spawn, ends) = (handle(101), handle(102), handle(103));
    let holdings = Holdings { image, spawn, ends, init: None, log: None, info: Some(handle(104)), timebase: 1 };
    let spin = "app/boot/spin";
    let found = [(2, "shell", 0), (3, spin, 0), (4, "app/boot/hello", 2), (5, spin, 0), (6, spin, 0)];
    for (id, name, state) in found {
        let (name, status) = (name.into(), [state, 0, 0, 0]);
        // The fifth was made and never begun.
        kernel.processes.insert(id, fake::Process { name, status, runs: id != 5, ..Default::default() });
    }
    let mut execd = Execd::new(kernel, boot_image().leak(), holdings).expect("a sound image");
    execd.recover().expect("info is there");
    let local = Local::new(Bench { execd, next: u64::MAX });
    let (mut operator, mut starter) = (client(&local, 7, CONTROL), client(&local, 8, START));

    let listed: Vec<_> = (0..2).map(|at| operator.list(at).expect("listed").process).collect();
    assert_eq!(listed, [ProcessId(3), ProcessId(6)], "programs that run, and no service");
    assert_eq!(operator.list(2).err(), Some(Error::NotFound));
    with_kernel(&local, |kernel| {
        let half_made = (kernel.processes[&5].status[0], kernel.open.contains_key(&5));
        assert_eq!(half_made, (3, false), "what nobody would ever run is ended");
    });
    assert_eq!(starter.kill(ProcessId(3), 1).err(), Some(Error::Permission), "nobody's but the operator's");
    operator.kill(ProcessId(3), 9).expect("it runs");
    assert_eq!(operator.wait(ProcessId(3)).and_then(|ended| ended.fate()), Ok(Fate::Killed(9)));
    with_kernel(&local, |kernel| kernel.end(6, [2, 5, 0, 0]));
    assert_eq!(operator.wait(ProcessId(6)).and_then(|ended| ended.fate()), Ok(Fate::Exited(5)), "its end is heard");
}
