//! Routes that the manifest does not give: granted by policy's word alone, and by nothing when policy dies at any point.

use nexus_abi::{Error, ProcessId, Rights, ServiceId};
use nexus_ipc::{Leave, Notice};
use wiring::{Grant, Restart, badge};

use super::{PROBE, World, name, service, system};

/// The interface `stream` of the driver, which the manifest does not give the program.
const LEAVE: Leave = Leave { interface: 1, permits: 5 };

/// A system with a judge, everything up.
fn world() -> World {
    let mut wiring = system();
    wiring.services.push(service("judge", Restart::Always, &[Grant::Policy]));
    let world = World::new(&wiring);
    ["driver", "launcher", "client", "judge"].into_iter().for_each(|service| world.up(service));
    world
}

fn judge() -> ServiceId {
    ServiceId::service("judge")
}

impl World {
    fn audits(&self) -> Vec<String> {
        self.see(|machine| std::mem::take(&mut machine.audits))
    }

    /// The nonce of the question that the judge was sent last.
    fn question(&self) -> Option<u64> {
        self.see(|machine| {
            machine.sent.iter().rev().find_map(|(_, notice)| match notice {
                Notice::Decide { nonce, subject, interface } => {
                    assert_eq!((*subject, interface.as_str()), (PROBE, "stream"), "by the kernel's record");
                    Some(*nonce)
                }
                _ => None,
            })
        })
    }

    fn decide(&self, nonce: u64, result: Result<Leave, Error>) {
        self.send(self.caller(judge(), 0), Notice::Decided { nonce, result });
    }

    fn answers(&self, nonce: u64) -> usize {
        self.see(|machine| machine.sent.iter().filter(|(to, _)| *to == 5000 + nonce).count())
    }

    fn granted(&self) -> Vec<(u64, u8, u64)> {
        self.see(|machine| machine.derived.values().copied().collect())
    }
}

const DENIED: &str = "grant deny EUNAVAILABLE app/boot/probe stream";

#[test]
fn what_policy_gives_is_handed_over_with_its_permissions() {
    let world = world();
    world.route(PROBE, "stream", 1);
    assert_eq!(world.answer(1), None, "init waits for nobody, and answers when it knows");
    world.decide(world.question().expect("policy was asked"), Ok(LEAVE));
    let endpoint = world.see(|machine| machine.endpoint(ServiceId::service("driver")));
    let pass = Rights::USE.union(Rights::TRANSFER).bits();
    assert_eq!(world.answer(1), Some(Ok((endpoint, pass, badge(0, 5)))));
    assert_eq!(world.audits(), ["grant allow delegation app/boot/probe stream"]);
}

#[test]
fn what_policy_denies_is_denied() {
    let world = world();
    world.route(PROBE, "stream", 1);
    world.decide(world.question().expect("policy was asked"), Err(Error::Permission));
    assert_eq!(world.answer(1), Some(Err(Error::Permission)));
    assert_eq!(world.audits(), ["grant deny EPERM app/boot/probe stream"]);
    assert_eq!(world.granted(), []);
}

#[test]
fn routes_of_the_manifest_go_on_without_policy() {
    let world = world();
    world.crash("judge");
    world.route(PROBE, "exec", 1);
    assert!(matches!(world.answer(1), Some(Ok(_))));
    assert_eq!(world.question(), None);
    assert_eq!(world.audits(), [] as [&str; 0]);
}

/// One point of a grant at which policy can die, and what the asker is told.
type Point = (&'static str, fn(&World), Error);

const POINTS: &[Point] = &[
    (
        "before the question, and init knows",
        |world| {
            world.crash("judge");
            world.route(PROBE, "stream", 1);
        },
        Error::Unavailable,
    ),
    (
        "before the question, and init does not know yet",
        |world| {
            world.see(|machine| machine.deaf = Some(Error::PeerClosed));
            world.route(PROBE, "stream", 1);
            world.see(|machine| machine.deaf = None);
        },
        Error::Unavailable,
    ),
    (
        "with the question in its queue",
        |world| {
            world.route(PROBE, "stream", 1);
            world.crash("judge");
        },
        Error::Unavailable,
    ),
    (
        "with its answer on the way",
        |world| {
            world.route(PROBE, "stream", 1);
            let (late, nonce) = (world.caller(judge(), 0), world.question().expect("asked"));
            world.crash("judge");
            world.send(late, Notice::Decided { nonce, result: Ok(LEAVE) });
        },
        Error::Unavailable,
    ),
    (
        "with its answer on the way, and its successor runs",
        |world| {
            world.route(PROBE, "stream", 1);
            let (late, nonce) = (world.caller(judge(), 0), world.question().expect("asked"));
            world.crash("judge");
            world.wait(20);
            world.up("judge");
            world.send(late, Notice::Decided { nonce, result: Ok(LEAVE) });
            world.decide(nonce, Ok(LEAVE));
        },
        Error::Unavailable,
    ),
    (
        "not at all, but it does not answer in time",
        |world| {
            world.route(PROBE, "stream", 1);
            world.wait(500);
            world.decide(world.question().expect("asked"), Ok(LEAVE));
        },
        Error::TimedOut,
    ),
    (
        "not at all, but its queue is full",
        |world| {
            world.see(|machine| machine.deaf = Some(Error::Again));
            world.route(PROBE, "stream", 1);
            world.see(|machine| machine.deaf = None);
        },
        Error::Again,
    ),
];

#[test]
fn policy_dead_at_any_point_grants_nothing_tells_the_asker_and_audits_once() {
    for (point, play, told) in POINTS {
        let world = world();
        play(&world);
        assert_eq!((world.answer(1), world.answers(1)), (Some(Err(*told)), 1), "{point}");
        assert_eq!(world.granted(), [], "{point}");
        let text = format!("grant deny {} app/boot/probe stream", told.name());
        assert_eq!(world.audits(), [text], "{point}");
    }
}

#[test]
fn nobody_but_policy_decides_or_pulls() {
    let world = world();
    world.route(PROBE, "stream", 1);
    let nonce = world.question().expect("asked");
    let sound = world.caller(judge(), 0);
    for forger in [PROBE, ServiceId::service("client"), ServiceId::KERNEL] {
        world.send(world.caller(forger, 0), Notice::Decided { nonce, result: Ok(LEAVE) });
    }
    world.send(nexus_ipc::Caller { process: ProcessId(5), ..sound }, Notice::Decided { nonce, result: Ok(LEAVE) });
    assert_eq!((world.answer(1), world.granted()), (None, vec![]));
    world.decide(nonce, Ok(LEAVE));
    assert!(matches!(world.answer(1), Some(Ok(_))));
    world.send(world.caller(PROBE, 0), Notice::Pull { nonce: 1, subject: PROBE, interface: name("stream") });
    assert_eq!(world.see(|machine| machine.revoked.clone()), []);
}

#[test]
fn a_pull_ends_every_handle_of_the_grant_before_policy_is_told() {
    let world = world();
    for nonce in [1, 2] {
        world.route(PROBE, "stream", nonce);
        world.decide(world.question().expect("asked"), Ok(LEAVE));
    }
    let roots: Vec<u64> = world.see(|machine| machine.derived.keys().copied().collect());
    assert_eq!(roots.len(), 1, "one root for all that ask in the same way");
    world.send(world.caller(judge(), 0), Notice::Pull { nonce: 9, subject: PROBE, interface: name("stream") });
    assert_eq!(world.see(|machine| machine.revoked.clone()), roots);
    assert!(world.see(|machine| !machine.open.contains(&roots[0])), "and given back");
    let judges = world.see(|machine| machine.endpoint(judge()));
    assert!(world.see(|machine| machine.sent.contains(&(judges, Notice::Pulled { nonce: 9 }))));
    world.send(world.caller(judge(), 0), Notice::Pull { nonce: 10, subject: PROBE, interface: name("stream") });
    assert!(
        world.see(|machine| machine.sent.contains(&(judges, Notice::Pulled { nonce: 10 }))),
        "again means the same"
    );
}

#[test]
fn grants_end_with_the_policy_that_gave_them_and_with_their_server() {
    for service in ["judge", "driver"] {
        let world = world();
        world.route(PROBE, "stream", 1);
        world.decide(world.question().expect("asked"), Ok(LEAVE));
        let roots: Vec<u64> = world.see(|machine| machine.derived.keys().copied().collect());
        world.crash("launcher");
        assert_eq!(world.see(|machine| machine.revoked.clone()), [], "another's end changes nothing");
        world.crash(service);
        assert_eq!(world.see(|machine| machine.revoked.clone()), roots, "{service}");
    }
}

#[test]
fn questions_have_a_bound() {
    let world = world();
    (1..=16).for_each(|nonce| world.route(PROBE, "stream", nonce));
    assert_eq!(world.audits(), [] as [&str; 0]);
    world.route(PROBE, "stream", 17);
    assert_eq!(world.answer(17), Some(Err(Error::Again)));
    world.crash("judge");
    assert!((1..=16).all(|nonce| world.answer(nonce) == Some(Err(Error::Unavailable))));
    let audits = world.audits();
    assert_eq!(audits.len(), 16, "the bound of audits about one caller in a second");
    assert!(audits[1..].iter().all(|audit| audit == DENIED));
}

#[test]
fn what_policy_gives_of_nothing_is_refused() {
    let world = world();
    world.route(PROBE, "stream", 1);
    world.decide(world.question().expect("asked"), Ok(Leave { interface: 99, permits: 0 }));
    assert_eq!(world.answer(1), Some(Err(Error::NotFound)));
}
