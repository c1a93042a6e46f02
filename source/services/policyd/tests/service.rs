//! policyd in process: the contract of its interface, init's questions, revocation, and every way to be refused.

use std::cell::RefCell;
use std::rc::Rc;

use nexus_abi::{Deadline, Error, Limits, Name, ProcessId, QosClass, Quota, ServiceId};
use nexus_ipc::local::LocalTransport;
use nexus_ipc::{Answered, Call, Caller, Leave, Local, Message, Notice, Outcome, Port, Serve, Transport};
use nexus_proto::audit::Audit;
use nexus_proto::contract::policy::{self as contract, Case};
use nexus_proto::policy::{ASK, Client, DELEGATE, EXPLAIN, Rule};
use policyd::{MAX_DELEGATIONS, Policyd, World};
use wiring::{Grant, Grants, Interface, Party, Program, Restart, Route, Service, Wiring, badge};

const TIMEBASE: u64 = 10_000_000;
const INIT: ServiceId = ServiceId::service("init");
const OWN: ServiceId = ServiceId::program("app/boot/holder");
const PROGRAM: ServiceId = ServiceId::program("app/boot/guest");
const SERVER: ServiceId = ServiceId::service("server");

#[derive(Default)]
struct Seen {
    told: Vec<Notice>,
    audits: Vec<String>,
    refuse: Option<Error>,
}

#[derive(Clone, Default)]
struct Outside(Rc<RefCell<Seen>>);

impl World for Outside {
    fn tell(&mut self, notice: Notice) -> Result<(), Error> {
        let seen = &mut *self.0.borrow_mut();
        seen.refuse.map_or(Ok(()), Err)?;
        seen.told.push(notice);
        Ok(())
    }

    fn audit(&mut self, audit: &Audit<'_>) {
        let Audit { deed, decision, reason, caller, object, .. } = *audit;
        self.0.borrow_mut().audits.push(format!("{deed} {} {reason} {caller} {object}", decision.name()));
    }
}

fn name(text: &str) -> Name {
    Name::new(text).expect("short")
}

fn program(text: &str) -> Program {
    Program {
        name: name(text),
        id: ServiceId::program(text),
        prefix: name(text),
        quota: Quota::default(),
        shard: None,
        qos: QosClass::Normal,
        limits: Limits::NONE,
        stack_pages: 1,
        grants: Grants::default().with(Grant::Log),
    }
}

fn wiring() -> Wiring {
    let server = Service {
        name: name("server"),
        id: SERVER,
        prefix: name("server"),
        quota: Quota::default(),
        shard: None,
        qos: QosClass::Normal,
        limits: Limits::NONE,
        stack_pages: 1,
        restart: Restart::Always,
        grants: Grants::default(),
    };
    Wiring {
        services: vec![server],
        programs: vec![program("app/boot/holder"), program("app/boot/guest"), program("app/boot/other")],
        interfaces: vec![Interface { name: name("work"), owner: Party::Service(0) }],
        routes: vec![
            Route { holder: Party::Program(0), name: name("work"), interface: 0, badge: badge(0, 3) },
            Route { holder: Party::Program(2), name: name("work"), interface: 0, badge: badge(0, 7) },
            Route { holder: Party::Program(2), name: name("job"), interface: 0, badge: badge(0, 7) },
        ],
        ..Wiring::default()
    }
}

/// How init answers a pull.
#[derive(Clone, Copy, PartialEq)]
enum Init {
    Pulls,
    Hangs,
}

/// policyd beside an init that answers its pulls while the caller waits.
struct Pair {
    policy: Policyd<Outside>,
    outside: Outside,
    init: Init,
}

impl Serve for Pair {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        let outcome = self.policy.call(call, request);
        let pulls: Vec<Notice> = self.outside.0.borrow().told.clone();
        for notice in pulls.into_iter().filter(|_| self.init == Init::Pulls) {
            if let Notice::Pull { nonce, .. } = notice {
                let caller = Caller { service: INIT, process: ProcessId(1), badge: 0, trace: 0 };
                let mut call = Call { caller, port: &mut *call.port, answer: &mut Message::default() };
                self.policy.notice(&mut call, &Notice::Pulled { nonce }.to_message());
            }
        }
        outcome
    }

    fn notice(&mut self, call: &mut Call<'_>, message: &Message) {
        self.policy.notice(call, message);
    }

    fn deadline(&self) -> Deadline {
        self.policy.deadline()
    }

    fn expired(&mut self, port: &mut dyn Port) {
        self.policy.expired(port);
    }
}

type Connection = LocalTransport<Pair>;

struct Desk {
    local: Local<Pair>,
    outside: Outside,
}

impl Desk {
    fn new() -> Desk {
        let outside = Outside::default();
        let policy = Policyd::new(outside.clone(), wiring(), TIMEBASE);
        Desk { local: Local::new(Pair { policy, outside: outside.clone(), init: Init::Pulls }), outside }
    }

    fn transport(&self, service: ServiceId, badge: u64) -> Connection {
        self.local.connect(Caller { service, process: ProcessId(7), badge, trace: 0 })
    }

    fn holder(&self) -> Connection {
        self.transport(OWN, DELEGATE | EXPLAIN)
    }

    fn client(&self) -> Client<Connection> {
        Client::new(self.holder())
    }

    /// init's question about a route; the answer that it was told.
    fn ask(&self, from: ServiceId, subject: ServiceId) -> Option<Result<Leave, Error>> {
        self.ask_for(from, subject, "work")
    }

    fn ask_for(&self, from: ServiceId, subject: ServiceId, interface: &str) -> Option<Result<Leave, Error>> {
        let question = Notice::Decide { nonce: 5, subject, interface: name(interface) };
        self.outside.0.borrow_mut().told.clear();
        self.transport(from, 0).send(&question.to_message()).expect("one-way");
        self.outside.0.borrow().told.iter().find_map(|notice| match notice {
            Notice::Decided { nonce: 5, result } => Some(*result),
            _ => None,
        })
    }

    fn audits(&self) -> Vec<String> {
        std::mem::take(&mut self.outside.0.borrow_mut().audits)
    }
}

fn case() -> Case {
    Case {
        own: OWN,
        program: PROGRAM,
        program_name: name("guest"),
        interface: name("work"),
        permits: 3,
        more: 4,
        other: SERVER,
    }
}

const LEAVE: Leave = Leave { interface: 0, permits: 3 };

#[test]
fn what_the_manifest_or_a_holder_gives_is_allowed() {
    assert_eq!(contract::allowed(Desk::new().holder(), &case()), Ok(()));
}

#[test]
fn what_nobody_gives_is_denied() {
    let desk = Desk::new();
    assert_eq!(contract::allowed(desk.holder(), &case()), Ok(()));
    assert_eq!(contract::denied(desk.holder(), &case()), Ok(()));
}

#[test]
fn a_caller_is_who_the_kernel_says() {
    assert_eq!(contract::spoofed(Desk::new().holder(), &case()), Ok(()));
}

#[test]
fn hostile_requests_are_refused() {
    let desk = Desk::new();
    assert_eq!(contract::hardened(desk.holder(), desk.transport(OWN, 0), &case()), Ok(()));
}

#[test]
fn init_is_told_what_was_delegated_and_nothing_else() {
    let desk = Desk::new();
    assert_eq!(desk.ask(INIT, PROGRAM), Some(Err(Error::Permission)), "denied by default");
    desk.client().delegate(PROGRAM, name("work"), 3).expect("its own");
    assert_eq!(desk.ask(INIT, PROGRAM), Some(Ok(LEAVE)));
    assert_eq!(desk.ask(INIT, SERVER), Some(Err(Error::Permission)), "another is given nothing");
    assert_eq!(desk.ask(INIT, ServiceId(2)), Some(Err(Error::Permission)), "nor is nobody");
    desk.client().revoke(PROGRAM, name("work")).expect("it gave it");
    assert_eq!(desk.ask(INIT, PROGRAM), Some(Err(Error::Permission)));
}

#[test]
fn what_was_delegated_under_one_name_is_given_under_no_other() {
    let desk = Desk::new();
    let other = desk.transport(ServiceId::program("app/boot/other"), DELEGATE);
    Client::new(other).delegate(PROGRAM, name("job"), 3).expect("its own, by the name of its route");
    assert_eq!(desk.ask_for(INIT, PROGRAM, "job"), Some(Ok(LEAVE)));
    assert_eq!(desk.ask(INIT, PROGRAM), Some(Err(Error::Permission)), "init would pull the other name alone");
    let mut owner = Client::new(desk.transport(SERVER, ASK));
    let rule = owner.decide(PROGRAM, name("work"), 3).map(|decided| decided.rule);
    assert_eq!(rule, Ok(Rule::Delegation as u8), "the owner knows its interface by its own name");
}

#[test]
fn only_init_is_answered_as_init() {
    let desk = Desk::new();
    desk.client().delegate(PROGRAM, name("work"), 3).expect("its own");
    for forger in [OWN, SERVER, ServiceId::KERNEL, ServiceId::program("init")] {
        assert_eq!(desk.ask(forger, PROGRAM), None);
    }
}

#[test]
fn owners_that_may_ask_are_told_about_others() {
    let desk = Desk::new();
    let mut owner = Client::new(desk.transport(SERVER, ASK));
    let rule = owner.decide(OWN, name("work"), 1).map(|decided| decided.rule);
    assert_eq!(rule, Ok(Rule::Route as u8));
    assert_eq!(owner.decide(PROGRAM, name("work"), 1).map(drop), Err(Error::Permission));
    assert_eq!(owner.decide(OWN, name("log"), 0).map(|decided| decided.rule), Ok(Rule::Grant as u8));
    assert_eq!(owner.decide(SERVER, name("server"), 1).map(|decided| decided.rule), Ok(Rule::Own as u8));
    assert_eq!(owner.decide(ServiceId(2), name("work"), 0).map(drop), Err(Error::Permission));
}

#[test]
fn a_revocation_denies_before_init_has_pulled_and_can_be_repeated() {
    let desk = Desk::new();
    desk.client().delegate(PROGRAM, name("work"), 3).expect("its own");
    desk.local.service_mut().init = Init::Hangs;
    assert_eq!(desk.client().revoke(PROGRAM, name("work")).map(drop), Err(Error::TimedOut));
    assert_eq!(desk.ask(INIT, PROGRAM), Some(Err(Error::Permission)), "denied at once");
    let again = desk.client().delegate(PROGRAM, name("work"), 3).err();
    assert_eq!(again, Some(Error::Again), "not given anew while old handles may live");
    desk.outside.0.borrow_mut().refuse = Some(Error::Again);
    assert_eq!(desk.client().revoke(PROGRAM, name("work")).map(drop), Err(Error::Again), "init's queue is full");
    desk.outside.0.borrow_mut().refuse = None;
    desk.local.service_mut().init = Init::Pulls;
    assert_eq!(desk.client().revoke(PROGRAM, name("work")).map(drop), Ok(()));
    assert_eq!(desk.client().delegate(PROGRAM, name("work"), 3).map(drop), Ok(()));
}

#[test]
fn nobody_takes_back_or_replaces_what_another_gave() {
    let desk = Desk::new();
    desk.client().delegate(PROGRAM, name("work"), 1).expect("its own");
    let other = ServiceId::program("app/boot/other");
    let mut other = Client::new(desk.transport(other, DELEGATE));
    assert_eq!(other.revoke(PROGRAM, name("work")).map(drop), Err(Error::NotFound));
    assert_eq!(other.delegate(PROGRAM, name("work"), 7).map(drop), Err(Error::Exists));
    assert_eq!(desk.ask(INIT, PROGRAM), Some(Ok(Leave { interface: 0, permits: 1 })));
}

#[test]
fn what_was_delegated_is_not_delegated_on() {
    let desk = Desk::new();
    desk.client().delegate(PROGRAM, name("work"), 3).expect("its own");
    let mut guest = Client::new(desk.transport(PROGRAM, DELEGATE));
    let on = guest.delegate(ServiceId::program("app/boot/other"), name("work"), 1).err();
    assert_eq!(on, Some(Error::Permission));
}

#[test]
fn delegations_have_a_bound() {
    let outside = Outside::default();
    let mut wiring = wiring();
    let many = (0..MAX_DELEGATIONS + 1).map(|at| program(&format!("app/boot/p{at}")));
    wiring.programs.extend(many);
    let policy = Policyd::new(outside.clone(), wiring, TIMEBASE);
    let local = Local::new(Pair { policy, outside, init: Init::Pulls });
    let caller = Caller { service: OWN, process: ProcessId(7), badge: DELEGATE | EXPLAIN, trace: 0 };
    let mut client = Client::new(local.connect(caller));
    let mut give = |at: usize| {
        let subject = ServiceId::program(&format!("app/boot/p{at}"));
        client.delegate(subject, name("work"), 1).map(drop)
    };
    (0..MAX_DELEGATIONS).for_each(|at| assert_eq!(give(at), Ok(())));
    assert_eq!(give(MAX_DELEGATIONS), Err(Error::OverLimit));
    assert_eq!(give(0), Ok(()), "what stands may be given again");
}

#[test]
fn every_change_and_every_refusal_is_audited_once_by_the_kernels_name() {
    let desk = Desk::new();
    let mut client = desk.client();
    client.delegate(PROGRAM, name("work"), 3).expect("its own");
    assert_eq!(desk.audits(), ["delegate allow route app/boot/holder work"]);
    let _ = client.delegate(PROGRAM, name("work"), 4);
    assert_eq!(desk.audits(), ["delegate deny EPERM app/boot/holder work"]);
    let _ = client.decide(SERVER, name("work"), 0);
    assert_eq!(desk.audits(), ["decide deny EPERM app/boot/holder work"]);
    client.revoke(PROGRAM, name("work")).expect("its own");
    assert_eq!(desk.audits(), ["revoke allow delegation app/boot/holder work"]);
    let _ = Client::new(desk.transport(ServiceId(9), 0)).delegate(PROGRAM, name("work"), 1);
    assert_eq!(desk.audits(), ["delegate deny EPERM unknown work"]);
}
