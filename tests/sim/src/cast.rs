//! Who takes part: the manifest of the simulated system, and the function that stands for each program.

use nexus_abi::{Error, Limits, Name, QosClass, Quota, ServiceId};
use nexus_rt::kernel::Machine;
use nexus_rt::program::{Status, exit};
use nexus_rt::{Server, env, memory, records};
use wiring::{Backoff, Device, Grant, Grants, Interface, Party, Program, Restart, Route, Service, Wiring, badge};

use crate::client;

/// Services that are killed.
pub(crate) const VICTIMS: [&str; 4] = ["policyd", "logd", "execd", "timed"];
/// Programs that call them all the time. The first may kill.
pub(crate) const CLIENTS: [&str; 3] = ["client-a", "client-b", "client-c"];
/// What clients have execd start.
pub(crate) const VISITOR: &str = "visitor";

/// The function that stands for a program; none: nobody knows it.
pub(crate) fn body(service: ServiceId) -> Option<fn()> {
    let bodies: [(ServiceId, fn()); 6] = [
        (ServiceId::service("init"), || play(start_init)),
        (ServiceId::service("policyd"), || {
            play(|| {
                let (mut policy, server) = policyd::open()?;
                server.run(&mut policy)
            })
        }),
        (ServiceId::service("logd"), || {
            play(|| {
                let (mut log, server) = logd::open()?;
                server.run(&mut log)
            })
        }),
        (ServiceId::service("execd"), || {
            play(|| {
                let (mut exec, server) = execd::open()?;
                server.run(&mut exec)
            })
        }),
        (ServiceId::service("timed"), || {
            play(|| {
                let (mut timed, server) = timed::open()?;
                server.run(&mut timed)
            })
        }),
        (program(VISITOR), || play(client::visit)),
    ];
    if CLIENTS.iter().any(|name| ServiceId::service(name) == service) {
        return Some(|| play(client::call));
    }
    bodies.into_iter().find(|(known, _)| *known == service).map(|(_, body)| body)
}

/// As the entry of every program does.
fn play<T: Status>(main: fn() -> T) {
    records::install();
    exit(main().of())
}

type Never = Result<core::convert::Infallible, Error>;

/// As its `main`.
fn start_init() -> Never {
    let start = env::start()?;
    let roots = init::Roots::take(&mut Machine, &start)?;
    let files = (memory::sealed(roots.image)?, memory::sealed(roots.device_tree)?);
    let mut init = init::Init::new(Machine, roots, files, start.info().timebase)?;
    if let Some(rings) = init.rings() {
        records::attach(rings.own, rings.bell)?;
    }
    init.begin();
    Server::over(roots.endpoint).bound_to(roots.gone)?.serve(&mut init)
}

fn name(text: &str) -> Name {
    Name::new(text).expect("names of this file are short")
}

/// The identity of a program of the image.
pub(crate) fn program(name: &str) -> ServiceId {
    ServiceId::program(&format!("app/boot/{name}"))
}

/// What each service may own: of messages 16 for those that wait for it, and four for each route on its way.
const CALLER: Quota = Quota {
    frames: 80,
    threads: 1,
    messages: 36,
    slot_blocks: 1,
    processes: 0,
    endpoints: 6,
    notifications: 2,
    memories: 4,
    mappings: 16,
    timers: 0,
    irqs: 0,
};
/// What a program may own.
const VISITS: Quota = Quota { frames: 40, messages: 8, endpoints: 2, ..CALLER };
/// Of the service that starts programs: three of them, and its own.
const STARTER: Quota = Quota {
    frames: 240,
    threads: 4,
    messages: 64,
    slot_blocks: 5,
    processes: 4,
    endpoints: 16,
    notifications: 9,
    memories: 18,
    mappings: 64,
    timers: 0,
    irqs: 0,
};

fn service(text: &str, grants: &[Grant]) -> Service {
    Service {
        name: name(text),
        id: ServiceId::service(text),
        prefix: name(text),
        quota: if text == "execd" { STARTER } else { CALLER },
        qos: if CLIENTS.contains(&text) { QosClass::Normal } else { QosClass::Interactive },
        limits: Limits::NONE,
        stack_pages: 1,
        restart: if CLIENTS.contains(&text) { Restart::Never } else { Restart::Always },
        grants: grants.iter().fold(Grants::default(), |all, &grant| all.with(grant)),
        shard: None,
    }
}

/// The resolved manifest.
pub(crate) fn wiring() -> Wiring {
    use Grant::{Image, Info, Log, Policy, Records, Spawn};
    let mut services = vec![
        service("policyd", &[Log, Image, Policy]),
        service("logd", &[Log, Records, Image]),
        service("execd", &[Log, Info, Spawn, Image]),
        service("timed", &[Log]),
    ];
    services.extend(CLIENTS.map(|client| service(client, &[Log])));
    let full = format!("app/boot/{VISITOR}");
    let visitor = Program {
        name: name(&full),
        id: program(VISITOR),
        prefix: name(VISITOR),
        quota: VISITS,
        qos: QosClass::Normal,
        limits: Limits::NONE,
        stack_pages: 1,
        grants: Grants::default(),
        shard: None,
    };
    let owned = [
        ("supervisor", Party::Init),
        ("policy", Party::Service(0)),
        ("logs", Party::Service(1)),
        ("exec", Party::Service(2)),
        ("timer", Party::Service(3)),
    ];
    Wiring {
        // A service is killed more often in a second here than elsewhere in a year.
        backoff: Backoff { first_ms: 5, most_ms: 40, limit: 1000, window_ms: 500 },
        services,
        programs: vec![visitor],
        interfaces: owned.map(|(text, owner)| Interface { name: name(text), owner }).to_vec(),
        routes: routes(),
        devices: vec![Device { name: name("rtc"), compatible: name("google,goldfish-rtc"), instance: 0, owner: 3 }],
    }
}

fn routes() -> Vec<Route> {
    use nexus_proto::{exec, logs, policy, supervisor, timer};
    let route = |holder, interface: u16, text: &str, permits| Route {
        holder,
        name: name(text),
        interface,
        badge: badge(0, permits),
    };
    let mut routes = vec![
        route(Party::Service(2), 1, "policy", policy::ASK),
        route(Party::Program(0), 2, "logs", logs::APPEND),
        route(Party::Program(0), 4, "timer", 0),
    ];
    for (at, _) in CLIENTS.iter().enumerate() {
        let client = Party::Service(4 + at as u16);
        routes.extend([
            route(client, 0, "supervisor", if at == 0 { supervisor::CONTROL } else { 0 }),
            route(client, 1, "policy", policy::EXPLAIN),
            route(client, 2, "logs", logs::APPEND | logs::READ),
            route(client, 3, "exec", exec::START | exec::CONTROL),
            route(client, 4, "timer", timer::PRECISE),
        ]);
    }
    routes
}
