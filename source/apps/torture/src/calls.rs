//! Callers that wander from CPU to CPU, and servers that all of them call.

use alloc::sync::Arc;
use core::sync::atomic::Ordering;

use nexus_abi::syscall::{AffinitySet, EndpointCreate, ipc};
use nexus_abi::{Error, Handle};
use nexus_rt::kernel::invoke;
use nexus_rt::sys::{Departure, counted};

use crate::{Shared, job};

const SERVERS: usize = 2;
const CALLERS: u64 = 4;
/// Calls between two moves.
const STAY: u64 = 50;
/// The first word of the call that ends a server.
const END: u64 = u64::MAX;

/// Starts them.
pub(crate) fn begin(shared: &Arc<Shared>) -> Result<(), Error> {
    let mut doors = [None; SERVERS];
    for door in &mut doors {
        let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
        *door = Some(endpoint);
        job(shared, move |_| serve(endpoint));
    }
    let doors = doors.map(|door| door.ok_or(Error::Invalid));
    for number in 0..CALLERS {
        let doors = [doors[0]?, doors[1]?];
        job(shared, move |shared| call(shared, doors, number));
    }
    Ok(())
}

fn exchange(number: u64, target: Handle, words: [u64; 8]) -> Result<[u64; 8], Error> {
    let arrival = counted(&Departure { number, target: target.raw(), deadline: u64::MAX, extent: 0, words }).arrival;
    arrival.status.error().map_or(Ok(arrival.words), Err)
}

/// Answers each call with every word one more, until each caller has said that it ends.
fn serve(endpoint: Handle) -> Result<(), Error> {
    let mut words = exchange(ipc::RECV, endpoint, [0; 8])?;
    let mut left = CALLERS;
    loop {
        left -= u64::from(words[0] == END);
        let answer = words.map(|word| word.wrapping_add(1));
        if left == 0 {
            let done = counted(&Departure { number: ipc::REPLY, target: 0, deadline: 0, extent: 0, words: answer });
            return done.arrival.status.error().map_or(Ok(()), Err);
        }
        words = exchange(ipc::REPLY_RECV, endpoint, answer)?;
    }
}

fn call(shared: &Shared, doors: [Handle; SERVERS], number: u64) -> Result<(), Error> {
    let cpus = u64::from(shared.cpus.load(Ordering::Relaxed));
    let mut calls = number << 32;
    while shared.goes_on() {
        calls += 1;
        if calls.is_multiple_of(STAY) {
            invoke(AffinitySet { thread: None, mask: 1 << (calls / STAY % cpus) })?;
            Shared::count(&shared.moved);
        }
        let words = core::array::from_fn(|at| calls.wrapping_mul(at as u64 + 1));
        Shared::count(&shared.called);
        let answer = exchange(ipc::CALL, doors[(calls % SERVERS as u64) as usize], words)?;
        if answer != words.map(|word| word.wrapping_add(1)) {
            shared.wrong("an answer belongs to another call");
        }
        Shared::count(&shared.answered);
    }
    for door in doors {
        exchange(ipc::CALL, door, [END; 8])?;
    }
    Ok(())
}
