//! Pages that one thread maps at one address and unmaps again, and that others read in between.
//!
//! Each time another page stands there. A CPU that still uses an old translation reads the wrong one.

use alloc::{sync::Arc, vec::Vec};

use nexus_abi::syscall::{MemoryCreate, MemoryGrow, Notify, Wait};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::Mutex;

use crate::{Shared, job, notification};

const READERS: usize = 2;
const OBJECTS: u64 = 3;

/// Signalled to every reader when another page stands there.
const SHOWN: u64 = 1;

/// What readers look at.
struct Stand {
    shown: Mutex<Option<(Arc<View>, u64)>>,
    /// One for each reader.
    go: [Handle; READERS],
    /// Signalled by each reader that has read, one bit each.
    read: Handle,
}

/// Starts them.
pub(crate) fn begin(shared: &Arc<Shared>) -> Result<(), Error> {
    let (go, read) = ([notification()?, notification()?], notification()?);
    let stand = Arc::new(Stand { shown: Mutex::new(None), go, read });
    let mut objects = Vec::new();
    for tag in 0..OBJECTS {
        let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
        invoke(MemoryGrow { memory, pages: 1 })?;
        View::map(memory, 0, 1, Access::Write)?.store_u64(8, tag)?;
        objects.push(memory);
    }
    let theirs = stand.clone();
    job(shared, move |shared| show(shared, &theirs, &objects));
    for reader in 0..READERS {
        let theirs = stand.clone();
        job(shared, move |shared| theirs.look(shared, reader));
    }
    Ok(())
}

fn show(shared: &Shared, stand: &Stand, objects: &[Handle]) -> Result<(), Error> {
    let mut round = 0;
    while shared.goes_on() {
        let tag = round % OBJECTS;
        let view = Arc::new(View::map(objects[tag as usize], 0, 1, Access::Read)?);
        (0..READERS).for_each(|_| Shared::count(&shared.mapped));
        *stand.shown.lock() = Some((view, tag));
        stand.tell()?;
        let mut seen = 0;
        while seen != (1 << READERS) - 1 {
            seen |= invoke(Wait { notification: stand.read, deadline: Deadline::NEVER })?.bits;
        }
        // The last of it: the page is unmapped here.
        drop(stand.shown.lock().take());
        round += 1;
    }
    stand.tell()
}

impl Stand {
    /// Another page stands there, or none does any more.
    fn tell(&self) -> Result<(), Error> {
        self.go.into_iter().try_for_each(|notification| invoke(Notify { notification, bits: SHOWN }).map(drop))
    }

    /// Reads each page once.
    fn look(&self, shared: &Shared, reader: usize) -> Result<(), Error> {
        loop {
            invoke(Wait { notification: self.go[reader], deadline: Deadline::NEVER })?;
            let Some((view, tag)) = self.shown.lock().clone() else { return Ok(()) };
            if view.load_u64(8)? != tag {
                shared.wrong("a page that is not there any more was read");
            }
            drop(view);
            Shared::count(&shared.read);
            invoke(Notify { notification: self.read, bits: 1 << reader })?;
        }
    }
}
