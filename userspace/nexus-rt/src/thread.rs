//! Further threads of a program.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nexus_abi::layout::{GROW_BATCH, PAGE_SIZE};
use nexus_abi::syscall::{Close, Map, MemoryCreate, MemoryGrow, ThreadCreate, ThreadExit, ThreadStart, access};
use nexus_abi::{Error, Handle};

use crate::sys;
use crate::{kernel::invoke, memory};

/// What a thread runs.
pub type Body = Box<dyn FnOnce() + Send>;

/// The program's threads, and the seats where they may wait for a lock: one each, so that no wait lacks one.
struct Crowd {
    threads: usize,
    seats: usize,
    /// Threads that were made and then not let run: the next one that fits is used.
    spares: Vec<Spare>,
}

/// A thread that does not run.
struct Spare {
    thread: Handle,
    /// Of its stack.
    pages: u64,
    /// The register that names its body.
    a1: u64,
}

crate::sys::own! {
    static CROWD: Crowd = Crowd { threads: 1, seats: 0, spares: Vec::new() }
}

impl Crowd {
    /// Counts a thread in, once all have seats.
    fn join(&mut self) -> Result<(), Error> {
        while self.seats <= self.threads {
            sys::add_seat(self.seats)?;
            self.seats += 1;
        }
        self.threads += 1;
        Ok(())
    }

    /// A spare with a stack of so many pages.
    fn spare(&mut self, pages: u64) -> Option<Spare> {
        let fits = self.spares.iter().position(|spare| spare.pages >= pages)?;
        Some(self.spares.swap_remove(fits))
    }

    fn leave(&mut self) {
        self.threads = self.threads.saturating_sub(1);
    }
}

/// Starts a thread with a stack of `pages` pages, a guard page below it. Its memory returns when the program ends.
/// It costs a notification besides, the first one two; `EOVERLIMIT`: the quota lacks something, or there are 64. `EAGAIN`:
/// its class is full everywhere; what was made for it is used by the next one.
pub fn spawn(pages: u64, body: Body) -> Result<Handle, Error> {
    CROWD.lock().join()?;
    start(pages, body).inspect_err(|_| CROWD.lock().leave())
}

fn start(pages: u64, body: Body) -> Result<Handle, Error> {
    let spare = CROWD.lock().spare(pages);
    let made = match spare {
        Some(spare) => {
            sys::exchange(spare.a1, body);
            spare
        }
        None => make(pages, body)?,
    };
    let thread = made.thread;
    invoke(ThreadStart { thread }).map(|_| thread).inspect_err(|_| {
        sys::exchange(made.a1, Box::new(|| {}));
        CROWD.lock().spares.push(made);
    })
}

/// Makes a thread that does not run yet.
fn make(pages: u64, body: Body) -> Result<Spare, Error> {
    // Guard, stack, guard, IPC page.
    let base = memory::reserve(pages + 3) + PAGE_SIZE as u64;
    let stack = stack(base, pages)?;
    let (entry, a1) = sys::thread_registers(body);
    let top = base + pages * PAGE_SIZE as u64;
    let ipc_page = top + PAGE_SIZE as u64;
    let created = invoke(ThreadCreate { process: None, entry, stack: top, a0: ipc_page, a1, ipc_page });
    invoke(Close { handle: stack })?;
    Ok(Spare { thread: created?.thread, pages, a1 })
}

fn stack(base: u64, pages: u64) -> Result<Handle, Error> {
    let memory = invoke(MemoryCreate { process: None, pages })?.memory;
    let mut done = 0;
    while done < pages {
        let grown = invoke(MemoryGrow { memory, pages: GROW_BATCH.min(pages - done) })?.total - done;
        let address = base + done * PAGE_SIZE as u64;
        let map = Map { process: None, memory, address, offset: done, pages: grown, access: access::WRITE };
        done += invoke(map)?.pages;
    }
    Ok(memory)
}

/// Ends the calling thread.
pub fn exit() -> ! {
    CROWD.lock().leave();
    loop {
        let _ = invoke(ThreadExit {});
    }
}
