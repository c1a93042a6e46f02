//! Routes: found within a deadline and a budget of foreign answers, or refused.

use crate::Failure;
use core::time::Duration;
use nexus_abi::{Error, Name, syscall::Close};
use nexus_ipc::{NonceMismatchBudget, RouteLink, RouteRetryOutcome, route_with_nonce_budgeted};
use nexus_proto::timer;
use nexus_rt::inbox::Inbox;
use nexus_rt::{Channel, kernel::invoke, time::deadline_in};

/// How long a route may take.
const WAIT: Duration = Duration::from_secs(1);
/// What the manifest calls this program's way to timed.
const ROUTE: &str = "timer-coarse";
/// Foreign answers that a wait endures.
const BUDGET: u32 = 2;
/// Questions whose answers nobody waits for: one too many. With one more the inbox is full.
const FOREIGN: u32 = BUDGET + 1;

/// What the manifest gives is found and works, what it does not give is refused, and answers to other questions end the
/// wait when there are more of them than the budget.
pub(crate) fn are_found_within_a_budget() -> Result<(), Failure> {
    let mut inbox = Inbox::open().map_err(|error| Failure::Refused("an inbox", error))?;
    found(inbox.route(ROUTE, WAIT))?;
    match inbox.route("nowhere", WAIT) {
        RouteRetryOutcome::Rejected(_) => {}
        _ => return Err(Failure::Wrong("a route that nobody gives is rejected")),
    }
    if among_foreign(&mut inbox, 100, FOREIGN)? != RouteRetryOutcome::NonceMismatchBudgetExceeded {
        return Err(Failure::Wrong("more foreign answers than the budget end the wait"));
    }
    // The answer that was not waited for is foreign to the next question, and within its budget.
    found(among_foreign(&mut inbox, 200, BUDGET - 1)?)
}

/// Asks as many other questions first, whose answers so come before the one that is waited for.
fn among_foreign(inbox: &mut Inbox, nonce: u64, others: u32) -> Result<RouteRetryOutcome, Failure> {
    let name = Name::new(ROUTE).ok_or(Failure::Refused("a name", Error::TooLong))?;
    for other in 1..=u64::from(others) {
        inbox.ask(name, nonce + other).map_err(|error| Failure::Refused("a question", error))?;
    }
    Ok(route_with_nonce_budgeted(inbox, name, nonce, NonceMismatchBudget::new(BUDGET), deadline_in(WAIT)))
}

/// The handle leads to the service.
fn found(outcome: RouteRetryOutcome) -> Result<(), Failure> {
    let RouteRetryOutcome::Success(handle) = outcome else {
        return Err(Failure::Wrong("a route that the manifest gives is found"));
    };
    let answered = timer::Client::new(Channel::new(handle)).clock().is_ok();
    let closed = invoke(Close { handle });
    match (answered, closed) {
        (true, Ok(_)) => Ok(()),
        _ => Err(Failure::Wrong("a route leads to its service")),
    }
}
