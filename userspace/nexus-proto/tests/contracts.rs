//! The contract functions against reference services in process, and against broken twins, which they must catch.

use nexus_abi::{Error, ProcessId, ServiceId};
use nexus_ipc::interface::{Answer, Beside};
use nexus_ipc::wire::{Reader, Wire, Writer};
use nexus_ipc::{Answered, Call, Caller, Local, Message, NoAnswer, Outcome, Port, Serve, Ticket};
use nexus_proto::contract::{self, Broken};
use nexus_proto::stream::{self, Chunk, Closed, Written};

/// A bounded buffer with a reader and a writer at its ends.
#[derive(Default)]
struct Pipe {
    bytes: Vec<u8>,
    closed: bool,
    reader: Option<(Ticket<Chunk>, usize)>,
    flaw: Flaw,
}

#[derive(Default, PartialEq)]
enum Flaw {
    #[default]
    None,
    Reorders,
    Repeats,
    NeverEnds,
    TakesAfterEnd,
}

impl Pipe {
    fn take(&mut self, most: usize) -> Vec<u8> {
        let most = most.min(self.bytes.len());
        if self.flaw == Flaw::Repeats { self.bytes[..most].to_vec() } else { self.bytes.drain(..most).collect() }
    }

    fn feed_reader(&mut self, port: &mut dyn Port) -> Result<(), Error> {
        match self.reader.take() {
            Some((ticket, most)) => {
                let data = self.take(most);
                ticket.answer(port, Ok(Chunk { data }))
            }
            None => Ok(()),
        }
    }
}

impl stream::Stream for Pipe {
    fn read(&mut self, call: &mut Call<'_>, most: u32) -> Outcome<Chunk> {
        let most = most as usize;
        if most == 0 {
            return Err(Error::Invalid.into());
        }
        if self.bytes.is_empty() && (!self.closed || self.flaw == Flaw::NeverEnds) {
            let (ticket, deferred) = call.defer()?;
            self.reader = Some((ticket, most));
            return Err(deferred.into());
        }
        Ok(Chunk { data: self.take(most) })
    }

    fn write(&mut self, call: &mut Call<'_>, data: &[u8]) -> Outcome<Written> {
        if self.closed && self.flaw != Flaw::TakesAfterEnd {
            return Err(Error::PeerClosed.into());
        }
        let taken = data.len().min(77);
        self.bytes.extend(&data[..taken]);
        if self.flaw == Flaw::Reorders {
            self.bytes.reverse();
        }
        self.feed_reader(call.port)?;
        Ok(Written { length: taken as u32 })
    }

    fn close(&mut self, call: &mut Call<'_>) -> Outcome<Closed> {
        self.closed = true;
        self.feed_reader(call.port)?;
        Ok(Closed {})
    }
}

impl Serve for Pipe {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        stream::dispatch(self, call, request)
    }
}

fn caller(name: &str) -> Caller {
    Caller { service: ServiceId::program(name), process: ProcessId(7), badge: 0, trace: 0 }
}

fn check(flaw: Flaw) -> Result<(), Broken> {
    let pipe = Local::new(Pipe { flaw, ..Pipe::default() });
    contract::stream(pipe.connect(caller("app/writer")), pipe.connect(caller("app/reader")))
}

#[test]
fn a_pipe_keeps_the_stream_contract() {
    assert_eq!(check(Flaw::None), Ok(()));
}

#[test]
fn the_stream_contract_catches_each_broken_pipe() {
    assert_eq!(check(Flaw::Reorders), Err(Broken("bytes arrive once and in order")));
    assert_eq!(check(Flaw::Repeats), Err(Broken("bytes arrive once and in order")));
    assert_eq!(check(Flaw::NeverEnds), Err(Broken("after a close comes the end")));
    assert_eq!(check(Flaw::TakesAfterEnd), Err(Broken("a write after the end is EPEERCLOSED")));
}

#[test]
fn a_waiting_reader_is_answered_by_the_writer() {
    let pipe = Local::new(Pipe::default());
    let mut reader = stream::Client::new(pipe.connect(caller("app/reader")));

    let alone = reader.until(nexus_abi::Deadline(1000)).read(10);

    assert_eq!(alone.err(), Some(Error::TimedOut));
    assert!(pipe.service().reader.is_some());
    let mut writer = stream::Client::new(pipe.connect(caller("app/writer")));
    let refused = writer.write(b"late").err();
    assert_eq!(refused, Some(Error::PeerClosed), "the reader has given up, and the pipe is told");
}

#[test]
fn a_service_that_answers_nonsense_is_a_protocol_error() {
    struct Nonsense;
    impl Answer for Nonsense {
        const BESIDE: Beside = Beside::Never;
        fn write(&self, to: &mut Writer<'_>) -> Result<(), Error> {
            (0..7).try_for_each(|_| u64::put(1, to))
        }
        fn read(_: Reader<'_>) -> Result<Nonsense, Error> {
            Ok(Nonsense)
        }
    }
    struct Liar;
    impl Serve for Liar {
        fn call(&mut self, call: &mut Call<'_>, _: &Message) -> Outcome<Answered> {
            call.answer(&Nonsense)
        }
    }
    let liar = Local::new(Liar);
    let mut client = stream::Client::new(liar.connect(caller("app/victim")));

    assert_eq!(client.close().err(), Some(Error::Protocol));
    assert_eq!(client.write(b"x").err(), Some(Error::Protocol));
    assert!(matches!(NoAnswer::from(Error::Protocol), NoAnswer::Refused(_)));
}
