//! The two programs of the bench, and what both hold: an endpoint, shared memory, a notification.

use nexus_abi::syscall::{Derive, EndpointCreate, MemoryCreate, MemoryGrow, NotificationCreate, Syscall, ipc};
use nexus_abi::{Deadline, Error, Handle, ProcessId, Rights};
use nexus_proto::exec;
use nexus_rt::sys::{Arrival, Counted, Departure, counted, message};
use nexus_rt::{Channel, env, kernel::invoke};

/// Pages of the shared memory: 64 KiB.
pub(crate) const SHARED_PAGES: u64 = 16;

/// The program that answers.
pub(crate) struct Server {
    /// Where the calls arrive.
    pub(crate) endpoint: Handle,
    /// Memory that the client has too.
    pub(crate) memory: Handle,
    /// What the client signals.
    pub(crate) notification: Handle,
    /// The client's process.
    pub(crate) process: ProcessId,
    programs: exec::Client<Channel>,
}

/// The program that calls.
pub(crate) struct Client {
    /// The server.
    pub(crate) server: Handle,
}

impl Server {
    /// Makes what both will hold, and starts the client with it, to play this part.
    pub(crate) fn with_client(part: &str) -> Result<Server, Error> {
        let server = Server::bare(&[part])?;
        invoke(MemoryGrow { memory: server.memory, pages: SHARED_PAGES })?;
        Ok(server)
    }

    /// The same with memory that has no pages yet.
    pub(crate) fn bare(words: &[&str]) -> Result<Server, Error> {
        let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
        let notification = invoke(NotificationCreate { process: None })?.notification;
        let memory = invoke(MemoryCreate { process: None, pages: SHARED_PAGES })?.memory;
        let caller = invoke(Derive { source: endpoint, rights: Rights::USE.union(Rights::TRANSFER), badge: 0 })?.handle;
        let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
        let started = programs.start("bench", &exec::pack(words.iter().copied())?, Some(caller), None, None)?;
        Ok(Server { endpoint, memory, notification, programs, process: started.process })
    }

    /// The next call.
    pub(crate) fn receive(&self) -> Result<Counted, Error> {
        exchange(&plain(ipc::RECV, self.endpoint, [0; 8]))
    }

    /// Waits for the client's end.
    pub(crate) fn see_off(mut self) -> Result<(), Error> {
        self.programs.wait(self.process).map(drop)
    }
}

impl Client {
    /// What the server gave, under the name that it could give it.
    pub(crate) fn of_start_page() -> Result<Client, Error> {
        Ok(Client { server: env::handle("stdin")? })
    }

    /// Calls the server with these words, for ever.
    pub(crate) fn call(&self, words: [u64; 8]) -> Result<Counted, Error> {
        exchange(&plain(ipc::CALL, self.server, words))
    }
}

/// A message of words alone, without a deadline.
pub(crate) fn plain(number: u64, target: Handle, words: [u64; 8]) -> Departure {
    Departure { number, target: target.raw(), deadline: Deadline::NEVER.0, extent: 0, words }
}

/// A message call, counted. A refusal ends the program: a row of refusals would count nothing.
pub(crate) fn exchange(out: &Departure) -> Result<Counted, Error> {
    let done = counted(out);
    done.arrival.status.error().map_or(Ok(done), Err)
}

/// A message call without readings, as programs make it.
#[inline(always)]
pub(crate) fn pass(out: &Departure) -> Result<Arrival, Error> {
    let arrival = message(out);
    arrival.status.error().map_or(Ok(arrival), Err)
}

/// Answers the open link and goes on.
pub(crate) fn answer(words: [u64; 8]) -> Result<(), Error> {
    exchange(&Departure { number: ipc::REPLY, target: 0, deadline: 0, extent: 0, words }).map(drop)
}

/// A typed call, counted, likewise.
pub(crate) fn step<S: Syscall>(call: S) -> Result<Counted, Error> {
    let mut words = [0; 8];
    let target = call.encode(&mut |at, word| words[at] = word);
    exchange(&Departure { number: S::NUMBER, target, deadline: 0, extent: 0, words })
}
