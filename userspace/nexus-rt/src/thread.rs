//! Further threads of a program.

use alloc::boxed::Box;
use alloc::vec::Vec;

use nexus_abi::syscall::{ThreadCreate, ThreadStart};
use nexus_abi::{Error, Handle};

use crate::kernel::invoke;
use crate::stacks::{self, Mine, Stack};
use crate::sys;

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

/// Starts a thread with a stack of `pages` pages, a guard page below it, which serves another thread when it has ended.
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
    let (entry, a1) = sys::thread_registers(body);
    for stack in stacks::reuse(pages) {
        match create(stack, entry, a1) {
            // Who left it has not quite ended.
            Err(Error::Exists) => stacks::put_back(stack),
            created => return created.inspect_err(|_| stacks::put_back(stack)),
        }
    }
    let stack = Stack::new(pages)?;
    create(stack, entry, a1).inspect_err(|_| stacks::put_back(stack))
}

fn create(stack: Stack, entry: u64, a1: u64) -> Result<Spare, Error> {
    let (top, ipc_page) = (stack.top(), stack.ipc_page());
    let created = invoke(ThreadCreate { process: None, entry, stack: top, a0: ipc_page, a1, ipc_page })?;
    Ok(Spare { thread: created.thread, pages: stack.pages(), a1 })
}

/// Ends the calling thread.
pub fn exit() -> ! {
    let stack = Mine::find();
    // From here on it has no seat: it waits for nothing any more.
    CROWD.lock().leave();
    stack.leave()
}
