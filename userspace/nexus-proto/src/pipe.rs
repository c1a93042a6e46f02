//! Pipes: streams from one program to the next, served by whoever joins them.
//!
//! A fixed number of bounded buffers behind one endpoint. Which pipe and which end a caller holds is in the badge of its
//! handle, with a generation, so that a handle which outlives its pipe reaches no later one. A pipe is given back when
//! both programs at its ends have ended, however they ended.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use nexus_abi::Error;
use nexus_ipc::{Answered, Call, Caller, Message, Outcome, Port, Serve, Signal, Ticket};

use crate::stream::{self, CHUNK, Chunk, Closed, Stream, Written};

/// Pipes that can be open at once.
pub const PIPES: usize = 8;
/// Bytes that a pipe holds before its writer waits.
pub const CAPACITY: usize = 4096;

/// One end of a pipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where bytes go in.
    Writer = 0,
    /// Where they come out.
    Reader = 1,
}

/// A pipe that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opened {
    place: usize,
    generation: u64,
}

impl Opened {
    /// The badge that a handle to this end must have.
    pub fn badge(&self, end: End) -> u64 {
        self.generation << 8 | (self.place as u64) << 1 | end as u64
    }

    /// The signal that says: the program at this end has ended.
    pub fn ended(&self, end: End) -> u64 {
        1 << (2 * self.place + end as usize)
    }
}

/// One pipe.
#[derive(Debug, Default)]
struct Pipe {
    generation: u64,
    bytes: VecDeque<u8>,
    /// By [`End`]: the program there may still come.
    held: [bool; 2],
    /// Nothing more will be written.
    finished: bool,
    /// Nobody will read any more.
    broken: bool,
    reader: Option<(Ticket<Chunk>, usize)>,
    writer: Option<(Ticket<Written>, Vec<u8>)>,
}

/// All pipes of one endpoint.
#[derive(Debug, Default)]
pub struct Pipes {
    pipes: [Pipe; PIPES],
}

impl Pipes {
    /// Opens a pipe. `EOVERLIMIT`: all are in use.
    pub fn open(&mut self) -> Result<Opened, Error> {
        let free = |pipe: &Pipe| pipe.held == [false; 2];
        let place = self.pipes.iter().position(free).ok_or(Error::OverLimit)?;
        let generation = self.pipes[place].generation + 1;
        self.pipes[place] = Pipe { generation, held: [true; 2], ..Pipe::default() };
        Ok(Opened { place, generation })
    }

    fn pipe(&mut self, caller: &Caller, end: End) -> Result<&mut Pipe, Error> {
        let (place, generation) = ((caller.badge >> 1) as usize & 0x7f, caller.badge >> 8);
        if caller.badge & 1 != end as u64 {
            return Err(Error::Permission);
        }
        self.pipes.get_mut(place).filter(|pipe| pipe.generation == generation).ok_or(Error::PeerClosed)
    }
}

impl Pipe {
    fn put(&mut self, data: &[u8]) -> usize {
        let taken = data.len().min(CAPACITY - self.bytes.len());
        self.bytes.extend(&data[..taken]);
        taken
    }

    fn take(&mut self, most: usize) -> Vec<u8> {
        self.bytes.drain(..most.min(self.bytes.len())).collect()
    }

    /// Answers who waits and need not any more. An answer that nobody hears is lost with its program.
    fn flow(&mut self, port: &mut dyn Port) {
        if self.broken
            && let Some((ticket, _)) = self.writer.take()
        {
            let _ = ticket.answer(port, Err(Error::PeerClosed));
        }
        if let Some((ticket, most)) = self.reader.take_if(|_| !self.bytes.is_empty() || self.finished) {
            let data = self.take(most);
            let _ = ticket.answer(port, Ok(Chunk { data }));
        }
        if let Some((ticket, data)) = self.writer.take_if(|_| self.bytes.len() < CAPACITY) {
            let length = self.put(&data) as u32;
            let _ = ticket.answer(port, Ok(Written { length }));
            self.flow(port);
        }
    }

    fn close(&mut self, end: End) {
        match end {
            End::Writer => self.finished = true,
            End::Reader => self.broken = true,
        }
    }
}

impl Stream for Pipes {
    fn read(&mut self, call: &mut Call<'_>, most: u32) -> Outcome<Chunk> {
        let pipe = self.pipe(&call.caller, End::Reader)?;
        let most = (most as usize).min(CHUNK);
        if most == 0 {
            return Err(Error::Invalid.into());
        }
        if pipe.bytes.is_empty() && !pipe.finished {
            if pipe.reader.is_some() {
                return Err(Error::Again.into());
            }
            let (ticket, deferred) = call.defer()?;
            pipe.reader = Some((ticket, most));
            return Err(deferred.into());
        }
        let data = pipe.take(most);
        pipe.flow(call.port);
        Ok(Chunk { data })
    }

    fn write(&mut self, call: &mut Call<'_>, data: &[u8]) -> Outcome<Written> {
        let pipe = self.pipe(&call.caller, End::Writer)?;
        if pipe.broken || pipe.finished {
            return Err(Error::PeerClosed.into());
        }
        if data.is_empty() {
            return Err(Error::Invalid.into());
        }
        if pipe.bytes.len() == CAPACITY {
            if pipe.writer.is_some() {
                return Err(Error::Again.into());
            }
            let (ticket, deferred) = call.defer()?;
            pipe.writer = Some((ticket, data.into()));
            return Err(deferred.into());
        }
        let length = pipe.put(data) as u32;
        pipe.flow(call.port);
        Ok(Written { length })
    }

    fn close(&mut self, call: &mut Call<'_>) -> Outcome<Closed> {
        let end = if call.caller.badge & 1 == 0 { End::Writer } else { End::Reader };
        let pipe = self.pipe(&call.caller, end)?;
        pipe.close(end);
        pipe.flow(call.port);
        Ok(Closed {})
    }
}

impl Serve for Pipes {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        stream::dispatch(self, call, request)
    }

    /// Bits of [`Opened::ended`].
    fn signal(&mut self, port: &mut dyn Port, signal: Signal) {
        for (place, pipe) in self.pipes.iter_mut().enumerate() {
            for end in [End::Writer, End::Reader] {
                if signal.bits >> (2 * place + end as usize) & 1 != 0 {
                    pipe.held[end as usize] = false;
                    pipe.close(end);
                    pipe.flow(port);
                }
            }
        }
    }
}
