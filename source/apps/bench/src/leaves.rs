//! Calls that no partner answers.

use crate::row::{Row, SAMPLES};
use nexus_abi::Error;
use nexus_abi::layout::SHARED_START;
use nexus_abi::syscall::{Map, MemoryCreate, MemoryGrow, NotificationCreate, Notify, Syscall, Unmap, Whoami, access};
use nexus_rt::kernel::invoke;
use nexus_rt::sys::{Departure, counted};

/// Far from everything that the runtime maps.
const PLACE: u64 = SHARED_START + (1 << 36);

/// Makes a typed call, counted. A refusal ends the program: a row of refusals would count nothing.
fn cost<S: Syscall>(call: S) -> Result<u64, Error> {
    let mut words = [0; 8];
    let target = call.encode(&mut |at, word| words[at] = word);
    let out = Departure { number: S::NUMBER, target, deadline: 0, extent: 0, words };
    let done = counted(&out);
    done.arrival.status.error().map_or(Ok(done.cost()), Err)
}

/// Prints the rows of calls that this program makes alone.
pub(crate) fn run() -> Result<(), Error> {
    let mut null = Row::new("null system call");
    let mut notify = Row::new("signal, nobody waits");
    let (mut map, mut unmap) = (Row::new("map one page"), Row::new("unmap one page"));
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    for _ in 0..2 * SAMPLES {
        null.add(cost(Whoami {})?);
        notify.add(cost(Notify { notification, bits: 1 })?);
        map.add(cost(Map { process: None, memory, address: PLACE, offset: 0, pages: 1, access: access::READ })?);
        unmap.add(cost(Unmap { process: None, address: PLACE, pages: 1 })?);
    }
    [null, notify, map, unmap].iter().for_each(Row::print);
    Ok(())
}
