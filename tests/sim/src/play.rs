//! What programs of the simulation and the simulator know of each other: the time, the act, what clients have seen.
//!
//! Programs get at it through the host thread that all of them run on. The services know nothing of it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::thread_local;

use nexus_abi::Error;

use crate::random::Random;

/// What part of a run this is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Act {
    /// Everything starts, and every client calls every service once.
    Opening,
    /// Clients call, faults happen.
    Trouble,
    /// No more faults: every client is answered.
    Ending,
}

/// What clients have seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Calls that were answered while there was trouble.
    pub(crate) answered: u64,
    /// Calls that were refused meanwhile, by why.
    pub(crate) refused: BTreeMap<&'static str, u64>,
    /// Ticks behind its deadline that the latest of them came back.
    pub(crate) latest: u64,
    /// Ticks that the slowest answer took after the last fault.
    pub(crate) slowest: u64,
    /// What must not be.
    pub(crate) wrong: Option<String>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Play {
    pub(crate) now: Cell<u64>,
    pub(crate) act: Cell<Act>,
    /// Clients that are through with the act.
    pub(crate) through: Cell<usize>,
    pub(crate) random: RefCell<Random>,
    pub(crate) seen: RefCell<Seen>,
    /// The deed that the first client does instead of whatever trouble suggests, by its place in the list.
    pub(crate) deed: Cell<Option<usize>>,
    /// What came of it.
    pub(crate) done: Cell<Option<Result<(), Error>>>,
}

thread_local! {
    static PLAY: RefCell<Option<Rc<Play>>> = const { RefCell::new(None) };
}

impl Play {
    /// One that begins, for all programs of this host thread.
    pub(crate) fn begin(seed: u64) -> Rc<Play> {
        let play = Rc::new(Play {
            now: Cell::new(0),
            act: Cell::new(Act::Opening),
            through: Cell::new(0),
            random: RefCell::new(Random::new(seed)),
            seen: RefCell::default(),
            deed: Cell::new(None),
            done: Cell::new(None),
        });
        PLAY.with(|current| *current.borrow_mut() = Some(Rc::clone(&play)));
        play
    }

    /// The one of this host thread.
    pub(crate) fn current() -> Rc<Play> {
        PLAY.with(|play| play.borrow().clone()).expect("programs run in a play")
    }

    /// A number below `end`.
    pub(crate) fn below(&self, end: u64) -> u64 {
        self.random.borrow_mut().below(end)
    }

    /// Changes the act; nobody is through with it.
    pub(crate) fn turn(&self, act: Act) {
        self.through.set(0);
        self.act.set(act);
    }

    /// Something that must not be; the first is what is told.
    pub(crate) fn object(&self, text: impl FnOnce() -> String) {
        self.seen.borrow_mut().wrong.get_or_insert_with(text);
    }

    /// A call came back while there was trouble.
    pub(crate) fn count(&self, outcome: Result<(), Error>, behind: u64) {
        let mut seen = self.seen.borrow_mut();
        match outcome {
            Ok(()) => seen.answered += 1,
            Err(error) => *seen.refused.entry(error.name()).or_default() += 1,
        }
        seen.latest = seen.latest.max(behind);
    }
}
