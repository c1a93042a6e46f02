//! What the fuzzer counts: in memory that outlives each of its children.
//!
//! Page 0 holds single words; then come, for each of a child's two threads, a row per system call with a column per
//! error. Each thread writes its own rows only, so nothing is lost and no lock is needed.

extern crate alloc;

use alloc::sync::Arc;

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{self, Close, TYPED, ipc};
use nexus_abi::{Error, Handle};
use nexus_rt::memory::{Access, View};
use nexus_rt::{env, kernel::invoke};

/// Threads of a child that count.
pub(crate) const THREADS: usize = 2;
/// Rows: one a number of a call.
pub(crate) const ROWS: usize = 128;
/// Where numbers count that no call has.
pub(crate) const NO_CALL: usize = ROWS - 1;
/// Columns: success, then the errors by number.
pub(crate) const COLUMNS: usize = 32;
const ROW_PAGES: usize = ROWS * COLUMNS * 8 / PAGE_SIZE;
/// Pages of the whole.
pub(crate) const PAGES: u64 = (1 + THREADS * ROW_PAGES) as u64;

const _: () = assert!(Error::ALL.len() < COLUMNS);

/// Single words of page 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum Word {
    /// The child's seed.
    Seed = 0,
    /// What sort of child it is.
    Flavour = 1,
    /// Handles that a neighbour has put into the child's table.
    Heritage = 4,
    /// Calls begun, by thread.
    Calls = 16,
    /// A running digest of calls and their outcomes, by thread.
    Digest = 24,
}

/// One thread's view of the counts.
#[derive(Clone, Debug)]
pub(crate) struct Tally {
    view: Arc<View>,
    thread: usize,
}

impl Tally {
    /// The counts in this object.
    pub(crate) fn over(memory: Handle) -> Result<Tally, Error> {
        Ok(Tally { view: Arc::new(View::map(memory, 0, PAGES, Access::Write)?), thread: 0 })
    }

    /// The counts that this program was given; it keeps no handle to them.
    pub(crate) fn given() -> Result<Tally, Error> {
        let memory = env::handle("tally")?;
        let tally = Tally::over(memory)?;
        invoke(Close { handle: memory })?;
        Ok(tally)
    }

    /// The same for another thread.
    pub(crate) fn of(&self, thread: usize) -> Tally {
        Tally { view: self.view.clone(), thread }
    }

    fn load(&self, offset: usize) -> u64 {
        self.view.load_u64(offset).expect("offsets of counts are inside")
    }

    fn store(&self, offset: usize, value: u64) {
        self.view.store_u64(offset, value).expect("offsets of counts are inside");
    }

    /// A single word; of those that each thread has, the `at`th.
    pub(crate) fn word(&self, word: Word, at: usize) -> u64 {
        self.load(8 * (word as usize + at))
    }

    /// Sets it.
    pub(crate) fn set_word(&self, word: Word, at: usize, value: u64) {
        self.store(8 * (word as usize + at), value);
    }

    /// A call begins: it counts even if it never ends.
    pub(crate) fn begin(&self) {
        self.set_word(Word::Calls, self.thread, self.word(Word::Calls, self.thread) + 1);
    }

    /// A call ended so.
    pub(crate) fn end(&self, number: u64, error: Option<Error>) {
        let column = error.map_or(0, |error| usize::from(error.number()));
        let offset = Self::place(self.thread, row(number), column);
        self.store(offset, self.load(offset) + 1);
        let digest = self.word(Word::Digest, self.thread) ^ (row(number) * COLUMNS + column) as u64;
        self.set_word(Word::Digest, self.thread, digest.wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23));
    }

    /// How often the calls of a row ended in a column, all threads together.
    pub(crate) fn count(&self, row: usize, column: usize) -> u64 {
        (0..THREADS).map(|thread| self.load(Self::place(thread, row, column))).sum()
    }

    /// Calls begun, all threads together.
    pub(crate) fn calls(&self) -> u64 {
        (0..THREADS).map(|thread| self.word(Word::Calls, thread)).sum()
    }

    fn place(thread: usize, row: usize, column: usize) -> usize {
        PAGE_SIZE * (1 + thread * ROW_PAGES) + (row * COLUMNS + column) * 8
    }
}

/// The row of a number.
fn row(number: u64) -> usize {
    let known = number <= ipc::SEND || TYPED.iter().any(|call| call.number == number);
    if known { (number as usize).min(NO_CALL) } else { NO_CALL }
}

const _: () = assert!((syscall::ipc::SEND as usize) < NO_CALL);
