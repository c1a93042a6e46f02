//! Pages that one thread maps at one address and unmaps again, and that others read in between.
//!
//! Each time another page stands there. A CPU that still uses an old translation reads the wrong one.

use alloc::{sync::Arc, vec::Vec};

use nexus_abi::syscall::{MemoryCreate, MemoryGrow, Yield};
use nexus_abi::{Error, Handle};
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::Mutex;

use crate::{Shared, job};

const READERS: u64 = 2;
const OBJECTS: u64 = 3;

/// The page that stands there now.
struct Shown {
    view: Arc<View>,
    tag: u64,
    /// Readers that have not read it.
    left: u64,
    /// Readers that have, one bit each.
    seen: u64,
}

/// What readers look at.
struct Stand {
    shown: Option<Shown>,
    shut: bool,
}

type Board = Mutex<Stand>;

/// Starts them.
pub(crate) fn begin(shared: &Arc<Shared>) -> Result<(), Error> {
    let board: Arc<Board> = Arc::new(Mutex::new(Stand { shown: None, shut: false }));
    let mut objects = Vec::new();
    for tag in 0..OBJECTS {
        let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
        invoke(MemoryGrow { memory, pages: 1 })?;
        View::map(memory, 0, 1, Access::Write)?.store_u64(8, tag)?;
        objects.push(memory);
    }
    let theirs = board.clone();
    job(shared, move |shared| show(shared, &theirs, &objects));
    for reader in 0..READERS {
        let theirs = board.clone();
        job(shared, move |shared| read(shared, &theirs, reader));
    }
    Ok(())
}

fn show(shared: &Shared, board: &Board, objects: &[Handle]) -> Result<(), Error> {
    let mut round = 0;
    while shared.goes_on() {
        let tag = round % OBJECTS;
        let view = Arc::new(View::map(objects[tag as usize], 0, 1, Access::Read)?);
        (0..READERS).for_each(|_| Shared::count(&shared.mapped));
        board.lock().shown = Some(Shown { view, tag, left: READERS, seen: 0 });
        while board.lock().shown.as_ref().is_some_and(|shown| shown.left > 0) {
            invoke(Yield {})?;
        }
        // The last of it: the page is unmapped here.
        drop(board.lock().shown.take());
        round += 1;
    }
    board.lock().shut = true;
    Ok(())
}

fn read(shared: &Shared, board: &Board, reader: u64) -> Result<(), Error> {
    loop {
        let mut held = board.lock();
        if held.shut {
            return Ok(());
        }
        if let Some(shown) = held.shown.as_mut().filter(|shown| shown.seen >> reader & 1 == 0) {
            if shown.view.load_u64(8)? != shown.tag {
                shared.wrong("a page that is not there any more was read");
            }
            shown.seen |= 1 << reader;
            shown.left -= 1;
            Shared::count(&shared.read);
        }
        drop(held);
        invoke(Yield {})?;
    }
}
