//! Pipelined requests: several on their way at once, their answers in one bounded inbox.
//!
//! A request goes out one-way with a nonce and its answer comes back with the same, in any order. Whoever waits for one
//! answer and receives another's puts that aside in the stash, where its own wait finds it. A request has a place from
//! when it is asked until it is waited for: so the stash can hold whatever may come, and what has no place is foreign.
//! Foreign answers are left-overs of requests that were given up, or noise. Each is dropped and counted, and more of
//! them than the budget end a wait, so that nobody can keep a program waiting by feeding its inbox.

use nexus_abi::{Deadline, Error};

use crate::NonceMismatchBudget;

/// A one-way path to a server, and the inbox for what comes back.
pub trait Link {
    /// What is asked.
    type Request;
    /// What is answered.
    type Answer;

    /// Sends a request, one-way.
    fn ask(&mut self, request: Self::Request, nonce: u64) -> Result<(), Error>;

    /// Waits for the next answer until the deadline, and tells its nonce. `ETIMEDOUT`: none came. `EPROTO`: something
    /// that is no answer arrived and was dropped.
    fn answer(&mut self, deadline: Deadline) -> Result<(u64, Self::Answer), Error>;

    /// Lets go of an answer that nobody waits for.
    fn drop_answer(&mut self, answer: Self::Answer);
}

/// How a wait for an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "a wait may fail in three ways"]
pub enum Waited<A> {
    /// With the answer.
    Answered(A),
    /// The deadline passed.
    Timeout,
    /// More foreign answers arrived than the budget allows.
    NonceMismatchBudgetExceeded,
    /// Receiving failed.
    Ipc(Error),
}

/// A request on its way: what its answer is waited for with, once.
#[derive(Debug, PartialEq, Eq)]
#[must_use = "an answer comes that takes up a place until it is waited for or forgotten"]
pub struct Pending(u64);

#[derive(Debug)]
enum Place<A> {
    Free,
    /// Of a request with this nonce.
    Asked(u64),
    /// The stash: its answer came while another was waited for.
    Came(u64, A),
}

/// At most `WINDOW` requests on their way over one link, whose inbox has at least as much room.
#[derive(Debug)]
pub struct Pipeline<L: Link, const WINDOW: usize> {
    link: L,
    /// The last request's.
    nonce: u64,
    places: [Place<L::Answer>; WINDOW],
    /// Requests that were given up: so many foreign answers may stand in the inbox.
    given_up: usize,
}

impl<L: Link, const WINDOW: usize> Pipeline<L, WINDOW> {
    /// Over this link; the first request has the nonce behind `nonce`.
    pub fn over(link: L, nonce: u64) -> Self {
        Pipeline { link, nonce, places: [const { Place::Free }; WINDOW], given_up: 0 }
    }

    /// The link.
    pub fn link(&mut self) -> &mut L {
        &mut self.link
    }

    /// Sends a request. `EOVERLIMIT`: as many as the window allows are on their way; nothing was sent.
    pub fn ask(&mut self, request: L::Request) -> Result<Pending, Error> {
        let place = self.places.iter().position(|place| matches!(place, Place::Free)).ok_or(Error::OverLimit)?;
        self.make_room();
        self.nonce = self.nonce.wrapping_add(1);
        self.link.ask(request, self.nonce)?;
        self.places[place] = Place::Asked(self.nonce);
        Ok(Pending(self.nonce))
    }

    /// Waits for the answer to this request: one wait more than the budget, and one for each other request, at most.
    /// However it ends, the request is over; what comes of it later is foreign.
    pub fn wait(&mut self, pending: Pending, budget: NonceMismatchBudget, deadline: Deadline) -> Waited<L::Answer> {
        let Some(place) = self.place_of(pending.0) else { return Waited::Ipc(Error::BadHandle) };
        if let Place::Came(_, answer) = core::mem::replace(&mut self.places[place], Place::Asked(pending.0)) {
            self.places[place] = Place::Free;
            return Waited::Answered(answer);
        }
        let waited = self.receive(pending.0, budget, deadline);
        self.places[place] = Place::Free;
        if !matches!(waited, Waited::Answered(_)) {
            self.given_up = (self.given_up + 1).min(WINDOW);
        }
        waited
    }

    /// Gives a request up. Its answer, if one comes, is foreign.
    pub fn forget(&mut self, pending: Pending) {
        let Some(place) = self.place_of(pending.0) else { return };
        match core::mem::replace(&mut self.places[place], Place::Free) {
            Place::Came(_, answer) => self.link.drop_answer(answer),
            _ => self.given_up = (self.given_up + 1).min(WINDOW),
        }
    }

    /// Asks all of this, no more than the window at once, and hands over how each ended, in order.
    pub fn ask_each(
        &mut self,
        requests: impl IntoIterator<Item = L::Request>,
        budget: NonceMismatchBudget,
        deadline: Deadline,
        mut ended: impl FnMut(Waited<L::Answer>),
    ) {
        let mut asked = [const { None }; WINDOW];
        let mut requests = requests.into_iter().peekable();
        while requests.peek().is_some() {
            for (slot, request) in asked.iter_mut().zip(requests.by_ref().take(WINDOW)) {
                *slot = Some(self.ask(request));
            }
            for asked in asked.iter_mut().filter_map(Option::take) {
                ended(asked.map_or_else(Waited::Ipc, |pending| self.wait(pending, budget, deadline)));
            }
        }
    }

    fn place_of(&self, nonce: u64) -> Option<usize> {
        let of = |place: &Place<_>| matches!(place, Place::Asked(of) | Place::Came(of, _) if *of == nonce);
        self.places.iter().position(of)
    }

    fn receive(&mut self, nonce: u64, budget: NonceMismatchBudget, deadline: Deadline) -> Waited<L::Answer> {
        let mut tolerated = budget.get();
        loop {
            match self.link.answer(deadline) {
                Ok((of, answer)) if of == nonce => return Waited::Answered(answer),
                Ok((of, answer)) => {
                    if self.stash(of, answer) {
                        continue;
                    }
                }
                Err(Error::Protocol) => {}
                Err(Error::TimedOut) => return Waited::Timeout,
                Err(error) => return Waited::Ipc(error),
            }
            match tolerated.checked_sub(1) {
                Some(left) => tolerated = left,
                None => return Waited::NonceMismatchBudgetExceeded,
            }
        }
    }

    /// Puts an answer aside for its own wait; false: it is foreign, and was dropped. A second answer to a request is.
    fn stash(&mut self, nonce: u64, answer: L::Answer) -> bool {
        match self.places.iter_mut().find(|place| matches!(place, Place::Asked(of) if *of == nonce)) {
            Some(place) => {
                *place = Place::Came(nonce, answer);
                true
            }
            None => {
                self.given_up = self.given_up.saturating_sub(1);
                self.link.drop_answer(answer);
                false
            }
        }
    }

    /// Takes what stands in the inbox of requests that were given up: it would take the room of answers to come.
    fn make_room(&mut self) {
        for _ in 0..self.given_up {
            match self.link.answer(Deadline::POLL) {
                Ok((of, answer)) => _ = self.stash(of, answer),
                Err(Error::Protocol) => {}
                Err(_) => return,
            }
        }
    }
}
