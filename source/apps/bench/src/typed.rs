//! A call of an interface, as services make and serve it: declared, checked, dispatched by the one receive loop.

use crate::partner;
use crate::row::{Row, SAMPLES};
use nexus_abi::syscall::Derive;
use nexus_abi::{Error, Handle, Rights};
use nexus_ipc::{Call, Message, Outcome, Serve, interface};
use nexus_rt::{Channel, kernel::invoke, sys::retired};

interface! {
    /// What the bench asks.
    "bench" Counter {
        /// Adds the cost of the call before, and says how many there were.
        1 add again { cost: u64 } -> Added { calls: u64 };
        /// What both will have from then on.
        2 share once {} -> Shared { memory: Handle, notification: Handle };
    }
}

/// Counted calls: one more than samples, to tell the last one's cost.
const CALLS: u64 = 2 * SAMPLES as u64 + 1;

struct Counting {
    row: Row,
    calls: u64,
    shared: Option<Shared>,
}

impl Counter for Counting {
    fn add(&mut self, _: &mut Call<'_>, cost: u64) -> Outcome<Added> {
        self.row.add(cost);
        self.calls += 1;
        Ok(Added { calls: self.calls })
    }

    fn share(&mut self, _: &mut Call<'_>) -> Outcome<Shared> {
        Ok(self.shared.take().ok_or(Error::State)?)
    }
}

impl Serve for Counting {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Message> {
        dispatch(self, call, request)
    }
}

/// The client's half: counted calls, then one for what both will have.
pub(crate) fn call(client: &partner::Client) -> Result<Shared, Error> {
    let mut counter = Client::new(Channel::new(client.server));
    let mut cost = 0;
    for number in 1..=CALLS {
        let before = retired();
        let added = counter.add(cost)?;
        cost = retired() - before - 1;
        if added.calls != number {
            return Err(Error::Protocol);
        }
    }
    counter.share()
}

/// The server's half.
pub(crate) fn serve(server: &partner::Server) -> Result<(), Error> {
    // The first call has no cost to tell.
    let row = Row::warmed_by("one typed client call", SAMPLES + 1);
    let lent = |source| Ok::<_, Error>(invoke(Derive { source, rights: Rights::ALL, badge: 0 })?.handle);
    let shared = Shared { memory: lent(server.memory)?, notification: lent(server.notification)? };
    let mut counting = Counting { row, calls: 0, shared: Some(shared) };
    nexus_rt::Server::over(server.endpoint).serve_until(&mut counting, |counting| counting.shared.is_none())?;
    counting.row.print();
    Ok(())
}
