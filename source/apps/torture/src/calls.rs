//! Callers that wander from CPU to CPU, a server that stays on each, and servers that come to who calls.
//!
//! A call between each pair of CPUs is counted on its own.

use alloc::{sync::Arc, vec::Vec};
use core::sync::atomic::Ordering;

use nexus_abi::syscall::{AffinitySet, EndpointCreate, ipc};
use nexus_abi::{Error, Handle};
use nexus_rt::kernel::invoke;
use nexus_rt::sys::{Departure, counted};

use crate::{CPUS, Shared, job};

/// Servers that may run on every CPU.
const FREE: usize = 2;
const CALLERS: usize = 4;
/// Calls between two moves.
const STAY: usize = 50;
/// The first word of the call that ends a server.
const END: u64 = u64::MAX;

/// Starts them.
pub(crate) fn begin(shared: &Arc<Shared>) -> Result<(), Error> {
    let cpus = shared.cpus.load(Ordering::Relaxed) as usize;
    let mut doors = Vec::new();
    for number in 0..cpus + FREE {
        let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
        let home = (number < cpus).then_some(number);
        doors.push(endpoint);
        job(shared, move |_| serve(endpoint, home));
    }
    let doors: Arc<[Handle]> = doors.into();
    for number in 0..CALLERS {
        let doors = doors.clone();
        job(shared, move |shared| call(shared, &doors, number));
    }
    Ok(())
}

fn exchange(number: u64, target: Handle, words: [u64; 8]) -> Result<[u64; 8], Error> {
    let arrival = counted(&Departure { number, target: target.raw(), deadline: u64::MAX, extent: 0, words }).arrival;
    arrival.status.error().map_or(Ok(arrival.words), Err)
}

/// Answers each call with every word one more, until each caller has said that it ends.
fn serve(endpoint: Handle, home: Option<usize>) -> Result<(), Error> {
    if let Some(cpu) = home {
        invoke(AffinitySet { thread: None, mask: 1 << cpu })?;
    }
    let mut words = exchange(ipc::RECV, endpoint, [0; 8])?;
    let mut left = CALLERS;
    loop {
        left -= usize::from(words[0] == END);
        let answer = words.map(|word| word.wrapping_add(1));
        if left == 0 {
            let done = counted(&Departure { number: ipc::REPLY, target: 0, deadline: 0, extent: 0, words: answer });
            return done.arrival.status.error().map_or(Ok(()), Err);
        }
        words = exchange(ipc::REPLY_RECV, endpoint, answer)?;
    }
}

fn call(shared: &Shared, doors: &[Handle], number: usize) -> Result<(), Error> {
    let cpus = doors.len() - FREE;
    let (mut calls, mut here) = (number << 32, None);
    while shared.goes_on() {
        calls += 1;
        if calls.is_multiple_of(STAY) {
            here = go(shared, calls / STAY % cpus)?.or(here);
        }
        let words = core::array::from_fn(|at| (calls as u64).wrapping_mul(at as u64 + 1));
        let to = calls % doors.len();
        Shared::count(&shared.called);
        if exchange(ipc::CALL, doors[to], words)? != words.map(|word| word.wrapping_add(1)) {
            shared.wrong("an answer belongs to another call");
        }
        Shared::count(&shared.answered);
        if let Some(here) = here.filter(|_| to < cpus) {
            Shared::count(&shared.pairs[here % CPUS][to % CPUS]);
        }
    }
    for door in doors {
        exchange(ipc::CALL, *door, [END; 8])?;
    }
    Ok(())
}

/// Moves the calling thread to a CPU; none if it has moved too often lately, or there is no room.
fn go(shared: &Shared, cpu: usize) -> Result<Option<usize>, Error> {
    match invoke(AffinitySet { thread: None, mask: 1 << cpu }) {
        Ok(_) => {
            Shared::count(&shared.moved);
            Ok(Some(cpu))
        }
        Err(Error::RateLimited | Error::Again) => {
            Shared::count(&shared.stayed);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
