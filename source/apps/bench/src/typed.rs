//! A call of an interface, as services make and serve it: declared, checked, dispatched by the one receive loop.

use crate::partner;
use crate::row::{Row, SAMPLES};
use nexus_abi::syscall::Derive;
use nexus_abi::{Error, Handle, Rights};
use nexus_ipc::{Answered, Call, Message, Outcome, Serve, interface};
use nexus_rt::{Channel, kernel::invoke, sys::retired};

interface! {
    /// What the bench asks.
    "bench" Counter {
        /// Adds, and says how many were added.
        1 add again { step: u64 } -> Added { calls: u64 };
        /// What the calls took; both will have what is answered from then on.
        2 share once { least: u64, most: u64 } -> Shared { memory: Handle, notification: Handle };
    }
}

/// The row's name.
const NAME_OF_ROW: &str = "one typed client call";
/// Calls, those that warm up included.
const CALLS: u64 = 2 * SAMPLES as u64;

struct Counting {
    ends: (u64, u64),
    calls: u64,
    shared: Option<Shared>,
}

impl Counter for Counting {
    fn add(&mut self, _: &mut Call<'_>, step: u64) -> Outcome<Added> {
        self.calls += step;
        Ok(Added { calls: self.calls })
    }

    fn share(&mut self, _: &mut Call<'_>, least: u64, most: u64) -> Outcome<Shared> {
        self.ends = (least, most);
        Ok(self.shared.take().ok_or(Error::State)?)
    }
}

impl Serve for Counting {
    fn call(&mut self, call: &mut Call<'_>, request: &Message) -> Outcome<Answered> {
        dispatch(self, call, request)
    }
}

/// The client's half: calls, counted on its side, then one for what both will have.
pub(crate) fn call(client: &partner::Client) -> Result<Shared, Error> {
    let mut counter = Client::new(Channel::new(client.server));
    let mut row = Row::new(NAME_OF_ROW);
    for number in 1..=CALLS {
        let before = retired();
        let added = counter.add(1)?;
        row.add(retired() - before - 1);
        if added.calls != number {
            return Err(Error::Protocol);
        }
    }
    let (least, most) = row.ends();
    counter.share(least, most)
}

/// The server's half.
pub(crate) fn serve(server: &partner::Server) -> Result<(), Error> {
    let lent = |source| Ok::<_, Error>(invoke(Derive { source, rights: Rights::ALL, badge: 0 })?.handle);
    let shared = Shared { memory: lent(server.memory)?, notification: lent(server.notification)? };
    let mut counting = Counting { ends: (0, 0), calls: 0, shared: Some(shared) };
    nexus_rt::Server::over(server.endpoint).serve_until(&mut counting, |counting| counting.shared.is_none())?;
    Row::between(NAME_OF_ROW, counting.ends).print();
    Ok(())
}
