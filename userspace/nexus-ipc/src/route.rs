//! Routing: asking init for a handle by interface name, within a budget.
//!
//! A route is a one-way message to init with a nonce; the answer arrives in a bounded inbox before a deadline. Answers
//! with another nonce are left-overs of an earlier route that timed out, or noise: each is dropped and counted, and
//! more of them than the budget end the wait, so that nobody can keep a program waiting by feeding its inbox.

use nexus_abi::{Deadline, Error, Handle, Name};

/// How many answers with a foreign nonce one route tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NonceMismatchBudget(u32);

impl NonceMismatchBudget {
    /// A budget of `count` foreign answers; 0 tolerates none.
    pub const fn new(count: u32) -> NonceMismatchBudget {
        NonceMismatchBudget(count)
    }

    /// How many.
    pub const fn get(self) -> u32 {
        self.0
    }
}

/// How a route ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a route may fail in four ways"]
pub enum RouteRetryOutcome {
    /// The handle.
    Success(Handle),
    /// The deadline passed.
    Timeout,
    /// More foreign answers arrived than the budget allows.
    NonceMismatchBudgetExceeded,
    /// Init refused: the manifest gives no such route, or the service is given up.
    Rejected(Error),
    /// Sending or receiving failed.
    Ipc(Error),
}

impl RouteRetryOutcome {
    /// The handle, or the error that a caller's caller understands.
    pub fn into_result(self) -> Result<Handle, Error> {
        match self {
            RouteRetryOutcome::Success(handle) => Ok(handle),
            RouteRetryOutcome::Timeout => Err(Error::TimedOut),
            RouteRetryOutcome::NonceMismatchBudgetExceeded => Err(Error::RateLimited),
            RouteRetryOutcome::Rejected(error) | RouteRetryOutcome::Ipc(error) => Err(error),
        }
    }
}

/// One answer from the inbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RouteAnswer {
    /// The nonce it carries.
    pub nonce: u64,
    /// The handle, or why there is none.
    pub result: Result<Handle, Error>,
}

/// The way to init and back; the kernel's is in `nexus-rt`.
pub trait RouteLink {
    /// Sends the request, one-way.
    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error>;

    /// Waits for the next answer until the deadline. `ETIMEDOUT`: none came. `EPROTO`: something that is no answer
    /// arrived and was dropped.
    fn answer(&mut self, deadline: Deadline) -> Result<RouteAnswer, Error>;

    /// Closes a handle that came with a foreign answer.
    fn drop_handle(&mut self, handle: Handle);
}

/// Asks for `interface` once and waits for the answer with this nonce. Ends at the deadline, or one foreign answer
/// after the budget is used up, whatever arrives.
pub fn route_with_nonce_budgeted(
    link: &mut impl RouteLink,
    interface: Name,
    nonce: u64,
    budget: NonceMismatchBudget,
    deadline: Deadline,
) -> RouteRetryOutcome {
    if let Err(error) = link.ask(interface, nonce) {
        return RouteRetryOutcome::Ipc(error);
    }
    for _ in 0..=budget.get() {
        match link.answer(deadline) {
            Ok(answer) if answer.nonce == nonce => {
                return answer.result.map_or_else(RouteRetryOutcome::Rejected, RouteRetryOutcome::Success);
            }
            Ok(foreign) => {
                if let Ok(handle) = foreign.result {
                    link.drop_handle(handle);
                }
            }
            Err(Error::Protocol) => {}
            Err(Error::TimedOut) => return RouteRetryOutcome::Timeout,
            Err(error) => return RouteRetryOutcome::Ipc(error),
        }
    }
    RouteRetryOutcome::NonceMismatchBudgetExceeded
}
