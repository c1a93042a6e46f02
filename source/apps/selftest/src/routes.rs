//! Routes: found within a deadline and a budget of foreign answers, or refused.

use crate::Failure;
use core::time::Duration;
use nexus_abi::{Error, Name, syscall::Close};
use nexus_ipc::{NonceMismatchBudget, RouteLink, RouteRetryOutcome, route_with_nonce_budgeted};
use nexus_proto::timer;
use nexus_rt::inbox::{Inbox, WINDOW};
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
    found(among_foreign(&mut inbox, 200, BUDGET - 1)?)?;
    in_any_order(&mut Inbox::open().map_err(|error| Failure::Refused("an inbox", error))?)
}

/// A window of questions is on its way at once and no more, each answer reaches its own question whichever is waited for
/// first, and answers to questions that were given up are foreign.
fn in_any_order(inbox: &mut Inbox) -> Result<(), Failure> {
    let [way, nowhere] = [ROUTE, "nowhere"].map(|name| Name::new(name).unwrap_or_default());
    let refused = |error| Failure::Refused("a question within the window", error);
    let (line, deadline) = (inbox.line(), deadline_in(WAIT));
    let mut asked = [const { None }; WINDOW];
    for (at, asked) in asked.iter_mut().enumerate() {
        *asked = Some(line.ask(if at == 1 { nowhere } else { way }).map_err(refused)?);
    }
    if line.ask(way) != Err(Error::OverLimit) {
        return Err(Failure::Wrong("a question above the window is over the limit"));
    }
    for (at, pending) in asked.into_iter().enumerate().rev().filter_map(|(at, asked)| Some((at, asked?))) {
        match (at, line.wait(pending, NonceMismatchBudget::new(0), deadline).into()) {
            (1, RouteRetryOutcome::Rejected(_)) => {}
            (1, _) => return Err(Failure::Wrong("each answer reaches its own question")),
            (_, outcome) => found(outcome)?,
        }
    }
    for _ in 0..FOREIGN {
        line.ask(way).map(|pending| line.forget(pending)).map_err(refused)?;
    }
    let last = line.ask(way).map_err(refused)?;
    found(line.wait(last, NonceMismatchBudget::new(FOREIGN), deadline).into())
}

/// Asks as many other questions first, whose answers so come before the one that is waited for.
fn among_foreign(inbox: &mut Inbox, nonce: u64, others: u32) -> Result<RouteRetryOutcome, Failure> {
    let name = Name::new(ROUTE).ok_or(Failure::Refused("a name", Error::TooLong))?;
    for other in 1..=u64::from(others) {
        inbox.line().link().ask(name, nonce + other).map_err(|error| Failure::Refused("a question", error))?;
    }
    Ok(route_with_nonce_budgeted(inbox.line().link(), name, nonce, NonceMismatchBudget::new(BUDGET), deadline_in(WAIT)))
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
