//! Pipes between programs, in process: the stream contract, waiting at both ends, endings, stale handles.

use nexus_abi::{Deadline, Error, ProcessId, ServiceId};
use nexus_ipc::local::LocalTransport;
use nexus_ipc::{Caller, Local, Signal};
use nexus_proto::pipe::{CAPACITY, End, Opened, PIPES, Pipes};
use nexus_proto::{contract, stream};

fn transport(local: &Local<Pipes>, badge: u64) -> LocalTransport<Pipes> {
    local.connect(Caller { service: ServiceId::program("app/a"), process: ProcessId(1), badge, trace: 0 })
}

fn end(local: &Local<Pipes>, pipe: &Opened, end: End) -> stream::Client<LocalTransport<Pipes>> {
    stream::Client::new(transport(local, pipe.badge(end)))
}

fn setup() -> (Local<Pipes>, Opened) {
    let local = Local::new(Pipes::default());
    let pipe = local.service_mut().open().expect("the first");
    (local, pipe)
}

fn ended(local: &Local<Pipes>, pipe: &Opened, end: End) {
    local.signal(Signal { bits: pipe.ended(end), key: 0 });
}

#[test]
fn a_pipe_keeps_the_stream_contract() {
    let (local, pipe) = setup();
    let ends = [End::Writer, End::Reader].map(|end| transport(&local, pipe.badge(end)));
    let [writer, reader] = ends;
    assert_eq!(contract::stream(writer, reader), Ok(()));
}

#[test]
fn each_end_goes_one_way_only() {
    let (local, pipe) = setup();
    assert_eq!(end(&local, &pipe, End::Writer).read(1).err(), Some(Error::Permission));
    assert_eq!(end(&local, &pipe, End::Reader).write(b"x").err(), Some(Error::Permission));
}

#[test]
fn a_full_pipe_makes_its_writer_wait_and_a_reader_lets_it_go_on() {
    let (local, pipe) = setup();
    let (mut writer, mut reader) = (end(&local, &pipe, End::Writer), end(&local, &pipe, End::Reader));
    assert_eq!(writer.write(&[1; 4000]).map(|written| written.length), Ok(4000));
    assert_eq!(writer.write(&[2; 4000]).map(|written| written.length), Ok((CAPACITY - 4000) as u32));
    assert_eq!(writer.until(Deadline(5)).write(b"third").err(), Some(Error::TimedOut));
    assert_eq!(writer.write(b"fourth").err(), Some(Error::Again), "one waits already");

    assert_eq!(reader.read(u32::MAX).map(|chunk| chunk.data.len()), Ok(stream::CHUNK), "as much as a message holds");

    let rest = reader.read(u32::MAX).expect("more").data;
    assert_eq!(rest.len(), CAPACITY - stream::CHUNK + 5);
    assert!(rest.ends_with(b"third"), "taken for who had waited");
}

#[test]
fn the_end_of_the_writer_is_the_end_of_the_stream_however_it_ended() {
    let (local, pipe) = setup();
    end(&local, &pipe, End::Writer).write(b"last").expect("room");
    ended(&local, &pipe, End::Writer);
    let mut reader = end(&local, &pipe, End::Reader);
    assert_eq!(reader.read(10).map(|chunk| chunk.data), Ok(b"last".to_vec()));
    assert_eq!(reader.read(10).map(|chunk| chunk.data), Ok(vec![]));
}

#[test]
fn the_end_of_the_reader_breaks_the_pipe_for_the_writer() {
    let (local, pipe) = setup();
    ended(&local, &pipe, End::Reader);
    assert_eq!(end(&local, &pipe, End::Writer).write(b"x").err(), Some(Error::PeerClosed));
}

#[test]
fn a_pipe_is_given_back_when_both_ended_and_old_handles_reach_nothing() {
    let (local, pipe) = setup();
    for _ in 1..PIPES {
        local.service_mut().open().expect("as many as there are");
    }
    assert_eq!(local.service_mut().open().err(), Some(Error::OverLimit));
    ended(&local, &pipe, End::Writer);
    assert_eq!(local.service_mut().open().err(), Some(Error::OverLimit), "the reader may still come");
    ended(&local, &pipe, End::Reader);

    let next = local.service_mut().open().expect("given back");

    assert_eq!(end(&local, &pipe, End::Writer).write(b"x").err(), Some(Error::PeerClosed));
    assert_eq!(end(&local, &pipe, End::Reader).read(1).err(), Some(Error::PeerClosed));
    assert_eq!(end(&local, &next, End::Writer).write(b"y").map(|written| written.length), Ok(1));
    assert_eq!(transport(&local, u64::MAX).clone().pipe_of_nobody(), Some(Error::PeerClosed));
}

trait Nobody {
    fn pipe_of_nobody(self) -> Option<Error>;
}

impl Nobody for LocalTransport<Pipes> {
    fn pipe_of_nobody(self) -> Option<Error> {
        stream::Client::new(self).read(1).err()
    }
}
