//! The client's side against a scripted machine: calls, routes, views, lines.

mod machine;

use std::sync::mpsc::channel;
use std::time::Duration;

use machine::{Machine, Scripted};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::Status;
use nexus_abi::syscall::ipc;
use nexus_abi::{Deadline, Error, Handle, Name, ServiceId};
use nexus_ipc::{Message, Notice, RouteRetryOutcome, Transport};
use nexus_proto::supervisor;
use nexus_rt::inbox::{self, Inbox};
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::{self, Arrival, Departure, Host};
use nexus_rt::{Channel, Instant};

fn handle(raw: u64) -> Handle {
    Handle::from_raw(raw).expect("not 0")
}

fn from_init(notice: Notice) -> Scripted {
    Scripted { service: ServiceId::service("init"), ..Scripted::message(Status::ONE_WAY, notice.to_message()) }
}

/// The nonce of the route that will be asked next: the machine's clock starts at 0.
const NONCE: u64 = 1;

#[test]
fn words_go_in_registers_and_the_rest_through_the_page() {
    let mut answer = Message { payload: b"answer".to_vec(), ..Message::default() };
    answer.handles.push(handle(3)).expect("room");
    let machine =
        Machine::install(&[], [Scripted::message(0, Message::tagged(0)), Scripted::message(0, answer.clone())]);
    let mut channel = Channel::new(handle(5));

    assert_eq!(channel.call(&Message::tagged(1), Deadline(7)), Ok(Message::tagged(0)));
    let mut asked = Message { payload: vec![9; 4032], ..Message::tagged(2) };
    asked.handles.push(handle(4)).expect("room");
    assert_eq!(channel.call(&asked, Deadline::NEVER), Ok(answer));

    assert_eq!(machine.names(), ["CallUntil", "CallExtended"]);
    assert_eq!(machine.made("CallExtended")[0].message, asked);
}

#[test]
fn a_message_that_is_too_long_is_not_sent() {
    let machine = Machine::install(&[], []);
    let long = Message { payload: vec![0; 4033], ..Message::default() };
    assert_eq!(Channel::new(handle(5)).call(&long, Deadline::NEVER), Err(Error::OverLimit));
    assert_eq!(Channel::new(handle(5)).send(&long), Err(Error::OverLimit));
    assert!(machine.names().is_empty());
}

#[test]
fn a_call_without_a_deadline_has_its_channels_patience() {
    Machine::install(&[], []);
    let channel = Channel::new(handle(5));
    assert_eq!(channel.patience(), Deadline(100_000_000), "ten seconds of a 10 MHz clock");
    assert_eq!(channel.patient(None).patience(), Deadline::NEVER);
}

#[test]
fn a_handle_of_the_start_page_needs_no_route() {
    let machine = Machine::install(&[("exec", 12)], []);
    assert_eq!(Channel::to("exec").map(|channel| channel.endpoint()), Ok(handle(12)));
    assert!(machine.names().is_empty());
}

#[test]
fn a_route_asks_init_and_takes_the_answer_with_its_nonce() {
    let late = from_init(Notice::Routed { nonce: 400, result: Ok(handle(50)) });
    let forged =
        Scripted::message(Status::ONE_WAY, Notice::Routed { nonce: NONCE, result: Ok(handle(51)) }.to_message());
    let right = from_init(Notice::Routed { nonce: NONCE, result: Ok(handle(52)) });
    let machine = Machine::install(&[("init", 6)], [late, forged, right]);

    let channel = Channel::to("routed").expect("routed");

    assert_eq!(channel.endpoint(), handle(52));
    let asked = machine.made("Send");
    assert_eq!((asked.len(), asked[0].target), (1, 6));
    assert!(matches!(Notice::from_message(&asked[0].message), Ok(Notice::Route { nonce: NONCE, .. })));
    let closed: Vec<u64> = machine.made("Close").iter().map(|made| made.target).collect();
    assert!(closed.contains(&50) && closed.contains(&51) && !closed.contains(&52), "{closed:?}");
}

#[test]
fn unknown_interfaces_are_asked_for_together_and_answered_in_any_order() {
    let routed = |nonce, raw| from_init(Notice::Routed { nonce, result: Ok(handle(raw)) });
    let refused = from_init(Notice::Routed { nonce: NONCE + 1, result: Err(Error::NotFound) });
    let script = [routed(NONCE + 3, 24), routed(NONCE + 2, 23), refused, routed(NONCE, 21), routed(NONCE + 4, 25)];
    let machine = Machine::install(&[("init", 6), ("given", 12)], script);

    let learnt = inbox::learn(&["far", "given", "nowhere", "wide", "off", "beyond"]);

    assert_eq!(learnt, Err(Error::NotFound));
    let names = machine.names();
    let calls: Vec<&str> = names.iter().copied().filter(|name| matches!(*name, "Send" | "Recv")).collect();
    assert_eq!(calls, ["Send", "Send", "Send", "Send", "Recv", "Recv", "Recv", "Recv", "Send", "Recv"]);
    for (name, raw) in [("far", 21), ("given", 12), ("wide", 23), ("off", 24), ("beyond", 25)] {
        assert_eq!(inbox::find(name), Ok(handle(raw)), "{name}");
    }
    assert_eq!(machine.names().len(), names.len(), "what was learnt is not asked for again");
}

#[test]
fn what_was_routed_once_is_kept_until_its_server_is_gone() {
    let answers = [7, 8].map(|raw| from_init(Notice::Routed { nonce: NONCE, result: Ok(handle(raw)) }));
    let machine = Machine::install(&[("init", 6)], answers);
    let found = || Channel::to("kept").map(|channel| channel.endpoint());

    assert_eq!((found(), found()), (Ok(handle(7)), Ok(handle(7))));
    let kept = Name::new("kept").expect("short");
    assert_eq!(inbox::renew(kept, handle(7), Deadline::NEVER), Ok(handle(8)));
    assert_eq!(inbox::renew(kept, handle(7), Deadline::NEVER), Ok(handle(8)), "somebody else asked already");
    assert_eq!(found(), Ok(handle(8)));

    assert_eq!(machine.made("Send").len(), 2);
    assert!(machine.made("Close").iter().any(|made| made.target == 7));
}

#[test]
fn a_request_follows_its_server_through_a_restart_if_it_may_be_repeated() {
    let routed = |raw| from_init(Notice::Routed { nonce: NONCE, result: Ok(handle(raw)) });
    let gone = || Scripted::error(Error::PeerClosed);
    let killed = Scripted::message(0, Message::tagged(0));
    let end = Scripted::message(0, Message::refusal(Error::NotFound));
    let script = [gone(), routed(13), end, gone(), routed(14), killed];
    let machine = Machine::install(&[("init", 6), ("supervisor", 12)], script);
    let mut client = supervisor::Client::new(Channel::to("supervisor").expect("started with"));

    assert_eq!(client.list(9).err(), Some(Error::NotFound), "listing is repeated");
    assert_eq!(client.kill("x").err(), Some(Error::PeerClosed), "killing is not");
    assert!(client.kill("x").is_ok(), "and the next request finds the new server");

    let targets = |name| machine.made(name).iter().map(|made| made.target).collect::<Vec<_>>();
    assert_eq!((targets("CallUntil"), targets("CallExtended")), (vec![12, 13], vec![13, 14]));
    assert_eq!(Channel::to("supervisor").map(|channel| channel.endpoint()), Ok(handle(14)));
}

#[test]
fn a_request_whose_server_does_not_come_back_ends_in_time() {
    let machine = Machine::install(
        &[("init", 6), ("lost", 12)],
        [Scripted::error(Error::PeerClosed), Scripted::error(Error::TimedOut)],
    );
    let mut client = supervisor::Client::new(Channel::to("lost").expect("started with"));
    assert_eq!(client.until(Deadline(5_000_000)).list(0).err(), Some(Error::TimedOut));
    assert_eq!(machine.made("Recv")[0].deadline, 5_000_000, "the route waits no longer than the caller");
    assert!(machine.made("Close").iter().all(|made| made.target != 12), "the old handle still says what happened");
}

#[test]
fn a_route_ends_in_time_and_says_how() {
    let refused = from_init(Notice::Routed { nonce: NONCE, result: Err(Error::Permission) });
    Machine::install(&[("init", 6)], [refused]);
    let outcome = Inbox::open().expect("an inbox").route("exec", Duration::from_secs(1));
    assert_eq!(outcome, RouteRetryOutcome::Rejected(Error::Permission));

    let machine = Machine::install(&[("init", 6)], [Scripted::error(Error::TimedOut)]);
    let outcome = Inbox::open().expect("an inbox").route("exec", Duration::from_secs(1));
    assert_eq!(outcome, RouteRetryOutcome::Timeout);
    assert_eq!(machine.made("Recv")[0].deadline, 10_000_000);

    let noise = (0..100).map(|_| from_init(Notice::Up { nonce: 1 }));
    Machine::install(&[("init", 6)], noise);
    let outcome = Inbox::open().expect("an inbox").route("exec", Duration::from_secs(1));
    assert_eq!(outcome, RouteRetryOutcome::NonceMismatchBudgetExceeded);

    Machine::install(&[], []);
    assert_eq!(Channel::to("nobody").err(), Some(Error::Unavailable));
}

#[test]
fn deadlines_are_never_early() {
    Machine::install(&[], []);
    assert_eq!(Instant::from_ticks(5).after(Duration::from_nanos(101)), Deadline(7));
    assert_eq!(Instant::from_ticks(u64::MAX - 1).after(Duration::from_secs(1)), Deadline::NEVER);
}

#[test]
fn a_view_refuses_what_is_outside_unaligned_or_not_allowed() {
    struct Memory;
    impl nexus_rt::sys::Host for Memory {
        fn call(&mut self, _: &nexus_rt::sys::Departure, _: &mut [u8; 4096]) -> nexus_rt::sys::Arrival {
            let words = [2, 0, 0, 0, 0, 0, 0, 0];
            nexus_rt::sys::Arrival { status: Status::OK, words, badge: 0, service: 0, process: 0, trace: 0 }
        }

        fn load(&mut self, address: u64, _: usize) -> u64 {
            address & 0xff
        }
    }
    nexus_rt::sys::install(Memory);
    let view = View::map(handle(1), 0, 2, Access::Read).expect("mapped");

    assert_eq!(view.size(), 8192);
    assert_eq!(view.load_u8(8191), Ok(0xff));
    assert_eq!(view.load_u8(8192), Err(Error::BadAddress));
    assert_eq!(view.load_u32(2), Err(Error::BadAddress));
    assert_eq!(view.load_u32(usize::MAX - 3), Err(Error::BadAddress));
    assert_eq!(view.store_u8(0, 1), Err(Error::BadAddress));
    assert_eq!(view.write(0, &[1]), Err(Error::BadAddress));
    let mut bytes = [0; 4];
    assert_eq!(view.read(8189, &mut bytes), Err(Error::BadAddress));
    assert_eq!(view.read(usize::MAX, &mut bytes), Err(Error::BadAddress));
    assert_eq!(view.read(1, &mut bytes), Ok(()));
    assert_eq!(bytes, [1, 2, 3, 4]);
}

#[test]
fn a_second_channel_follows_when_the_first_has_closed_the_dead_handle() {
    let routed = from_init(Notice::Routed { nonce: NONCE, result: Ok(handle(31)) });
    let gone = Scripted::error(Error::PeerClosed);
    let end = || Scripted::message(0, Message::refusal(Error::NotFound));
    let script = [gone, routed, end(), Scripted::error(Error::BadHandle), end(), Scripted::error(Error::BadHandle)];
    let machine = Machine::install(&[("init", 6), ("followed", 30)], script);
    let client = || supervisor::Client::new(Channel::to("followed").expect("started with"));
    let (mut first, mut second) = (client(), client());

    assert_eq!(first.list(9).err(), Some(Error::NotFound));
    assert_eq!(second.list(9).err(), Some(Error::NotFound));
    assert_eq!(second.list(9).err(), Some(Error::BadHandle), "a handle that nobody replaced is the caller's own fault");

    let targets: Vec<_> = machine.made("CallUntil").iter().map(|made| made.target).collect();
    assert_eq!(targets, [30, 31, 30, 31, 31]);
}

/// A machine whose answers of init come when the test lets them.
struct Slow(Machine, std::sync::mpsc::Sender<()>, std::sync::mpsc::Receiver<()>);

impl Host for Slow {
    fn call(&mut self, out: &Departure, page: &mut [u8; PAGE_SIZE]) -> Arrival {
        if out.number == ipc::RECV {
            self.1.send(()).expect("the test waits");
            self.2.recv().expect("the test lets it go on");
        }
        self.0.call(out, page)
    }
}

#[test]
fn a_route_that_takes_long_keeps_no_other_thread_from_its_own() {
    let routed = |raw| from_init(Notice::Routed { nonce: NONCE, result: Ok(handle(raw)) });
    let ((asked, asks), (let_go, goes)) = (channel(), channel());
    let slow = std::thread::spawn(move || {
        let machine = Machine::install(&[("init", 6)], [routed(41)]);
        sys::install(Slow(machine, asked, goes));
        Channel::to("slow").map(|channel| channel.endpoint())
    });
    asks.recv().expect("the slow route is asked");
    let (found, finds) = channel();
    std::thread::spawn(move || {
        Machine::install(&[("init", 6)], [routed(42)]);
        let way = Channel::to("quick").map(|channel| channel.endpoint());
        found.send(way).expect("the test waits");
    });
    let quick = finds.recv_timeout(Duration::from_secs(20)).expect("nobody is kept waiting");
    let_go.send(()).expect("the slow thread waits");

    assert_eq!(quick, Ok(handle(42)));
    assert_eq!(slow.join().expect("it ends"), Ok(handle(41)));
}
