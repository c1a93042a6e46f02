//! A made-up interface, served in process: encoding, refusals, deferral, and messages nobody should send.

use nexus_abi::{Deadline, Error, Handle, Name, ServiceId};
use nexus_ipc::interface::{Limits, Repeat};
use nexus_ipc::{
    Answered, Bytes, Call, Caller, Leave, Local, Message, Moved, Notice, Outcome, Port, Serve, Text, Ticket, Transport,
};

nexus_ipc::interface! {
    /// Keeps notes.
    "notes" Notes {
        /// Everything at once.
        1 mix once {
            name: Name, text: Text<8>, bytes: Bytes<16>, first: Handle, second: Option<Handle>,
        } -> Mixed { sum: u64, text: Text<64>, gift: Moved };
        /// Answers when the time has come.
        2 later again { at: u64 } -> Rang { at: u64 };
        /// Refuses.
        3 refuse once { handle: Handle } -> Never {};
        /// Answers more than a message can hold.
        4 flood again {} -> Flood { text: Text<32> };
    }
}

#[derive(Default)]
struct Service {
    calls: usize,
    alarm: Option<(Ticket<Rang>, u64)>,
    noticed: Vec<Notice>,
}

impl Notes for Service {
    fn mix(
        &mut self,
        call: &mut Call<'_>,
        name: Name,
        text: &str,
        bytes: &[u8],
        first: Handle,
        second: Option<Handle>,
    ) -> Outcome<Mixed> {
        self.calls += 1;
        if second.is_some() {
            call.port.close(first);
        }
        let sum = bytes.iter().map(|&byte| u64::from(byte)).sum::<u64>();
        Ok(Mixed { sum, text: format!("{}:{text}:{}", name.as_str(), second.is_some()), gift: first })
    }

    fn later(&mut self, call: &mut Call<'_>, at: u64) -> Outcome<Rang> {
        let (ticket, deferred) = call.defer()?;
        self.alarm = Some((ticket, at));
        Err(deferred.into())
    }

    fn refuse(&mut self, _: &mut Call<'_>, _: Handle) -> Outcome<Never> {
        Err(Error::Permission.into())
    }

    fn flood(&mut self, _: &mut Call<'_>) -> Outcome<Flood> {
        Ok(Flood { text: "x".repeat(33) })
    }
}

impl Serve for Service {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        dispatch(self, call, request)
    }

    fn notice(&mut self, _: &mut Call<'_>, message: &Message) {
        self.noticed.extend(Notice::from_message(message));
    }

    fn deadline(&self) -> Deadline {
        self.alarm.as_ref().map_or(Deadline::NEVER, |&(_, at)| Deadline(at))
    }

    fn expired(&mut self, port: &mut dyn Port) {
        if let Some((ticket, at)) = self.alarm.take() {
            let _ = ticket.answer(port, Ok(Rang { at }));
        }
    }
}

fn caller() -> Caller {
    Caller { service: ServiceId::program("app/test"), process: nexus_abi::ProcessId(1), badge: 5, trace: 0 }
}

fn handle(number: u64) -> Handle {
    Handle::pack(9, 0, number).expect("a small generation")
}

fn setup() -> (Local<Service>, Client<nexus_ipc::local::LocalTransport<Service>>) {
    let local = Local::new(Service::default());
    let client = Client::new(local.connect(caller()));
    (local, client)
}

#[test]
fn values_of_every_shape_arrive_as_they_were_sent() {
    let (local, mut client) = setup();
    let name = Name::new("someone").expect("short");

    let mixed = client.mix(name, "åäö", &[1, 2, 3], handle(1), Some(handle(2))).expect("accepted");

    assert_eq!(mixed, Mixed { sum: 6, text: "someone:åäö:true".into(), gift: handle(1) });
    assert_eq!(local.closed(), [handle(1)]);
}

#[test]
fn the_declaration_says_the_limits_and_what_may_be_repeated() {
    let mix = METHODS[0];
    assert_eq!((mix.number, mix.name, mix.repeat), (1, "mix", Repeat::Once));
    assert_eq!(mix.request, Limits { words: 6, bytes: 24, handles: 2 });
    assert_eq!(mix.answer, Limits { words: 2, bytes: 64, handles: 1 });
    assert_eq!(METHODS[1].repeat, Repeat::Again);
}

#[test]
fn the_senders_side_refuses_what_is_too_long_and_sends_nothing() {
    let (local, mut client) = setup();
    let name = Name::default();

    assert_eq!(client.mix(name, "123456789", &[], handle(1), None).err(), Some(Error::TooLong));
    assert_eq!(client.mix(name, "", &[0; 17], handle(1), None).err(), Some(Error::TooLong));
    assert_eq!(local.service().calls, 0);
}

#[test]
fn an_answer_over_its_limit_is_an_error_of_the_service_not_a_truncation() {
    let (_local, mut client) = setup();
    assert_eq!(client.flood().err(), Some(Error::TooLong));
}

#[test]
fn handles_of_a_refused_request_are_closed_for_the_service() {
    let (local, mut client) = setup();

    assert_eq!(client.refuse(handle(4)).err(), Some(Error::Permission));

    assert_eq!(local.closed(), [handle(4)]);
}

#[test]
fn a_deferred_answer_comes_when_virtual_time_reaches_it() {
    let (_local, mut client) = setup();
    assert_eq!(client.later(500), Ok(Rang { at: 500 }));
}

#[test]
fn a_deferred_answer_after_the_deadline_is_a_timeout_and_the_service_goes_on() {
    let (local, mut client) = setup();

    assert_eq!(client.until(Deadline(499)).later(500).err(), Some(Error::TimedOut));
    local.advance(10);

    assert!(local.service().alarm.is_none(), "it fired, and the answer had nobody to go to");
    assert_eq!(client.later(600), Ok(Rang { at: 600 }));
}

#[test]
fn every_damaged_request_is_refused_or_read_as_another_valid_one() {
    let mut whole = Message::default();
    let mut writer = nexus_ipc::wire::Writer::over(&mut whole, nexus_ipc::interface::tag(NAME, 1));
    write_mix(&mut writer);
    writer.finish();
    let (local, _) = setup();
    let mut transport = local.connect(caller());
    let mut ask = |message: &Message| transport.call(message, Deadline::NEVER).expect("an answer").accepted();
    assert_eq!(ask(&whole), Ok(()));

    for word in 0..8 {
        for bit in 0..64 {
            let mut damaged = whole.clone();
            damaged.words[word] ^= 1 << bit;
            let _ = ask(&damaged);
        }
    }
    for length in 0..whole.payload.len() {
        let mut short = whole.clone();
        short.payload.truncate(length);
        assert!(ask(&short).is_err(), "cut to {length} bytes");
    }
    let mut long = whole.clone();
    long.payload.push(0);
    assert_eq!(ask(&long), Err(Error::Malformed));
    let mut fewer = whole.clone();
    fewer.handles = Default::default();
    assert_eq!(ask(&fewer), Err(Error::BadHandle));
    let mut more = whole.clone();
    more.handles.push(handle(8)).expect("room");
    assert_eq!(ask(&more), Err(Error::Malformed));
    let mut binary = whole;
    binary.payload[0] = 0xff;
    assert_eq!(ask(&binary), Err(Error::Invalid));
}

fn write_mix(writer: &mut nexus_ipc::wire::Writer) {
    use nexus_ipc::wire::Wire;
    Name::put(Name::new("n").expect("short"), writer).expect("fits");
    Text::<8>::put("text", writer).expect("fits");
    Bytes::<16>::put(b"bytes", writer).expect("fits");
    Handle::put(handle(1), writer).expect("fits");
    Option::<Handle>::put(Some(handle(2)), writer).expect("fits");
}

#[test]
fn a_message_longer_than_a_page_is_not_sent() {
    let (local, _) = setup();
    let message = Message { payload: vec![0; 4033], ..Message::default() };
    assert_eq!(local.connect(caller()).call(&message, Deadline::NEVER).err(), Some(Error::OverLimit));
}

#[test]
fn one_way_messages_reach_the_service_and_carry_one_handle_at_most() {
    let (local, _) = setup();
    let mut transport = local.connect(caller());
    let route = Notice::Route { nonce: 3, interface: Name::new("exec").expect("short"), inbox: handle(1) };

    transport.send(&route.to_message()).expect("sent");
    let mut two = route.to_message();
    two.handles.push(handle(2)).expect("room");

    assert_eq!(transport.send(&two), Err(Error::OverLimit));
    assert_eq!(local.service().noticed, [route]);
}

#[test]
fn notices_come_back_as_they_went_and_nonsense_is_refused() {
    let name = Name::new("stream").expect("short");
    let all = [
        Notice::Probe { nonce: 1 },
        Notice::Up { nonce: u64::MAX },
        Notice::Route { nonce: 2, interface: name, inbox: handle(1) },
        Notice::Routed { nonce: 2, result: Ok(handle(1)) },
        Notice::Routed { nonce: 2, result: Err(Error::NotFound) },
        Notice::Decide { nonce: 3, subject: ServiceId::program("app/x"), interface: name },
        Notice::Decided { nonce: 3, result: Ok(Leave { interface: 9, permits: 5 }) },
        Notice::Decided { nonce: 3, result: Err(Error::Permission) },
        Notice::Pull { nonce: 4, subject: ServiceId::program("app/x"), interface: name },
        Notice::Pulled { nonce: 4 },
    ];
    for notice in all {
        assert_eq!(Notice::from_message(&notice.to_message()), Ok(notice));
    }
    assert_eq!(Notice::from_message(&Message::default()), Err(Error::NoCall));
    let mut neither = Notice::Routed { nonce: 2, result: Err(Error::NotFound) }.to_message();
    neither.words[2] = 0;
    assert_eq!(Notice::from_message(&neither), Err(Error::Invalid));
    neither.words[2] = 40_000;
    assert_eq!(Notice::from_message(&neither), Err(Error::Invalid));
}
