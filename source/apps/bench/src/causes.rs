//! Messages that do not go straight, each for its reason.
//!
//! A caller that is itself a server and calls on, a caller that has to queue, float registers that have to be kept.

use crate::pair::{self, Kind};
use crate::partner::{Client, Server, answer, exchange, pass, plain, step};
use crate::row::{Row, SAMPLES};
use alloc::boxed::Box;
use nexus_abi::syscall::{EndpointCreate, Yield, ipc};
use nexus_abi::{Error, Handle};
use nexus_rt::sys::use_float;
use nexus_rt::{kernel::invoke, thread};

const FLOAT: Kind = Kind::plain(["call, float in use", "reply and receive, float in use", "round trip, float in use"]);
const NESTED: Kind = Kind::plain(["call, nested", "reply and receive, nested", "round trip, nested"]);

/// Calls of each of two callers that meet at one server.
const CALLS: usize = 2 * SAMPLES;
/// Calls at the end at which one caller may be alone.
const ALONE: usize = 4;

/// The client's half.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    pair::ask(client, &FLOAT, use_float)?;
    nested(client)?;
    queued(client.server)
}

/// The server's half.
pub(crate) fn serve(server: &Server) -> Result<(), Error> {
    pair::converse(server, &FLOAT)?;
    pair::converse(server, &NESTED)?;
    serve_queued(server)
}

/// Calls while it serves a thread of its own: the link to that caller is open all the time.
fn nested(client: &Client) -> Result<(), Error> {
    let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
    // It ends with its answer; a refusal would leave the receive below waiting, for all to see.
    let body = move || {
        let _ = pass(&plain(ipc::CALL, endpoint, [0; 8]));
    };
    thread::spawn(1, Box::new(body))?;
    exchange(&plain(ipc::RECV, endpoint, [0; 8]))?;
    pair::ask(client, &NESTED, || ())?;
    answer([0; 8])
}

/// Two callers: each of their calls but the first finds the server at work for the other.
fn queued(server: Handle) -> Result<(), Error> {
    let body = move || {
        let _ = call_in_turn(server, 1);
    };
    thread::spawn(1, Box::new(body))?;
    call_in_turn(server, 0)
}

/// With each call, when the one before began.
fn call_in_turn(server: Handle, who: u64) -> Result<(), Error> {
    let mut began = 0;
    for _ in 0..CALLS {
        began = exchange(&plain(ipc::CALL, server, [who, began, 0, 0, 0, 0, 0, 0]))?.before;
    }
    Ok(())
}

/// The server gives the CPU away before each answer, so that the other caller comes and queues.
fn serve_queued(server: &Server) -> Result<(), Error> {
    let mut rows = ["call, queued", "reply and receive, queued", "round trip, queued"].map(Row::new);
    let mut back = [0; 2];
    let mut arrived = server.receive()?;
    for number in 1..2 * CALLS {
        let here = (arrived.arrival.words[0] ^ 1) as usize & 1;
        let resumed = step(Yield {})?.after;
        let next = exchange(&plain(ipc::REPLY_RECV, server.endpoint, [0; 8]))?;
        let [who, began, ..] = next.arrival.words;
        if number < 2 * CALLS - ALONE {
            if who as usize != here {
                return Err(Error::Protocol);
            }
            if began != 0 {
                let (there, taken) = (back[here] - began - 1, next.cost());
                rows.iter_mut().zip([there, taken, there + taken]).for_each(|(row, cost)| row.add(cost));
            }
        }
        back[here] = resumed;
        arrived = next;
    }
    rows.iter().for_each(Row::print);
    answer([0; 8])
}
