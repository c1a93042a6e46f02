//! 64 KiB handed over and back in shared memory: nothing is copied, each side touches every page.

use crate::partner::{Client, SHARED_PAGES, Server, answer, exchange, plain};
use crate::row::{Row, SAMPLES};
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::ipc;
use nexus_abi::{Error, Handle};
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::retired;

/// Calls: one more than samples, to tell the last one's cost.
const CALLS: u64 = 2 * SAMPLES as u64 + 1;

fn pages() -> impl Iterator<Item = usize> {
    (0..SHARED_PAGES as usize).map(|page| page * PAGE_SIZE)
}

/// The client's half: a word into each page, a call, and in each page the server's answer.
pub(crate) fn call(client: &Client, memory: Handle) -> Result<(), Error> {
    let view = View::map(memory, 0, SHARED_PAGES, Access::Write)?;
    let mut cost = 0;
    for number in 0..CALLS {
        let before = retired();
        pages().try_for_each(|at| view.store_u64(at, number))?;
        client.call([cost, 0, 0, 0, 0, 0, 0, 0])?;
        let mut right = true;
        for at in pages() {
            right &= view.load_u64(at)? == number + 1;
        }
        cost = retired() - before - 1;
        if !right {
            return Err(Error::Protocol);
        }
    }
    Ok(())
}

/// The server's half: what each page holds, and one more.
pub(crate) fn serve(server: &Server) -> Result<(), Error> {
    let view = View::map(server.memory, 0, SHARED_PAGES, Access::Write)?;
    // The first call has no cost to tell.
    let mut row = Row::warmed_by("bulk 64 KiB round trip", SAMPLES + 1);
    let mut arrived = server.receive()?;
    for number in 1..=CALLS {
        row.add(arrived.arrival.words[0]);
        for at in pages() {
            view.store_u64(at, view.load_u64(at)? + 1)?;
        }
        if number < CALLS {
            arrived = exchange(&plain(ipc::REPLY_RECV, server.endpoint, [0; 8]))?;
        }
    }
    row.print();
    answer([0; 8])
}
