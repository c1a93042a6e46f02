//! Calls that no partner answers.

use crate::partner::step;
use crate::row::{Row, SAMPLES};
use nexus_abi::Error;
use nexus_abi::layout::SHARED_START;
use nexus_abi::syscall::{Map, MemoryCreate, MemoryGrow, NotificationCreate, Notify, Unmap, Whoami, access};
use nexus_rt::kernel::invoke;

/// Far from everything that the runtime maps.
const PLACE: u64 = SHARED_START + (1 << 36);

/// Prints the rows of calls that this program makes alone.
pub(crate) fn run() -> Result<(), Error> {
    let mut null = Row::new("null system call");
    let mut notify = Row::new("signal, nobody waits");
    let (mut map, mut unmap) = (Row::new("map one page"), Row::new("unmap one page"));
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    for _ in 0..2 * SAMPLES {
        null.add(step(Whoami {})?.cost());
        notify.add(step(Notify { notification, bits: 1 })?.cost());
        map.add(step(Map { process: None, memory, address: PLACE, offset: 0, pages: 1, access: access::READ })?.cost());
        unmap.add(step(Unmap { process: None, address: PLACE, pages: 1 })?.cost());
    }
    [null, notify, map, unmap].iter().for_each(Row::print);
    Ok(())
}
