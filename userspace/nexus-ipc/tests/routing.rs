//! Routes end within their budgets, whatever arrives.

use std::collections::VecDeque;

use nexus_abi::{Deadline, Error, Handle, Name};
use nexus_ipc::{NonceMismatchBudget, RouteAnswer, RouteLink, RouteRetryOutcome, route_with_nonce_budgeted};

#[derive(Default)]
struct Link {
    refuses: Option<Error>,
    arriving: VecDeque<Result<RouteAnswer, Error>>,
    asked: Vec<(Name, u64)>,
    dropped: Vec<Handle>,
    waits: usize,
}

impl RouteLink for Link {
    fn ask(&mut self, interface: Name, nonce: u64) -> Result<(), Error> {
        self.asked.push((interface, nonce));
        self.refuses.map_or(Ok(()), Err)
    }

    fn answer(&mut self, _: Deadline) -> Result<RouteAnswer, Error> {
        self.waits += 1;
        self.arriving.pop_front().unwrap_or(Err(Error::TimedOut))
    }

    fn drop_handle(&mut self, handle: Handle) {
        self.dropped.push(handle);
    }
}

fn handle(number: u64) -> Handle {
    Handle::pack(1, 0, number).expect("a small generation")
}

fn granted(nonce: u64, number: u64) -> Result<RouteAnswer, Error> {
    Ok(RouteAnswer { nonce, result: Ok(handle(number)) })
}

fn route(link: &mut Link, budget: u32) -> RouteRetryOutcome {
    let name = Name::new("exec").expect("short");
    route_with_nonce_budgeted(link, name, 42, NonceMismatchBudget::new(budget), Deadline(100))
}

#[test]
fn the_matching_answer_is_taken_and_the_question_asked_once() {
    let mut link = Link { arriving: [granted(42, 1)].into(), ..Link::default() };

    assert_eq!(route(&mut link, 0), RouteRetryOutcome::Success(handle(1)));

    assert_eq!(link.asked, [(Name::new("exec").expect("short"), 42)]);
    assert!(link.dropped.is_empty());
}

#[test]
fn foreign_answers_within_the_budget_are_dropped_with_their_handles() {
    let refused = Ok(RouteAnswer { nonce: 40, result: Err(Error::NotFound) });
    let mut link = Link { arriving: [granted(41, 9), refused, granted(42, 1)].into(), ..Link::default() };

    assert_eq!(route(&mut link, 2), RouteRetryOutcome::Success(handle(1)));

    assert_eq!(link.dropped, [handle(9)]);
}

#[test]
fn test_reject_nonce_mismatch_budget_exceeded() {
    for budget in [0, 1, 5] {
        let flood = (0..100).map(|number| granted(7, number + 1)).collect();
        let mut link = Link { arriving: flood, ..Link::default() };

        assert_eq!(route(&mut link, budget), RouteRetryOutcome::NonceMismatchBudgetExceeded);

        assert_eq!(link.waits, budget as usize + 1);
        assert_eq!(link.dropped.len(), budget as usize + 1);
    }
}

#[test]
fn noise_counts_against_the_budget() {
    let noise = (0..100).map(|_| Err(Error::Protocol)).collect();
    let mut link = Link { arriving: noise, ..Link::default() };

    assert_eq!(route(&mut link, 3), RouteRetryOutcome::NonceMismatchBudgetExceeded);
    assert_eq!(link.waits, 4);
}

#[test]
fn silence_is_a_timeout() {
    assert_eq!(route(&mut Link::default(), 3), RouteRetryOutcome::Timeout);
}

#[test]
fn a_refusal_is_told_apart_from_a_broken_channel() {
    let denied = Ok(RouteAnswer { nonce: 42, result: Err(Error::Permission) });
    let mut link = Link { arriving: [denied].into(), ..Link::default() };
    assert_eq!(route(&mut link, 0), RouteRetryOutcome::Rejected(Error::Permission));

    let mut full = Link { refuses: Some(Error::Again), ..Link::default() };
    assert_eq!(route(&mut full, 0), RouteRetryOutcome::Ipc(Error::Again));
    assert_eq!(full.waits, 0);

    let mut gone = Link { arriving: [Err(Error::PeerClosed)].into(), ..Link::default() };
    assert_eq!(route(&mut gone, 0), RouteRetryOutcome::Ipc(Error::PeerClosed));
}
