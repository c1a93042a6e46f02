//! The streams between programs of one line: `run a | b`.
//!
//! The shell serves both ends of each pipe itself, told apart by the badge of the handle. A pipe holds a bounded number of
//! bytes; who reads from an empty one or writes to a full one is answered later. The session closes the ends of programs
//! that ended, so that the others see it.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use nexus_abi::Error;
use nexus_ipc::{Call, Message, Outcome, Port, Serve, Ticket};
use nexus_proto::stream::{self, CHUNK, Chunk, Closed, Stream, Written};

/// Bytes that a pipe holds.
const HELD: usize = 4096;
/// Pipes at a time.
const PIPES: usize = 8;

/// The end of a pipe that a handle is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// Bytes come out here.
    Read,
    /// Bytes go in here.
    Write,
}

/// The badge of one end of the pipe with this number. Numbers begin at 1 and only grow.
pub(crate) fn badge(pipe: u64, end: End) -> u64 {
    pipe << 1 | u64::from(end == End::Write)
}

struct Pipe {
    number: u64,
    data: VecDeque<u8>,
    reader: Option<()>,
    writer: Option<()>,
    reading: Option<(Ticket<Chunk>, usize)>,
    writing: Option<(Ticket<Written>, Vec<u8>)>,
}

/// All pipes. One is opened by the first request to its number.
#[derive(Default)]
pub(crate) struct Pipes {
    pipes: Vec<Pipe>,
    newest: u64,
}

impl Pipes {
    /// The pipe of the caller, if it is the end that it asks for. None: it is closed.
    fn pipe(&mut self, call: &Call<'_>, end: End) -> Result<Option<&mut Pipe>, Error> {
        let number = call.caller.badge >> 1;
        if number == 0 || call.caller.badge != badge(number, end) {
            return Err(Error::Permission);
        }
        if number > self.newest {
            if self.pipes.len() == PIPES {
                return Err(Error::OverLimit);
            }
            self.newest = number;
            let (reader, writer) = (Some(()), Some(()));
            self.pipes.push(Pipe { number, data: VecDeque::new(), reader, writer, reading: None, writing: None });
        }
        Ok(self.pipes.iter_mut().find(|pipe| pipe.number == number))
    }
}

impl Pipe {
    fn take(&mut self, most: usize) -> Vec<u8> {
        let count = most.min(self.data.len());
        self.data.drain(..count).collect()
    }

    fn put(&mut self, data: &[u8]) -> usize {
        let taken = data.len().min(HELD - self.data.len());
        self.data.extend(&data[..taken]);
        taken
    }

    /// Answers whoever can be answered now.
    fn settle(&mut self, port: &mut dyn Port) {
        if let Some((ticket, data)) = self.writing.take() {
            let length = self.put(&data);
            match (self.reader, length) {
                // A writer that is gone needs no answer.
                (None, _) => _ = ticket.answer(port, Err(Error::PeerClosed)),
                (Some(()), 0) => self.writing = Some((ticket, data)),
                (Some(()), length) => _ = ticket.answer(port, Ok(Written { length: length as u32 })),
            }
        }
        if let Some((ticket, most)) = self.reading.take() {
            if self.data.is_empty() && self.writer.is_some() {
                self.reading = Some((ticket, most));
                return;
            }
            let data = self.take(most);
            if ticket.answer(port, Ok(Chunk { data: data.clone() })).is_err() {
                data.into_iter().rev().for_each(|byte| self.data.push_front(byte));
            }
        }
    }
}

impl Stream for Pipes {
    fn read(&mut self, call: &mut Call<'_>, most: u32) -> Outcome<Chunk> {
        if most == 0 {
            return Err(Error::Invalid.into());
        }
        let most = (most as usize).min(CHUNK);
        let Some(pipe) = self.pipe(call, End::Read)? else { return Ok(Chunk { data: Vec::new() }) };
        if pipe.reading.is_some() {
            return Err(Error::Again.into());
        }
        let data = pipe.take(most);
        if !data.is_empty() || pipe.writer.is_none() {
            pipe.settle(call.port);
            return Ok(Chunk { data });
        }
        let (ticket, deferred) = call.defer()?;
        pipe.reading = Some((ticket, most));
        Err(deferred.into())
    }

    fn write(&mut self, call: &mut Call<'_>, data: &[u8]) -> Outcome<Written> {
        let Some(pipe) = self.pipe(call, End::Write)? else { return Err(Error::PeerClosed.into()) };
        if pipe.reader.is_none() || pipe.writer.is_none() {
            return Err(Error::PeerClosed.into());
        }
        if pipe.writing.is_some() {
            return Err(Error::Again.into());
        }
        let length = pipe.put(data);
        if length > 0 || data.is_empty() {
            pipe.settle(call.port);
            return Ok(Written { length: length as u32 });
        }
        let (ticket, deferred) = call.defer()?;
        pipe.writing = Some((ticket, data.to_vec()));
        Err(deferred.into())
    }

    fn close(&mut self, call: &mut Call<'_>) -> Outcome<Closed> {
        let end = if call.caller.badge & 1 == 1 { End::Write } else { End::Read };
        if let Some(pipe) = self.pipe(call, end)? {
            match end {
                End::Read => pipe.reader = None,
                End::Write => pipe.writer = None,
            }
            pipe.settle(call.port);
        }
        self.pipes.retain(|pipe| pipe.reader.is_some() || pipe.writer.is_some());
        Ok(Closed {})
    }
}

impl Serve for Pipes {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Message> {
        stream::dispatch(self, call, request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nexus_abi::{ProcessId, ServiceId};
    use nexus_ipc::{Caller, Local, local::LocalTransport};
    use nexus_proto::stream::Client;

    type Link = LocalTransport<Pipes>;

    fn link(local: &Local<Pipes>, badge: u64) -> Link {
        let service = ServiceId::program("app/test");
        local.connect(Caller { service, process: ProcessId(1), badge, trace: 0 })
    }

    fn pipe() -> (Local<Pipes>, Client<Link>, Client<Link>) {
        let local = Local::new(Pipes::default());
        let (read, write) = (link(&local, badge(1, End::Read)), link(&local, badge(1, End::Write)));
        (local, Client::new(read), Client::new(write))
    }

    #[test]
    fn the_interface_s_contract_holds() {
        let local = Local::new(Pipes::default());
        let (read, write) = (link(&local, badge(1, End::Read)), link(&local, badge(1, End::Write)));
        assert_eq!(nexus_proto::contract::stream(write, read), Ok(()));
    }

    #[test]
    fn each_end_does_its_own_only_and_without_a_badge_nothing() {
        let (local, mut read, mut write) = pipe();
        assert_eq!(read.write(b"x").err(), Some(Error::Permission));
        assert_eq!(write.read(1).err(), Some(Error::Permission));
        let mut stranger = Client::new(link(&local, 0));
        assert_eq!(stranger.read(1).err(), Some(Error::Permission));
        assert_eq!(stranger.write(b"x").err(), Some(Error::Permission));
        assert_eq!(stranger.close().err(), Some(Error::Permission));
    }

    #[test]
    fn a_pipe_is_bounded_and_its_writer_waits() {
        let (_local, mut read, mut write) = pipe();
        assert_eq!(write.write(&[b'x'; 4032]).unwrap().length, 4032);
        assert_eq!(write.write(&[b'y'; 100]).unwrap().length, 64);
        assert_eq!(write.write(b"z").err(), Some(Error::TimedOut));
        assert_eq!(write.write(b"z").err(), Some(Error::Again));
        assert_eq!(read.read(4032).unwrap().data.len(), 4032);
        assert_eq!(read.read(4032).unwrap().data, [[b'y'; 64].as_slice(), b"z"].concat());
    }

    #[test]
    fn a_reader_that_is_gone_ends_its_writer_and_the_other_way_round() {
        let (local, mut read, mut write) = pipe();
        write.write(b"left").unwrap();
        write.close().unwrap();
        assert_eq!(read.read(9).unwrap().data, b"left");
        assert_eq!(read.read(9).unwrap().data, b"");
        read.close().unwrap();
        assert!(local.service().pipes.is_empty());
        assert_eq!((read.read(9).unwrap().data, write.write(b"x").err()), (vec![], Some(Error::PeerClosed)));
        let (_local, mut read, mut write) = pipe();
        write.write(b"x").unwrap();
        read.close().unwrap();
        assert_eq!(write.write(b"x").err(), Some(Error::PeerClosed));
    }

    #[test]
    fn pipes_are_bounded_in_number_and_a_closed_one_makes_room() {
        let local = Local::new(Pipes::default());
        let client = |number, end| Client::new(link(&local, badge(number, end)));
        (1..=PIPES as u64).for_each(|number| assert!(client(number, End::Write).write(b"").is_ok()));
        let further = PIPES as u64 + 1;
        assert_eq!(client(further, End::Write).write(b"").err(), Some(Error::OverLimit));
        client(3, End::Write).close().unwrap();
        client(3, End::Read).close().unwrap();
        assert!(client(further, End::Write).write(b"x").is_ok());
        assert_eq!(client(3, End::Read).read(1).unwrap().data, b"");
    }
}
