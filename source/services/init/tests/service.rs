//! init against a machine of records: order, capabilities, restarts, routes, the operator.

mod fake;
#[path = "service/grants.rs"]
mod grants;
#[path = "service/rings.rs"]
mod rings;

use fake::{Fake, State as Machine, handle, media};
use init::devices::{self, Place};
use init::{Init, Roots};
use nexus_abi::start::ExitKind;
use nexus_abi::syscall::{self, Syscall};
use nexus_abi::{Budget, Error, Limits, Name, ProcessId, QosClass, Quota, Rights, ServiceId};
use nexus_ipc::{Caller, Local, Notice, Signal, Transport};
use nexus_proto::supervisor::{Client, State};
use wiring::{Backoff, Device, Grant, Grants, Interface, Party, Program, Restart, Route, Service, Wiring, badge};

/// Ticks a millisecond.
const MS: u64 = 10_000;

fn name(text: &str) -> Name {
    Name::new(text).expect("short")
}

fn service(text: &str, restart: Restart, grants: &[Grant]) -> Service {
    Service {
        name: name(text),
        id: ServiceId::service(text),
        prefix: name(text),
        quota: Quota { frames: 64, messages: 8, ..Quota::default() },
        qos: QosClass::Interactive,
        limits: Limits::NONE,
        stack_pages: 4,
        restart,
        grants: grants.iter().fold(Grants::default(), |all, &grant| all.with(grant)),
        shard: None,
    }
}

/// A driver, a launcher that calls nobody, a client of both; a program that may ask for a route.
fn system() -> Wiring {
    let program = "app/boot/probe";
    Wiring {
        backoff: Backoff { first_ms: 20, most_ms: 50, limit: 4, window_ms: 10_000 },
        services: vec![
            service("driver", Restart::Always, &[Grant::Log, Grant::Console]),
            service("launcher", Restart::OnFailure, &[Grant::Log, Grant::Spawn, Grant::Image]),
            service("client", Restart::Always, &[Grant::Power]),
        ],
        programs: vec![Program {
            name: name(program),
            id: ServiceId::program(program),
            prefix: name(program),
            quota: Quota::default(),
            qos: QosClass::Normal,
            limits: Limits::NONE,
            stack_pages: 1,
            grants: Grants::default().with(Grant::Log),
            shard: None,
        }],
        interfaces: vec![
            Interface { name: name("supervisor"), owner: Party::Init },
            Interface { name: name("stream"), owner: Party::Service(0) },
            Interface { name: name("exec"), owner: Party::Service(1) },
        ],
        routes: vec![
            Route { holder: Party::Service(2), name: name("stdout"), interface: 1, badge: badge(0, 0) },
            Route { holder: Party::Service(2), name: name("exec"), interface: 2, badge: badge(0, 3) },
            Route { holder: Party::Service(2), name: name("supervisor"), interface: 0, badge: badge(0, 1) },
            Route { holder: Party::Program(0), name: name("exec"), interface: 2, badge: badge(0, 1) },
        ],
        devices: vec![Device { name: name("uart"), compatible: name("ns16550a"), instance: 0, owner: 0 }],
    }
}

/// A running init and the machine below it.
struct World {
    local: Local<Init<Fake>>,
    machine: Fake,
}

impl World {
    fn new(wiring: &Wiring) -> Self {
        Self::on(Fake::default(), wiring)
    }

    fn on(machine: Fake, wiring: &Wiring) -> Self {
        let roots = Roots {
            image: handle(1),
            device_tree: handle(2),
            devices: handle(3),
            spawn: handle(4),
            info: handle(5),
            power: handle(6),
            log: handle(7),
            endpoint: handle(8),
            gone: handle(9),
        };
        machine.0.borrow_mut().open = (1..=9).collect();
        let files: (&'static [u8], &'static [u8]) = (media::image(wiring).leak(), media::tree().leak());
        let mut init = Init::new(machine.clone(), roots, files, 1000 * MS).expect("a sound image");
        init.begin();
        Self { local: Local::new(init), machine }
    }

    /// Every service is up.
    fn ready() -> Self {
        let world = Self::new(&system());
        ["driver", "launcher", "client"].into_iter().for_each(|service| world.up(service));
        world
    }

    fn see<T>(&self, look: impl FnOnce(&mut Machine) -> T) -> T {
        look(&mut self.machine.0.borrow_mut())
    }

    fn lines(&self) -> Vec<String> {
        self.see(|machine| std::mem::take(&mut machine.lines))
    }

    fn caller(&self, service: ServiceId, badge: u64) -> Caller {
        let process = self.see(|machine| machine.living(service).map_or(ProcessId(77), |(_, process)| process.id));
        Caller { service, process, badge, trace: 0 }
    }

    /// The service answers the last probe it got.
    fn up(&self, service: &str) {
        let id = ServiceId::service(service);
        let nonce = self.see(|machine| {
            let endpoint = machine.endpoint(id);
            machine.sent.iter().rev().find_map(|(to, notice)| match notice {
                Notice::Probe { nonce } if *to == endpoint => Some(*nonce),
                _ => None,
            })
        });
        let nonce = nonce.expect("it was probed");
        self.send(self.caller(id, 0), Notice::Up { nonce });
    }

    fn send(&self, caller: Caller, notice: Notice) {
        self.local.connect(caller).send(&notice.to_message()).expect("one-way");
    }

    /// The service's process ends, and the machine says so.
    fn end(&self, service: &str, state: [u64; 4]) {
        let bits = self.see(|machine| {
            let (process, _) = machine.living(ServiceId::service(service)).expect("lives");
            let process = machine.processes.get_mut(&process).expect("found");
            process.state = state;
            process.gone_bits
        });
        self.local.signal(Signal { bits, key: 0 });
    }

    fn crash(&self, service: &str) {
        self.end(service, [ExitKind::Faulted as u64, 13, 0x1_0004, 8]);
    }

    /// Time passes, and init's deadline with it.
    fn wait(&self, ms: u64) {
        self.see(|machine| machine.now += ms * MS);
        let now = self.see(|machine| machine.now);
        let behind = now.saturating_sub(self.local_now());
        self.local.advance(behind);
    }

    fn local_now(&self) -> u64 {
        self.local.connect(self.caller(ServiceId(1), 0)).patience().0 - 10_000_000
    }

    fn route(&self, asker: ServiceId, interface: &str, nonce: u64) {
        let notice = Notice::Route { nonce, interface: name(interface), inbox: handle(5000 + nonce) };
        self.send(self.caller(asker, 0), notice);
    }

    /// What was answered to the inbox of this nonce.
    fn answer(&self, nonce: u64) -> Option<Result<(u64, u8, u64), Error>> {
        self.see(|machine| {
            let sent = machine.sent.iter().find_map(|(to, notice)| match notice {
                Notice::Routed { nonce: found, result } if *to == 5000 + nonce && *found == nonce => Some(*result),
                _ => None,
            });
            sent.map(|result| result.map(|handle| machine.derived[&handle.raw()]))
        })
    }

    fn operator(&self, badge: u64) -> Client<impl Transport> {
        Client::new(self.local.connect(self.caller(ServiceId::service("client"), badge)))
    }
}

const PROBE: ServiceId = ServiceId::program("app/boot/probe");

#[test]
fn services_start_in_order_each_when_the_one_before_is_up() {
    let world = World::new(&system());
    assert_eq!(world.lines(), ["start", "start driver"]);
    world.up("driver");
    assert_eq!(world.lines(), ["up driver", "start launcher"]);
    world.up("launcher");
    assert_eq!(world.lines(), ["up launcher", "start client"]);
    world.up("client");
    assert_eq!(world.lines(), ["up client", "ready"]);
}

#[test]
fn nobody_else_can_answer_a_probe() {
    let world = World::new(&system());
    let driver = ServiceId::service("driver");
    let sound = world.caller(driver, 0);
    world.send(sound, Notice::Up { nonce: 99 });
    world.send(Caller { process: ProcessId(5), ..sound }, Notice::Up { nonce: 1 });
    world.send(Caller { service: PROBE, ..sound }, Notice::Up { nonce: 1 });
    assert_eq!(world.lines(), ["start", "start driver"]);
    world.send(sound, Notice::Up { nonce: 1 });
    assert_eq!(world.lines(), ["up driver", "start launcher"]);
    world.send(sound, Notice::Up { nonce: 1 });
    assert_eq!(world.lines(), Vec::<String>::new(), "an answer counts once");
}

#[test]
fn each_service_gets_exactly_what_the_manifest_says() {
    let world = World::ready();
    let given = |service: &str| {
        world.see(|machine| machine.living(ServiceId::service(service)).expect("lives").1.grants.clone())
    };
    let endpoint = |service: &str| world.see(|machine| machine.endpoint(ServiceId::service(service)));
    let (all, use_, pass) = (Rights::ALL.bits(), Rights::USE.bits(), Rights::USE.union(Rights::TRANSFER).bits());
    let both = Rights::USE.union(Rights::TAKE).bits();
    let driver = given("driver");
    assert_eq!(driver[..3], [(endpoint("driver"), all, 0), (8, use_, 0), (7, both, 0)]);
    let device: Vec<_> = driver[3..].iter().map(|(_, rights, badge)| (*rights, *badge)).collect();
    assert_eq!(device, [(both, 0), (use_, 0), (both, 0)], "window, interrupt, notification");
    let programs = world.see(|machine| {
        let covers = |(_, id): &(&u64, &ServiceId)| **id == ServiceId::ANY_PROGRAM;
        *machine.spawns.iter().find(covers).expect("minted for the launcher").0
    });
    assert_eq!(
        given("launcher"),
        [(endpoint("launcher"), all, 0), (8, pass, 0), (7, pass, 0), (programs, pass, 0), (1, pass, 0)]
    );
    assert_eq!(
        given("client"),
        [
            (endpoint("client"), all, 0),
            (8, use_, 0),
            (6, use_, 0),
            (endpoint("driver"), use_, badge(0, 0)),
            (endpoint("launcher"), use_, badge(0, 3)),
            (8, use_, badge(0, 1)),
        ]
    );
}

#[test]
fn the_device_is_where_the_tree_says_and_is_minted_once() {
    let world = World::ready();
    world.crash("driver");
    world.wait(20);
    world.up("driver");
    assert_eq!(
        world.see(|machine| (machine.windows.clone(), machine.irqs.clone())),
        (vec![(0x1000_0000, 1)], vec![10])
    );
}

#[test]
fn once_ready_init_keeps_only_what_a_restart_needs() {
    let world = World::ready();
    let open = world.see(|machine| machine.open.clone());
    for kept in [1, 6, 7, 8, 9] {
        assert!(open.contains(&kept), "image, power, log, endpoint, notification: {kept}");
    }
    for dropped in [2, 3, 4, 5] {
        assert!(!open.contains(&dropped), "device tree, devices, spawn root, info: {dropped}");
    }
}

#[test]
fn the_class_of_the_manifest_is_set() {
    let world = World::ready();
    world.see(|machine| assert!(machine.processes.values().all(|process| process.class == 2)));
}

#[test]
fn the_limits_of_the_manifest_are_set_at_each_start() {
    let mut wiring = system();
    wiring.services[0].limits = Limits { shares: 300, cpus: 1, budget: Budget { time_us: 2000, period_us: 10_000 } };
    let world = World::new(&wiring);
    for _ in 0..2 {
        world.see(|machine| {
            let driver = machine.processes.values().rfind(|process| process.service == ServiceId::service("driver"));
            assert_eq!(driver.map(|driver| driver.limits), Some(Some((300, 1, 20_000, 100_000))));
            let others = machine.processes.values().filter(|process| process.service != ServiceId::service("driver"));
            assert!(others.into_iter().all(|process| process.limits.is_none()), "nothing is said of them");
        });
        world.crash("driver");
        world.wait(20);
    }
}

#[test]
fn a_service_that_faults_comes_back_after_a_pause_that_doubles() {
    let world = World::ready();
    world.lines();
    world.crash("driver");
    assert_eq!(world.lines(), ["driver fault 13 at 0x10004 on 0x8", "restart driver in 20 ms"]);
    world.wait(19);
    assert_eq!(world.lines(), Vec::<String>::new());
    world.wait(1);
    assert_eq!(world.lines(), ["start driver"]);
    world.up("driver");
    assert_eq!(world.lines(), ["up driver"], "ready is said once");
    world.crash("driver");
    assert_eq!(world.lines()[1], "restart driver in 40 ms");
    world.wait(40);
    world.up("driver");
    world.lines();
    world.crash("driver");
    assert_eq!(world.lines()[1], "restart driver in 50 ms", "the longest wait");
}

#[test]
fn too_many_ends_in_the_window_and_it_is_given_up_until_somebody_restarts_it() {
    let world = World::ready();
    for _ in 0..3 {
        world.crash("driver");
        world.wait(50);
        world.up("driver");
    }
    world.lines();
    world.crash("driver");
    assert_eq!(world.lines()[1], "give up driver");
    world.wait(60_000);
    assert_eq!(world.lines(), Vec::<String>::new());
    let mut operator = world.operator(badge(0, 1));
    assert_eq!(operator.list(0).expect("listed").state, State::GivenUp as u8);
    let process = operator.restart("driver").expect("may").process;
    assert_eq!(world.lines(), ["start driver"]);
    assert_eq!(operator.list(0).expect("listed").process, process);
    assert_eq!(operator.restart("driver"), Err(Error::State));
}

#[test]
fn ends_outside_the_window_do_not_count() {
    let world = World::ready();
    for _ in 0..10 {
        world.crash("driver");
        assert_eq!(world.lines().last().map(String::as_str), Some("restart driver in 20 ms"));
        world.wait(20);
        world.up("driver");
        world.wait(10_000);
    }
}

#[test]
fn a_clean_exit_is_final_if_the_policy_says_so() {
    let world = World::ready();
    world.lines();
    world.end("launcher", [ExitKind::Exited as u64, 0, 0, 0]);
    assert_eq!(world.lines(), ["launcher exited with 0", "leave launcher"]);
    world.route(PROBE, "exec", 1);
    assert_eq!(world.answer(1), Some(Err(Error::Unavailable)));
}

#[test]
fn a_service_that_never_answers_is_ended_and_tried_again() {
    let world = World::new(&system());
    world.lines();
    world.wait(5_000);
    assert_eq!(world.lines(), ["driver does not answer"]);
    let bits = world.see(|machine| machine.processes.values().next().expect("made").gone_bits);
    world.local.signal(Signal { bits, key: 0 });
    assert_eq!(world.lines(), ["driver was killed", "restart driver in 20 ms"]);
    world.wait(20);
    assert_eq!(world.lines(), ["start driver"]);
}

#[test]
fn a_service_is_asked_again_while_its_answer_does_not_come() {
    let world = World::new(&system());
    let probes =
        || world.see(|machine| machine.sent.iter().filter(|(_, notice)| *notice == Notice::Probe { nonce: 1 }).count());
    assert_eq!(probes(), 1);
    world.wait(499);
    assert_eq!(probes(), 1);
    world.wait(1);
    assert_eq!(probes(), 2);
    world.wait(500);
    assert_eq!(probes(), 3);
    world.up("driver");
    world.wait(500);
    assert_eq!(probes(), 3);
}

#[test]
fn a_start_that_fails_counts_as_an_end_and_leaves_nothing() {
    let steps = [
        syscall::ProcessCreate::NUMBER,
        syscall::EndpointCreate::NUMBER,
        syscall::ThreadCreate::NUMBER,
        syscall::ProcessWatch::NUMBER,
    ];
    for step in steps {
        let world = World::ready();
        world.crash("client");
        world.see(|machine| machine.refuse = Some(step));
        let (before, skipped) = world.see(|machine| (machine.open.len(), machine.lines.len()));
        world.wait(20);
        let lines = world.lines();
        assert_eq!(lines[skipped..], ["start client", "client cannot start: ENOMEM", "restart client in 40 ms"]);
        assert_eq!(world.see(|machine| machine.open.len()), before, "after call {step}");
        world.wait(40);
        world.up("client");
    }
}

#[test]
fn a_device_that_cannot_be_had_is_a_failed_start() {
    let world = World::new(&Wiring {
        devices: vec![Device { name: name("uart"), compatible: name("nothing"), instance: 0, owner: 0 }],
        ..system()
    });
    assert_eq!(world.lines(), ["start", "start driver", "driver cannot start: ENOENT", "restart driver in 20 ms"]);
    assert!(world.see(|machine| machine.living(ServiceId::service("driver")).is_none()));
}

#[test]
fn a_device_that_could_be_minted_in_part_only_is_minted_whole_by_the_next_start() {
    let without = Device { name: name("uart"), compatible: name("nothing"), instance: 0, owner: 0 };
    let without = World::new(&Wiring { devices: vec![without], ..system() });
    for step in [syscall::IrqMint::NUMBER, syscall::WindowMint::NUMBER] {
        let machine = Fake::default();
        machine.0.borrow_mut().refuse = Some(step);
        let world = World::on(machine, &system());
        let failed = ["start", "start driver", "driver cannot start: ENOMEM", "restart driver in 20 ms"];
        assert_eq!(world.lines(), failed, "call {step}");
        let open = |world: &World| world.see(|machine| machine.open.len());
        assert_eq!(open(&world), open(&without), "nothing of the device is left after call {step}");
        world.wait(20);
        world.up("driver");
    }
}

#[test]
fn a_route_of_the_manifest_is_answered_with_its_badge() {
    let world = World::ready();
    world.route(PROBE, "exec", 1);
    let endpoint = world.see(|machine| machine.endpoint(ServiceId::service("launcher")));
    let pass = Rights::USE.union(Rights::TRANSFER).bits();
    assert_eq!(world.answer(1), Some(Ok((endpoint, pass, badge(0, 1)))));
    let left = world.see(|machine| machine.derived.keys().filter(|open| machine.open.contains(open)).count());
    assert_eq!(left, 0, "init keeps no copy of what it hands over");
}

#[test]
fn a_service_may_ask_for_its_own_interface_and_gets_no_permission_with_it() {
    let world = World::ready();
    world.route(ServiceId::service("launcher"), "exec", 1);
    let endpoint = world.see(|machine| machine.endpoint(ServiceId::service("launcher")));
    let pass = Rights::USE.union(Rights::TRANSFER).bits();
    assert_eq!(world.answer(1), Some(Ok((endpoint, pass, badge(0, 0)))));
}

#[test]
fn no_other_route_and_no_stranger_is_answered_with_a_handle() {
    let world = World::ready();
    world.route(PROBE, "stdout", 1);
    world.route(PROBE, "power", 2);
    world.route(ServiceId::program("app/boot/stranger"), "exec", 3);
    world.route(PROBE, "spawn", 4);
    world.route(PROBE, "log", 5);
    assert_eq!(world.answer(1), Some(Err(Error::NotFound)));
    assert_eq!(world.answer(2), Some(Err(Error::NotFound)));
    assert_eq!(world.answer(3), Some(Err(Error::Permission)));
    assert_eq!(world.answer(4), Some(Err(Error::NotFound)));
    assert!(matches!(world.answer(5), Some(Ok((7, _, 0)))), "a grant goes by its name");
}

#[test]
fn a_route_to_a_service_that_is_coming_back_waits_for_it() {
    let world = World::ready();
    world.crash("launcher");
    world.route(PROBE, "exec", 1);
    assert_eq!(world.answer(1), None);
    world.wait(20);
    let endpoint = world.see(|machine| machine.endpoint(ServiceId::service("launcher")));
    assert!(matches!(world.answer(1), Some(Ok((to, _, _))) if to == endpoint));
}

#[test]
fn a_route_asked_while_its_server_is_taken_back_waits_too() {
    let world = World::ready();
    let launcher = ServiceId::service("launcher");
    world.see(|machine| {
        let (process, _) = machine.living(launcher).expect("it lives");
        machine.processes.get_mut(&process).expect("it lives").state[0] = ExitKind::Dying as u64;
    });
    world.route(PROBE, "exec", 1);
    assert_eq!(world.answer(1), None, "init is told last");
    world.see(|machine| {
        let dying = machine.processes.values_mut().find(|process| process.service == launcher);
        dying.expect("it dies").state[0] = ExitKind::Running as u64;
    });
    world.crash("launcher");
    assert_eq!(world.answer(1), None);
    world.wait(20);
    let endpoint = world.see(|machine| machine.endpoint(launcher));
    assert!(matches!(world.answer(1), Some(Ok((to, _, _))) if to == endpoint));
}

#[test]
fn routes_that_wait_are_bounded() {
    let world = World::ready();
    world.crash("launcher");
    for nonce in 0..40 {
        let notice = Notice::Route { nonce, interface: name("exec"), inbox: handle(5000 + nonce) };
        world.send(Caller { process: ProcessId(nonce + 100), ..world.caller(PROBE, 0) }, notice);
    }
    let refused = (0..40).filter(|&nonce| world.answer(nonce) == Some(Err(Error::Again))).count();
    assert_eq!(refused, 8);
    world.wait(20);
    assert!((0..32).all(|nonce| matches!(world.answer(nonce), Some(Ok(_)))));
}

#[test]
fn who_asks_again_gives_up_what_he_asked_before() {
    let world = World::ready();
    world.crash("launcher");
    let opened = |world: &World| world.see(|machine| machine.open.clone());
    world.see(|machine| machine.open.extend([5001, 5002]));
    world.route(PROBE, "exec", 1);
    assert_eq!((world.answer(1), opened(&world).contains(&5001)), (None, true));
    world.route(PROBE, "exec", 2);
    assert_eq!(world.answer(1), Some(Err(Error::Again)));
    assert!(!opened(&world).contains(&5001), "the inbox that nobody reads is let go");
    assert_eq!(world.answer(2), None);
    world.wait(20);
    assert!(matches!(world.answer(2), Some(Ok(_))));
}

#[test]
fn routes_to_a_service_that_is_given_up_are_refused() {
    let world = World::ready();
    for _ in 0..3 {
        world.crash("launcher");
        world.wait(50);
    }
    world.see(|machine| machine.refuse = None);
    world.crash("launcher");
    world.route(PROBE, "exec", 1);
    assert_eq!(world.answer(1), Some(Err(Error::Unavailable)));
}

#[test]
fn the_operator_ends_a_service_only_with_the_permission() {
    let world = World::ready();
    let mut reader = world.operator(badge(0, 0));
    assert_eq!(reader.kill("driver"), Err(Error::Permission));
    assert_eq!(reader.restart("driver"), Err(Error::Permission));
    assert!(world.see(|machine| machine.living(ServiceId::service("driver")).is_some()));
    let mut operator = world.operator(badge(0, 1));
    assert_eq!(operator.kill("ghost"), Err(Error::NotFound));
    operator.kill("driver").expect("may");
    assert!(world.see(|machine| machine.living(ServiceId::service("driver")).is_none()));
}

#[test]
fn the_supervisor_keeps_its_contract() {
    let world = World::ready();
    let caller = world.caller(ServiceId::service("client"), badge(0, 0));
    nexus_proto::contract::supervisor(world.local.connect(caller)).expect("kept");
    nexus_proto::contract::supervisor_denied(world.local.connect(caller), "driver").expect("kept");
}

#[test]
fn places_come_from_the_tree_in_the_order_of_addresses() {
    let mut tree = media::tree();
    tree.resize(tree.len().next_multiple_of(4096), 0);
    let device = |compatible: &str, instance| {
        let compatible = name(compatible);
        devices::find(&tree, &Device { name: name("x"), compatible, instance, owner: 0 })
    };
    assert_eq!(device("ns16550a", 0), Ok(Place { address: 0x1000_0000, pages: 1, line: Some(10) }));
    assert_eq!(device("ns16550a", 1), Ok(Place { address: 0x1000_2000, pages: 1, line: Some(11) }));
    assert_eq!(device("ns16550a", 2), Err(Error::NotFound));
    assert_eq!(device("nothing", 0), Err(Error::NotFound));
    assert_eq!(device("bad", 0), Err(Error::Corrupt));
}

#[test]
fn a_damaged_tree_is_refused_or_read_but_never_a_panic() {
    let tree = media::tree();
    let device = Device { name: name("x"), compatible: name("ns16550a"), instance: 0, owner: 0 };
    for length in 0..tree.len() {
        assert!(devices::find(&tree[..length], &device).is_err(), "{length}");
    }
    let mut damaged = tree.clone();
    for bit in 0..tree.len() * 8 {
        damaged[bit / 8] ^= 1 << (bit % 8);
        let _ = devices::find(&damaged, &device);
        damaged[bit / 8] ^= 1 << (bit % 8);
    }
}

#[test]
fn a_damaged_file_is_not_started() {
    let wiring = system();
    let mut image = media::image(&wiring);
    let length = image.len();
    image[length - 4096] ^= 1;
    let mut bundle = init::bundle::Bundle::new(image.leak(), handle(1)).expect("the header is whole");
    assert!(bundle.service("driver").is_ok());
    assert_eq!(bundle.service("client").err(), Some(Error::Corrupt));
    assert_eq!(bundle.service("ghost").err(), Some(Error::NotFound));
}

#[test]
fn who_asks_whether_the_system_is_settled_waits_until_it_is() {
    let world = World::new(&system());
    let settled = |world: &World| world.operator(badge(0, 0)).settled().map(drop);
    world.up("driver");
    world.up("launcher");
    assert_eq!(settled(&world), Err(Error::TimedOut), "the client is not up");
    for _ in 1..20 {
        let _ = settled(&world);
    }
    world.up("client");
    assert_eq!(settled(&world), Ok(()), "those who gave up are forgotten");
    world.crash("driver");
    assert_eq!(settled(&world), Ok(()), "once settled is settled");
}

#[test]
fn a_service_that_is_given_up_settles_too() {
    let world = World::new(&system());
    world.up("driver");
    world.up("launcher");
    for _ in 0..4 {
        world.crash("client");
        world.wait(50);
    }
    assert!(world.lines().iter().any(|line| line == "give up client"));
    assert_eq!(world.operator(badge(0, 0)).settled().map(drop), Ok(()));
}
