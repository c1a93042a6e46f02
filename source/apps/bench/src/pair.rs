//! Messages between two address spaces.
//!
//! The client calls; with each call it tells its readings of the one before. The server's own readings give the rest.

use crate::row::{Row, SAMPLES};
use core::time::Duration;
use nexus_abi::syscall::{Derive, EndpointCreate, ipc};
use nexus_abi::{Error, Handle, Rights};
use nexus_proto::exec;
use nexus_rt::sys::{Counted, Departure, counted};
use nexus_rt::{Channel, env, kernel::invoke, println, time::deadline_in};

/// Calls of each kind, and one more that tells the last readings.
const CALLS: usize = 2 * SAMPLES + 1;
/// Longer than any run: the deadline is armed and never passes.
const LONG: Duration = Duration::from_secs(1000);

/// The kinds of conversation: how the client calls, how the server answers, what the rows are called.
const KINDS: [(u64, u64, [&str; 3]); 2] = [
    (ipc::CALL, ipc::REPLY_RECV, ["call", "reply and receive", "round trip, 0 to 8 words"]),
    (
        ipc::CALL_UNTIL,
        ipc::REPLY_RECV_UNTIL,
        ["call with deadline", "reply and receive with deadline", "round trip with deadlines"],
    ),
];

fn exchange(number: u64, target: Handle, words: [u64; 8]) -> Result<Counted, Error> {
    let deadline = deadline_in(LONG).0;
    let done = counted(&Departure { number, target: target.raw(), deadline, extent: 0, words });
    done.arrival.status.error().map_or(Ok(done), Err)
}

/// Calls the server that started this program, `CALLS` times in each way.
pub(crate) fn client() -> Result<(), Error> {
    let server = env::handle("stdin")?;
    for (call, _, _) in KINDS {
        let mut readings = [0; 2];
        for _ in 0..CALLS {
            let done = exchange(call, server, [readings[0], readings[1], 3, 4, 5, 6, 7, 8])?;
            readings = [done.before, done.after];
        }
    }
    Ok(())
}

/// Starts the client, answers it, and prints what both counted.
pub(crate) fn server() -> Result<(), Error> {
    let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
    let rights = Rights::USE.union(Rights::TRANSFER);
    let for_client = invoke(Derive { source: endpoint, rights, badge: 0 })?.handle;
    let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
    let started = programs.start("bench", &exec::pack(["client"])?, Some(for_client), None, None)?;
    let mut arrived = exchange(ipc::RECV, endpoint, [0; 8])?;
    for (at, (_, answer, names)) in KINDS.into_iter().enumerate() {
        let ends = if at + 1 == KINDS.len() { Ends::Here } else { Ends::Later };
        arrived = converse(endpoint, answer, names, arrived, ends)?;
    }
    programs.wait(started.process)?;
    println!("bench: end");
    Ok(())
}

/// Whether a conversation is the last one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    Here,
    Later,
}

/// One kind of conversation, from its first call, which has arrived, to the first call of the next kind.
fn converse(
    endpoint: Handle,
    answer: u64,
    [call, reply, trip]: [&'static str; 3],
    first: Counted,
    ends: Ends,
) -> Result<Counted, Error> {
    let (mut calls, mut replies, mut trips) = (Row::new(call), Row::new(reply), Row::new(trip));
    let mut arrived = first;
    for _ in 1..CALLS {
        let next = exchange(answer, endpoint, arrived.arrival.words)?;
        let [sent, answered] = [next.arrival.words[0], next.arrival.words[1]];
        calls.add(arrived.after - sent - 1);
        replies.add(answered - next.before - 1);
        trips.add(arrived.after - sent - 1 + answered - next.before - 1);
        arrived = next;
    }
    [calls, replies, trips].iter().for_each(Row::print);
    if ends == Ends::Here {
        return answer_link(arrived.arrival.words);
    }
    exchange(answer, endpoint, arrived.arrival.words)
}

/// Answers the open link and goes on.
fn answer_link(words: [u64; 8]) -> Result<Counted, Error> {
    let done = counted(&Departure { number: ipc::REPLY, target: 0, deadline: 0, extent: 0, words });
    done.arrival.status.error().map_or(Ok(done), Err)
}
