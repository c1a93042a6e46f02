//! Messages of every interface, requests and answers both: selector, handles, eight words, payload.

use super::{PLAIN, refused};
use crate::{Parser, Sample, Verdict};
use nexus_abi::message::{MAX_INLINE, WORDS};
use nexus_abi::{Error, Handle, Name, ProcessId, ServiceId};
use nexus_ipc::interface::{Method, Probe, REACHED, Reread};
use nexus_ipc::{Answered, Call, Caller, Message, NoAnswer, Notice, Outcome, Port};
use nexus_proto::{console, exec, logs, policy, stream, supervisor, timer};

/// Bytes before the payload.
const HEAD: usize = 2 + 8 * WORDS;
/// Handles of a message at most, and one more.
const HANDLES: u8 = 8;

/// A message in bytes; none if they are too few.
fn message(bytes: &[u8]) -> Option<(u8, Message)> {
    let (head, payload) = bytes.split_at_checked(HEAD)?;
    let mut message = Message::default();
    for (at, word) in head[2..].as_chunks::<8>().0.iter().enumerate() {
        message.words[at] = u64::from_le_bytes(*word);
    }
    for at in 0..head[1] % HANDLES {
        let handle = Handle::from_raw(100 + u64::from(at)).expect("it is not 0");
        message.handles.push(handle).expect("there is room for seven");
    }
    message.payload = payload[..payload.len().min(MAX_INLINE)].to_vec();
    Some((head[0], message))
}

/// The bytes of a message.
fn bytes(selector: u8, message: &Message) -> Vec<u8> {
    let words = message.words.iter().flat_map(|word| word.to_le_bytes());
    [selector, message.handles.len() as u8].into_iter().chain(words).chain(message.payload.iter().copied()).collect()
}

/// A message has its words, whatever was cut off.
fn mend(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().max(HEAD), 0);
}

/// A port that leads nowhere.
struct Nowhere;

impl Port for Nowhere {
    fn defer(&mut self) -> Result<Handle, Error> {
        Err(Error::State)
    }

    fn reply(&mut self, _: Handle, _: &Message) -> Result<(), Error> {
        Err(Error::PeerClosed)
    }

    fn close(&mut self, _: Handle) {}

    fn now(&self) -> u64 {
        0
    }
}

/// Dispatches a request of an interface.
type Dispatch = fn(&mut Probe, &mut Call<'_>, &Message) -> Outcome<Answered>;

/// What an interface's harness needs.
struct Interface {
    methods: &'static [Method],
    dispatch: Dispatch,
    answers: &'static [Reread],
    tag: fn(u16) -> u64,
}

impl Interface {
    fn read(&self, input: &[u8]) -> Verdict {
        let Some((selector, message)) = message(input) else { return Verdict::Refused("short") };
        match selector.checked_sub(1).and_then(|at| self.answers.get(usize::from(at))) {
            Some(reread) => Self::answer(*reread, &message),
            None => self.request(&message),
        }
    }

    fn request(&self, message: &Message) -> Verdict {
        let caller = Caller { service: ServiceId(1), process: ProcessId(1), badge: u64::MAX, trace: 0 };
        let mut call = Call { caller, port: &mut Nowhere, answer: &mut Message::default() };
        let mut probe = Probe::default();
        match (self.dispatch)(&mut probe, &mut call, message) {
            Err(REACHED) => {
                let again = probe.request.expect("a handler was reached").expect("what was read can be written");
                assert_eq!(again.words, message.words, "a request has one spelling");
                assert_eq!((again.payload, again.handles), (message.payload.clone(), message.handles));
                let method = self.methods.iter().find(|method| (self.tag)(method.number) == message.tag());
                let limits = method.expect("only a method that exists is reached").request;
                assert!(message.payload.len() <= limits.bytes, "its bytes are within the declared bound");
                assert!(message.handles.len() <= limits.handles, "its handles are within the declared bound");
                Verdict::Accepted
            }
            Err(NoAnswer::Refused(error)) => refused(error),
            other => panic!("a handler that refuses made {other:?}"),
        }
    }

    fn answer(reread: Reread, message: &Message) -> Verdict {
        if let Err(error) = message.accepted() {
            return if error == Error::Protocol { refused(error) } else { Verdict::Refused("refusal") };
        }
        match reread(message) {
            Ok(again) => {
                assert_eq!(again.words, message.words, "an answer has one spelling");
                assert_eq!((again.payload, again.handles), (message.payload.clone(), message.handles));
                Verdict::Accepted
            }
            Err(error) => refused(error),
        }
    }

    /// A message for each method and each answer, found by trying what could be sound.
    fn samples(&self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for (at, method) in self.methods.iter().enumerate() {
            for (selector, tag) in [(0, (self.tag)(method.number)), (1 + at as u8, 0)] {
                let side = if selector == 0 { "request" } else { "answer" };
                let sound = candidates(tag).into_iter().map(|message| bytes(selector, &message));
                let sound = sound.filter(|input| self.read(input) == Verdict::Accepted);
                let named = |(at, input)| Sample::accepted(&format!("{}-{side}-{at}.bin", method.name), input);
                samples.extend(sound.take(2).enumerate().map(named));
                let long = texts(tag).into_iter().map(|message| bytes(selector, &message));
                let mut long = long.filter(|input| self.read(input) == Verdict::Refused("ETOOLONG"));
                let named = |input| Sample::refused("ETOOLONG", &format!("{}-{side}.bin", method.name), input);
                samples.extend(long.next().map(named));
            }
        }
        samples
    }
}

/// Messages with this word 0 and a text that is one byte too long for a name, its length in one of the words.
fn texts(tag: u64) -> Vec<Message> {
    let long = vec![b'a'; nexus_abi::identity::MAX_NAME + 1];
    let with = |at: usize| {
        let mut message = Message { payload: long.clone(), ..Message::tagged(tag) };
        message.words[at] = long.len() as u64;
        message
    };
    (1..WORDS).map(with).collect()
}

/// Messages with this word 0: no handle, some, and bytes whose length stands in one of the words.
fn candidates(tag: u64) -> Vec<Message> {
    let mut all = Vec::new();
    for handles in 0..HANDLES {
        for length_at in 0..WORDS {
            let mut message = Message::tagged(tag);
            for at in 0..handles {
                let handle = Handle::from_raw(100 + u64::from(at)).expect("it is not 0");
                message.handles.push(handle).expect("there is room for seven");
            }
            if length_at > 0 {
                message.words[length_at] = 4;
                message.payload = b"abc\0".to_vec();
            }
            all.push(message);
        }
    }
    all
}

/// The harness of each interface, and the errors that it has beside those of all.
macro_rules! interfaces {
    ($($parser:ident $name:literal $interface:ident [$($error:literal)*];)*) => {$(
        /// Requests and answers of the interface.
        pub(super) const $parser: Parser = {
            const HARNESS: Interface = Interface {
                methods: $interface::METHODS,
                dispatch: $interface::dispatch::<Probe>,
                answers: $interface::ANSWERS,
                tag: |number| nexus_ipc::interface::tag($interface::NAME, number),
            };
            Parser {
                name: $name,
                read: |input| HARNESS.read(input),
                errors: &["short", "EPROTO", "refusal", "ENOSYS", "EMALFORMED", "EINVAL", $($error,)*],
                mend: Some(mend),
                samples: || HARNESS.samples(),
                ..PLAIN
            }
        };
    )*};
}

interfaces! {
    CONSOLE "message-console" console ["EBADHANDLE" "ETOOLONG"];
    EXEC "message-exec" exec ["EBADHANDLE" "ETOOLONG"];
    LOGS "message-logs" logs ["EBADHANDLE" "ETOOLONG"];
    POLICY "message-policy" policy [];
    STREAM "message-stream" stream ["ETOOLONG"];
    SUPERVISOR "message-supervisor" supervisor ["ETOOLONG"];
    TIMER "message-timer" timer ["EBADHANDLE"];
}

/// One-way messages between programs and init.
pub(super) const NOTICE: Parser = Parser {
    name: "message-notice",
    read: notice,
    errors: &["short", "ENOSYS", "EINVAL"],
    mend: Some(mend),
    samples: || {
        let (nonce, inbox) = (7, Handle::from_raw(100).expect("it is not 0"));
        let interface = Name::new("exec").expect("short");
        let notices = [
            ("probe", Notice::Probe { nonce }),
            ("up", Notice::Up { nonce }),
            ("route", Notice::Route { nonce, interface, inbox }),
            ("routed", Notice::Routed { nonce, result: Ok(inbox) }),
            ("unrouted", Notice::Routed { nonce, result: Err(Error::NotFound) }),
        ];
        notices
            .iter()
            .map(|(name, notice)| Sample::accepted(&format!("{name}.bin"), bytes(0, &notice.to_message())))
            .collect()
    },
    ..PLAIN
};

fn notice(input: &[u8]) -> Verdict {
    let Some((_, message)) = message(input) else { return Verdict::Refused("short") };
    match Notice::from_message(&message) {
        Ok(notice) => {
            assert_eq!(Notice::from_message(&notice.to_message()), Ok(notice), "sent on it means the same");
            Verdict::Accepted
        }
        Err(error) => refused(error),
    }
}
