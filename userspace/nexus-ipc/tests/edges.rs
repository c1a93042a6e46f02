//! What is malformed, what a restart does to a call, and what a badge says.

use nexus_abi::message::MAX_INLINE;
use nexus_abi::{Deadline, Error, Handle, Name, ProcessId, ServiceId};
use nexus_ipc::interface::{Limits, Repeat};
use nexus_ipc::{Caller, Message, Notice, RouteRetryOutcome, Stub, Transport};

fn handle(number: u64) -> Handle {
    Handle::pack(9, 0, number).expect("a small generation")
}

/// A transport to a server that dies once; its successor answers what `answer` says.
struct Restarted {
    calls: usize,
    successor: Result<(), Error>,
    answer: Message,
    discarded: Vec<Handle>,
    sent: usize,
}

impl Restarted {
    fn with(successor: Result<(), Error>) -> Restarted {
        let mut answer = Message::default();
        answer.handles.push(handle(3)).expect("the first");
        Restarted { calls: 0, successor, answer, discarded: Vec::new(), sent: 0 }
    }

    fn asked(&mut self, repeat: Repeat) -> Result<Handle, Error> {
        // Through a reference, as the typed clients of one route are used.
        let mut stub = Stub::new(self);
        stub.until(Deadline(40));
        stub.call(&Message::tagged(7), repeat, |answer| answer.handles.get(0).ok_or(Error::BadHandle))
    }
}

impl Transport for Restarted {
    fn call(&mut self, _: &Message, deadline: Deadline) -> Result<Message, Error> {
        assert_eq!(deadline, Deadline(40));
        self.calls += 1;
        if self.calls == 1 { Err(Error::PeerClosed) } else { Ok(self.answer.clone()) }
    }

    fn send(&mut self, _: &Message) -> Result<(), Error> {
        self.sent += 1;
        Ok(())
    }

    fn patience(&self) -> Deadline {
        Deadline(40)
    }

    fn discard(&mut self, answer: &Message) {
        self.discarded.extend(answer.handles.iter());
    }

    fn renew(&mut self, deadline: Deadline) -> Result<(), Error> {
        assert_eq!(deadline, Deadline(40));
        self.successor
    }
}

#[test]
fn what_may_be_repeated_is_asked_of_the_successor_and_nothing_else() {
    let mut again = Restarted::with(Ok(()));
    assert_eq!((again.asked(Repeat::Again), again.calls), (Ok(handle(3)), 2));

    let mut once = Restarted::with(Ok(()));
    assert_eq!((once.asked(Repeat::Once), once.calls), (Err(Error::PeerClosed), 1));

    let mut lost = Restarted::with(Err(Error::TimedOut));
    assert_eq!((lost.asked(Repeat::Again), lost.calls), (Err(Error::TimedOut), 1));
}

#[test]
fn an_answer_that_cannot_be_read_is_the_peers_fault_and_its_handles_are_closed() {
    let mut unread = Restarted::with(Ok(()));
    let read = |_: &Message| Err::<(), _>(Error::Malformed);

    let mut stub = Stub::new(&mut unread);

    assert_eq!(stub.call(&Message::default(), Repeat::Again, read), Err(Error::Protocol));
    assert_eq!(stub.transport().send(&Message::default()), Ok(()));
    assert_eq!((unread.discarded, unread.sent), (vec![handle(3)], 1));
}

#[test]
fn a_notice_with_too_much_or_too_little_is_none() {
    let refused = |change: fn(&mut Message), notice: Notice| {
        let mut message = notice.to_message();
        change(&mut message);
        Notice::from_message(&message)
    };
    let interface = Name::new("stream").expect("short");
    let (probe, routed) = (Notice::Probe { nonce: 1 }, Notice::Routed { nonce: 1, result: Ok(handle(1)) });
    let route = Notice::Route { nonce: 1, interface, inbox: handle(1) };

    assert_eq!(refused(|message| message.payload.push(0), probe), Err(Error::Invalid));
    assert_eq!(refused(|message| message.handles.push(handle(2)).expect("room"), route), Err(Error::Invalid));
    assert_eq!(refused(|message| message.handles.push(handle(2)).expect("room"), probe), Err(Error::Invalid));
    assert_eq!(refused(|message| message.handles = Default::default(), route), Err(Error::Invalid));
    assert_eq!(refused(|message| message.words[2] = 1, routed), Err(Error::Invalid), "both a handle and a refusal");
    assert_eq!(refused(|message| message.words[0] |= 0x100, probe), Err(Error::NoCall));
}

#[test]
fn a_message_says_what_goes_beside_its_words() {
    let mut message = Message::tagged(5);
    assert!(message.is_plain() && message.handles.is_empty());

    message.handles.push(handle(1)).expect("the first");
    assert!(!message.is_plain() && !message.handles.is_empty());
    assert_eq!(message.accepted(), Err(Error::from_number(5).expect("it is one")));

    message.payload = vec![0; MAX_INLINE + 1];
    assert_eq!(message.extent().err(), Some(Error::OverLimit));
    message.words[0] = 1 << 16;
    assert_eq!(message.accepted(), Err(Error::Protocol));
}

#[test]
fn limits_grow_by_what_is_added_and_know_what_fits() {
    let limits = Limits::default().plus(7, MAX_INLINE, 7);

    assert_eq!(limits, Limits { words: 7, bytes: MAX_INLINE, handles: 7 });
    assert!(limits.fits());
    assert!(!limits.plus(1, 0, 0).fits() && !limits.plus(0, 1, 0).fits() && !limits.plus(0, 0, 1).fits());
}

#[test]
fn a_badge_says_permissions_and_interface_apart() {
    let badge = 2 << nexus_ipc::server::INTERFACE_SHIFT | 0b101;
    let caller = Caller { service: ServiceId::program("app/test"), process: ProcessId(1), badge, trace: 0 };

    assert!(caller.may(0) && caller.may(0b100) && caller.may(0b101));
    assert!(!caller.may(0b010) && !caller.may(0b111) && !caller.may(1 << nexus_ipc::server::INTERFACE_SHIFT));
    assert_eq!(caller.interface(), 2);
}

#[test]
fn what_came_of_a_route_is_a_handle_or_one_error() {
    let errors = [
        (RouteRetryOutcome::Timeout, Error::TimedOut),
        (RouteRetryOutcome::NonceMismatchBudgetExceeded, Error::RateLimited),
        (RouteRetryOutcome::Rejected(Error::NotFound), Error::NotFound),
        (RouteRetryOutcome::Ipc(Error::PeerClosed), Error::PeerClosed),
    ];

    assert_eq!(RouteRetryOutcome::Success(handle(1)).into_result(), Ok(handle(1)));
    for (outcome, error) in errors {
        assert_eq!(outcome.into_result(), Err(error));
    }
}
