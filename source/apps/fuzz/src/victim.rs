//! A process that did nothing wrong: it answers calls and looks after its memory.
//!
//! Attackers may call it, send it handles, and read one of its memory objects. What it says to its
//! owner is the digest of all that it keeps; then it writes everything anew, so that it notices what it may write no more.

use alloc::vec::Vec;

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::message::Status;
use nexus_abi::syscall::{Close, ipc};
use nexus_abi::{Error, Handle};
use nexus_rt::env;
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::{Arrival, Departure, counted, ipc_page, peek};

/// Pages of the object that others may read.
pub(crate) const STORE_PAGES: u64 = 8;
/// Words that it keeps for itself.
const PRIVATE_WORDS: usize = 4096;
/// The badge of its owner's calls.
pub(crate) const OWNER: u64 = 1;
const STORE_WORDS: usize = STORE_PAGES as usize * PAGE_SIZE / 8;

/// What it keeps at a place, in its `round`th writing.
fn content(round: u64, at: usize) -> u64 {
    (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15 ^ round.wrapping_mul(0xd6e8_feb8_6659_fd93))
}

fn fold(digest: u64, word: u64) -> u64 {
    (digest ^ word).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17)
}

/// The digest that it must tell in a round.
pub(crate) fn expected(round: u64) -> u64 {
    let words = (0..STORE_WORDS).chain(0..PRIVATE_WORDS).map(|at| content(round, at));
    words.fold(0, fold)
}

struct Keeper {
    store: View,
    private: Vec<u64>,
    round: u64,
}

impl Keeper {
    fn write(&mut self) -> Result<(), Error> {
        for at in 0..STORE_WORDS {
            self.store.store_u64(8 * at, content(self.round, at))?;
        }
        self.private.clear();
        self.private.extend((0..PRIVATE_WORDS).map(|at| content(self.round, at)));
        Ok(())
    }

    /// The digest of what it keeps; then it keeps something else.
    fn tell(&mut self) -> Result<u64, Error> {
        let mut digest = 0;
        for at in 0..STORE_WORDS {
            digest = fold(digest, self.store.load_u64(8 * at)?);
        }
        let digest = self.private.iter().fold(digest, |digest, &word| fold(digest, word));
        self.round += 1;
        self.write()?;
        Ok(digest)
    }
}

/// Serves until its endpoint is gone.
pub(crate) fn run() -> Result<i64, Error> {
    let (serve, store) = (env::handle(env::SERVE)?, env::handle("store")?);
    let store = View::map(store, 0, STORE_PAGES, Access::Write)?;
    let mut keeper = Keeper { store, private: Vec::with_capacity(PRIVATE_WORDS), round: 0 };
    keeper.write()?;
    let mut next = Departure { number: ipc::RECV, target: serve.raw(), deadline: u64::MAX, extent: 0, words: [0; 8] };
    loop {
        let arrival = counted(&next).arrival;
        next = Departure { number: ipc::RECV, words: [0; 8], ..next };
        match arrival.status.error() {
            Some(Error::PeerClosed | Error::BadHandle) => return Ok(1),
            Some(_) => continue,
            None => close_all(&arrival),
        }
        if !arrival.status.has(Status::ONE_WAY) {
            next.number = ipc::REPLY_RECV;
            if arrival.badge == OWNER {
                next.words[0] = keeper.tell()?;
            }
        }
    }
}

/// Closes the handles that came with a message.
fn close_all(arrival: &Arrival) {
    if arrival.status.has(Status::EXTENDED) {
        for at in 0..peek(ipc_page()) >> 16 & 7 {
            if let Some(handle) = Handle::from_raw(peek(ipc_page() + 8 + 8 * at)) {
                let _ = invoke(Close { handle });
            }
        }
    }
}
