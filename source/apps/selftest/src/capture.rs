//! A stream that keeps what a program writes, and who wrote it.

use alloc::vec::Vec;
use core::time::Duration;
use nexus_abi::syscall::{Close, Derive, EndpointCreate};
use nexus_abi::{Deadline, Error, Handle, Rights};
use nexus_ipc::{Answered, Call, Caller, Message, Outcome, Serve};
use nexus_proto::stream::{self, Chunk, Closed, Stream, Written};
use nexus_rt::{Server, kernel::invoke, time::deadline_in};

/// How long a program may take to say something.
const PATIENCE: Duration = Duration::from_secs(2);

/// What was written, by whom.
#[derive(Debug)]
pub(crate) struct Capture {
    endpoint: Handle,
    wanted: usize,
    late: bool,
    deadline: Deadline,
    /// The bytes, in order.
    pub(crate) bytes: Vec<u8>,
    /// The kernel's record of the last writer.
    pub(crate) writer: Option<Caller>,
}

impl Capture {
    /// An empty one, on an endpoint of its own.
    pub(crate) fn open() -> Result<Capture, Error> {
        let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
        let deadline = Deadline::NEVER;
        Ok(Capture { endpoint, wanted: 0, late: false, deadline, bytes: Vec::new(), writer: None })
    }

    /// A handle for the program that is to write here.
    pub(crate) fn handle(&self) -> Result<Handle, Error> {
        let rights = Rights::USE.union(Rights::TRANSFER);
        Ok(invoke(Derive { source: self.endpoint, rights, badge: 0 })?.handle)
    }

    /// Serves until `wanted` bytes are there. `ETIMEDOUT`: they did not come.
    pub(crate) fn collect(&mut self, wanted: usize) -> Result<(), Error> {
        self.wanted = wanted;
        self.deadline = deadline_in(PATIENCE);
        Server::over(self.endpoint)
            .serve_until(self, |capture| capture.late || capture.bytes.len() >= capture.wanted)?;
        if self.late { Err(Error::TimedOut) } else { Ok(()) }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Whoever still writes here hears that nobody reads.
        let _ = invoke(Close { handle: self.endpoint });
    }
}

impl Stream for Capture {
    fn read(&mut self, _: &mut Call<'_>, _: u32) -> Outcome<Chunk> {
        Err(Error::Permission.into())
    }

    fn write(&mut self, call: &mut Call<'_>, data: &[u8]) -> Outcome<Written> {
        self.bytes.extend_from_slice(data);
        self.writer = Some(call.caller);
        Ok(Written { length: data.len() as u32 })
    }

    fn close(&mut self, _: &mut Call<'_>) -> Outcome<Closed> {
        Ok(Closed {})
    }
}

impl Serve for Capture {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        stream::dispatch(self, call, request)
    }

    fn deadline(&self) -> Deadline {
        self.deadline
    }

    fn expired(&mut self, _: &mut dyn nexus_ipc::Port) {
        self.late = true;
    }
}
