//! Routing: asking init for a handle by interface name, within a budget.
//!
//! A route is a one-way message to init with a nonce; the answer arrives in a bounded inbox before a deadline. Answers
//! with another nonce are left-overs of an earlier route that timed out, or noise: each is dropped and counted, and
//! more of them than the budget end the wait, so that nobody can keep a program waiting by feeding its inbox.

use nexus_abi::{Deadline, Error, Handle, Name};

use crate::pipeline::{Link, Pipeline, Waited};

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

/// The way to init and back: the kernel's is in `nexus-rt`, the in-process one is [`LocalInbox`](crate::LocalInbox).
pub trait RouteLink {
    /// Sends the request, one-way.
    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error>;

    /// Waits for the next answer until the deadline. `ETIMEDOUT`: none came. `EPROTO`: something that is no answer
    /// arrived and was dropped.
    fn answer(&mut self, deadline: Deadline) -> Result<RouteAnswer, Error>;

    /// Closes a handle that came with a foreign answer.
    fn drop_handle(&mut self, handle: Handle);
}

impl<L: RouteLink + ?Sized> RouteLink for &mut L {
    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error> {
        (**self).ask(interface, nonce)
    }

    fn answer(&mut self, deadline: Deadline) -> Result<RouteAnswer, Error> {
        (**self).answer(deadline)
    }

    fn drop_handle(&mut self, handle: Handle) {
        (**self).drop_handle(handle);
    }
}

impl<L: RouteLink> Link for L {
    type Request = Name;
    type Answer = Result<Handle, Error>;

    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error> {
        RouteLink::ask(self, interface, nonce)
    }

    fn answer(&mut self, deadline: Deadline) -> Result<(u64, Self::Answer), Error> {
        RouteLink::answer(self, deadline).map(|RouteAnswer { nonce, result }| (nonce, result))
    }

    fn drop_answer(&mut self, answer: Self::Answer) {
        if let Ok(handle) = answer {
            self.drop_handle(handle);
        }
    }
}

impl From<Waited<Result<Handle, Error>>> for RouteRetryOutcome {
    fn from(waited: Waited<Result<Handle, Error>>) -> RouteRetryOutcome {
        match waited {
            Waited::Answered(Ok(handle)) => RouteRetryOutcome::Success(handle),
            Waited::Answered(Err(error)) => RouteRetryOutcome::Rejected(error),
            Waited::Timeout => RouteRetryOutcome::Timeout,
            Waited::NonceMismatchBudgetExceeded => RouteRetryOutcome::NonceMismatchBudgetExceeded,
            Waited::Ipc(error) => RouteRetryOutcome::Ipc(error),
        }
    }
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
    let mut alone = Pipeline::<_, 1>::over(link, nonce.wrapping_sub(1));
    let waited = match alone.ask(interface) {
        Ok(pending) => alone.wait(pending, budget, deadline),
        Err(error) => Waited::Ipc(error),
    };
    waited.into()
}
