//! The receive loop against a scripted machine: which system calls it makes, and that nothing stops it.

mod machine;

use machine::{Machine, Scripted};
use nexus_abi::message::{Passing, Status};
use nexus_abi::{Deadline, Error, Handle, ServiceId};
use nexus_ipc::{Answered, Call, Message, Notice, Outcome, Port, RouteRetryOutcome, Serve, Signal, Ticket};
use nexus_proto::stream::Closed;
use nexus_rt::Server;
use nexus_rt::inbox::Inbox;
use std::time::Duration;

const SERVE: u64 = 5;
/// A request for which the service asks init for a route.
const ROUTES: u64 = 405;

#[derive(Default)]
struct Service {
    calls: Vec<Message>,
    notices: Vec<Message>,
    signals: Vec<Signal>,
    expired: usize,
    deadline: Option<u64>,
    answer: Message,
    kept: Option<Ticket<Closed>>,
    defers: usize,
    /// What a route that a request needs came to.
    routed: Option<RouteRetryOutcome>,
}

impl Serve for Service {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        self.calls.push(request.clone());
        if request.tag() == 404 {
            return Err(Error::NotFound.into());
        }
        if request.tag() == ROUTES {
            let mut inbox = Inbox::open().expect("an inbox");
            self.routed = Some(inbox.route("policy", Duration::from_secs(1)));
        }
        if self.defers > 0 {
            self.defers -= 1;
            let (ticket, deferred) = call.defer()?;
            self.kept = Some(ticket);
            return Err(deferred.into());
        }
        call.pass_on(self.answer.clone())
    }

    fn notice(&mut self, _: &mut Call<'_>, message: &Message) {
        self.notices.push(message.clone());
    }

    fn signal(&mut self, port: &mut dyn Port, signal: Signal) {
        self.signals.push(signal);
        if let Some(ticket) = self.kept.take() {
            ticket.answer(port, Ok(Closed {})).expect("the script lets it");
        }
    }

    fn deadline(&self) -> Deadline {
        self.deadline.map_or(Deadline::NEVER, Deadline)
    }

    fn expired(&mut self, _: &mut dyn Port) {
        self.expired += 1;
        self.deadline = None;
    }
}

fn handle(raw: u64) -> Handle {
    Handle::from_raw(raw).expect("not 0")
}

fn request(tag: u64) -> Scripted {
    Scripted::message(0, Message::tagged(tag))
}

/// Runs the loop until the script ends, which looks like a lost endpoint.
fn run(service: &mut Service, script: impl IntoIterator<Item = Scripted>) -> Machine {
    let machine = Machine::install(&[("serve", SERVE), ("init", 6)], script);
    let ended = Server::of_start_page().and_then(|server| server.serve(service));
    assert_eq!(ended.err(), Some(Error::PeerClosed));
    machine
}

#[test]
fn an_answer_and_the_next_wait_are_one_call() {
    let mut service = Service::default();
    let machine = run(&mut service, [request(1), request(2)]);
    // The script ends inside the second answer: the link is cleared and the loop ends at its next receive.
    assert_eq!(machine.names(), ["Recv", "ReplyRecv", "ReplyRecv", "Reply", "Recv"]);
    assert!(machine.0.borrow().made.iter().filter(|made| made.name != "Reply").all(|made| made.target == SERVE));
    assert_eq!(service.calls.len(), 2);
}

#[test]
fn a_deadline_and_a_payload_choose_the_number() {
    let mut answer = Message { payload: vec![1, 2, 3], passing: Passing::Move, ..Message::default() };
    answer.handles.push(handle(8)).expect("room");
    let mut service = Service { answer: answer.clone(), ..Service::default() };
    let machine = run(&mut service, [request(1)]);
    let sent = &machine.made("ReplyRecvExtended")[0];
    assert_eq!((&sent.message, sent.deadline), (&answer, u64::MAX));

    let mut service = Service { deadline: Some(900), ..Service::default() };
    let machine = run(&mut service, [request(1)]);
    assert_eq!(machine.made("ReplyRecvUntil")[0].deadline, 900);
}

#[test]
fn a_refusal_carries_the_number_and_closes_what_came() {
    let mut asked = Message { payload: b"bytes".to_vec(), ..Message::tagged(404) };
    asked.handles.push(handle(30)).expect("room");
    let mut service = Service::default();

    let machine = run(&mut service, [Scripted::message(0, asked.clone())]);

    assert_eq!(service.calls, [asked]);
    assert_eq!(machine.made("ReplyRecv")[0].message, Message::refusal(Error::NotFound));
    assert_eq!(machine.made("Close")[0].target, 30);
}

#[test]
fn a_deferred_request_is_answered_by_its_reply_handle() {
    let mut service = Service { defers: 1, ..Service::default() };
    let signal = Scripted::message(Status::SIGNAL, Message { words: [4, 2, 0, 0, 0, 0, 0, 0], ..Message::default() });

    let machine = run(&mut service, [request(1), signal]);

    assert_eq!(service.signals, [Signal { bits: 4, key: 2 }]);
    assert_eq!(machine.names(), ["Recv", "Defer", "Recv", "Reply", "Recv"]);
    assert_eq!(machine.made("Reply")[0].target, 77, "what Defer answered");
}

/// Who owes an answer cannot receive: the machine says so, and the answer goes by a reply handle.
#[test]
fn a_request_that_needs_a_route_is_answered_after_it() {
    let refused = || Scripted::error(Error::State);
    let routed = Notice::Routed { nonce: 1, result: Ok(handle(9)) }.to_message();
    let routed = Scripted { service: ServiceId::service("init"), ..Scripted::message(Status::ONE_WAY, routed) };
    let mut service = Service { answer: Message::tagged(7), ..Service::default() };

    let machine = run(&mut service, [request(ROUTES), refused(), routed, refused(), request(1)]);

    assert_eq!(service.routed, Some(RouteRetryOutcome::Success(handle(9))));
    let reply = &machine.made("Reply")[0];
    assert_eq!((reply.target, &reply.message), (77, &Message::tagged(7)), "what Defer answered");
    assert_eq!(machine.made("Defer").len(), 1);
    assert_eq!(service.calls.len(), 2, "and the loop goes on");
    assert_eq!(machine.made("ReplyRecv").len(), 2);
}

#[test]
fn a_signal_that_comes_while_a_route_is_looked_for_is_the_loops() {
    let refused = || Scripted::error(Error::State);
    let signal = Message { words: [4, 2, 0, 0, 0, 0, 0, 0], ..Message::default() };
    let signal = Scripted::message(Status::SIGNAL, signal);
    let routed = Notice::Routed { nonce: 1, result: Ok(handle(9)) }.to_message();
    let routed = Scripted { service: ServiceId::service("init"), ..Scripted::message(Status::ONE_WAY, routed) };
    let mut service = Service { answer: Message::tagged(7), ..Service::default() };

    run(&mut service, [request(ROUTES), refused(), signal, routed, refused(), request(1)]);

    assert_eq!(service.routed, Some(RouteRetryOutcome::Success(handle(9))));
    assert_eq!(service.signals, [Signal { bits: 4, key: 2 }], "once, when the request is answered");
    assert_eq!(service.calls.len(), 2, "and the loop goes on");
}

#[test]
fn a_request_that_needs_a_route_can_be_deferred_too() {
    let routed = Notice::Routed { nonce: 1, result: Ok(handle(9)) }.to_message();
    let routed = Scripted { service: ServiceId::service("init"), ..Scripted::message(Status::ONE_WAY, routed) };
    let mut service = Service { defers: 1, ..Service::default() };
    let signal = Scripted::message(Status::SIGNAL, Message { words: [4, 2, 0, 0, 0, 0, 0, 0], ..Message::default() });
    let machine = run(&mut service, [request(ROUTES), Scripted::error(Error::State), routed, signal]);
    assert_eq!(machine.made("Reply")[0].target, 77);
    assert_eq!(machine.made("Defer").len(), 1, "it was deferred already");
}

#[test]
fn the_services_deadline_fires_once_it_has_come_and_not_before() {
    let early = Scripted { time: 899, ..request(1) };
    let mut service = Service { deadline: Some(900), ..Service::default() };
    run(&mut service, [early]);
    assert_eq!(service.expired, 0);

    let late = Scripted { time: 900, ..Scripted::error(Error::TimedOut) };
    let mut service = Service { deadline: Some(900), ..Service::default() };
    run(&mut service, [late]);
    assert_eq!(service.expired, 1);

    let busy = Scripted { time: 901, ..request(1) };
    let mut service = Service { deadline: Some(900), ..Service::default() };
    run(&mut service, [busy]);
    assert_eq!(service.expired, 1, "requests do not put it off");
}

#[test]
fn an_answer_that_cannot_be_sent_becomes_a_refusal_and_the_loop_goes_on() {
    let mut service = Service::default();
    let machine = run(&mut service, [request(1), Scripted::error(Error::BadHandle), request(2)]);
    assert_eq!(service.calls.len(), 2);
    assert_eq!(machine.made("Reply")[0].message, Message::refusal(Error::Protocol));

    let mut service =
        Service { answer: Message { payload: vec![0; 5000], ..Message::default() }, ..Service::default() };
    let machine = run(&mut service, [request(1), request(2)]);
    assert_eq!(service.calls.len(), 2, "an answer longer than a page is not sent at all");
    assert!(machine.made("ReplyRecvExtended").is_empty());
}

#[test]
fn inits_probe_is_answered_and_nobody_elses() {
    let probe = |service: ServiceId| {
        let message = Notice::Probe { nonce: 9 }.to_message();
        Scripted { service, ..Scripted::message(Status::ONE_WAY, message) }
    };
    let mut service = Service::default();

    let machine = run(&mut service, [probe(ServiceId::program("app/rogue")), probe(ServiceId::service("init"))]);

    let sent = machine.made("Send");
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].target, Notice::from_message(&sent[0].message)), (6, Ok(Notice::Up { nonce: 9 })));
    assert_eq!(service.notices.len(), 1, "to the service the other is a message like any");
}

#[test]
fn a_fault_that_nobody_asked_for_is_let_go() {
    let mut service = Service::default();
    let machine = run(&mut service, [Scripted::message(Status::FAULT, Message::tagged(13))]);
    assert!(service.calls.is_empty());
    assert_eq!(machine.names(), ["Recv", "Defer", "Close", "Recv"]);
}
