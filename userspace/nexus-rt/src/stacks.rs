//! Stacks of further threads: one that its thread has left is the next one's.
//!
//! A thread cannot give back what it stands on, so the last thing it does is to set a bit, without a stack
//! ([`crate::sys::leave`]). Its page for messages is unmapped as it ends, a moment later: whoever comes before that is
//! refused with `EEXIST` and takes another stack.

use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::layout::{GROW_BATCH, PAGE_SIZE};
use nexus_abi::syscall::{Close, MemoryCreate, MemoryGrow};
use nexus_abi::{Error, Handle};

use crate::{kernel::invoke, memory};

/// Stacks that can be used again; one made beyond them stays as it is until the program ends.
const KEPT: usize = 64;

/// A bit for each kept stack that nobody stands on.
static LEFT: AtomicU64 = AtomicU64::new(0);

crate::sys::own! {
    static STACKS: Vec<Stack> = Vec::new()
}

/// A guard page, a stack, a guard page, and where the thread's page for messages is mapped.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stack {
    base: u64,
    pages: u64,
}

impl Stack {
    /// How large it is.
    pub(crate) fn pages(self) -> u64 {
        self.pages
    }

    /// Address behind the stack, where it begins.
    pub(crate) fn top(self) -> u64 {
        self.base + self.pages * PAGE_SIZE as u64
    }

    /// Address of the page for messages.
    pub(crate) fn ipc_page(self) -> u64 {
        self.top() + PAGE_SIZE as u64
    }

    /// A new one, kept if there is room.
    pub(crate) fn new(pages: u64) -> Result<Stack, Error> {
        let stack = Stack { base: memory::reserve(pages + 3) + PAGE_SIZE as u64, pages };
        let object = invoke(MemoryCreate { process: None, pages })?.memory;
        let filled = stack.fill(object);
        invoke(Close { handle: object })?;
        filled?;
        let mut stacks = STACKS.lock();
        if stacks.len() < KEPT {
            stacks.push(stack);
        }
        Ok(stack)
    }

    fn fill(self, object: Handle) -> Result<(), Error> {
        let mut done = 0;
        while done < self.pages {
            done = invoke(MemoryGrow { memory: object, pages: GROW_BATCH.min(self.pages - done) })?.total;
        }
        memory::map(object, self.base, 0, self.pages, memory::Access::Write)
    }
}

/// Those that were left, are large enough, and are the caller's from then on.
pub(crate) fn reuse(pages: u64) -> impl Iterator<Item = Stack> {
    (0..KEPT).filter_map(move |place| {
        let bit = 1 << place;
        let stack = *STACKS.lock().get(place)?;
        let mine = stack.pages >= pages && LEFT.fetch_and(!bit, Ordering::Acquire) & bit != 0;
        mine.then_some(stack)
    })
}

/// Puts back what was taken for a thread that came to nothing.
pub(crate) fn put_back(stack: Stack) {
    LEFT.fetch_or(bit_of(stack.ipc_page()), Ordering::Release);
}

/// The calling thread's stack, to be left.
pub(crate) struct Mine(u64);

impl Mine {
    /// Looked up while the thread may still wait for a lock.
    pub(crate) fn find() -> Mine {
        Mine(bit_of(crate::sys::ipc_page()))
    }

    /// Ends the calling thread: its stack may be another's at once.
    pub(crate) fn leave(self) -> ! {
        crate::sys::leave(&LEFT, self.0)
    }
}

/// The bit of the stack with this page for messages; none if it is not kept.
fn bit_of(ipc_page: u64) -> u64 {
    let place = STACKS.lock().iter().position(|stack| stack.ipc_page() == ipc_page);
    place.map_or(0, |place| 1 << place)
}
