//! Messages between two address spaces.
//!
//! The client calls; with each call it tells its readings of the one before. The server's own readings give the rest.

use crate::partner::{Client, Server, answer, exchange, pass, plain};
use crate::row::{Row, SAMPLES};
use core::time::Duration;
use nexus_abi::message::Extent;
use nexus_abi::syscall::ipc;
use nexus_abi::{Error, Handle};
use nexus_rt::sys::{Counted, Departure, retired};
use nexus_rt::time::deadline_in;

/// Calls of each kind, and one more that tells the last readings.
const CALLS: usize = 2 * SAMPLES + 1;
/// Round trips of the loop.
const ROUNDS: u64 = 100_000;
/// Longer than any run: the deadline is armed and never passes.
const LONG: Duration = Duration::from_secs(1000);
/// Bytes of the messages that have some.
const BYTES: usize = 512;

/// A kind of conversation.
pub(crate) struct Kind {
    call: u64,
    answer: u64,
    bytes: usize,
    /// What the rows of call, answer and both are called.
    rows: [&'static str; 3],
}

const KINDS: [Kind; 3] = [
    Kind::plain(["call", "reply and receive", "round trip, 0 to 8 words"]),
    Kind {
        call: ipc::CALL_UNTIL,
        answer: ipc::REPLY_RECV_UNTIL,
        bytes: 0,
        rows: ["call with deadline", "reply and receive with deadline", "round trip with deadlines"],
    },
    Kind::extended(BYTES, ["call, 512 bytes", "reply and receive, 512 bytes", "round trip, 512 bytes"]),
];

impl Kind {
    /// Words alone, without a deadline.
    pub(crate) const fn plain(rows: [&'static str; 3]) -> Kind {
        Kind { call: ipc::CALL, answer: ipc::REPLY_RECV, bytes: 0, rows }
    }

    /// With bytes, and a deadline as all that have bytes.
    pub(crate) const fn extended(bytes: usize, rows: [&'static str; 3]) -> Kind {
        Kind { call: ipc::CALL_EXTENDED, answer: ipc::REPLY_RECV_EXTENDED, bytes, rows }
    }

    fn exchange(&self, number: u64, target: Handle, words: [u64; 8]) -> Result<Counted, Error> {
        let extent = Extent { length: self.bytes, ..Extent::default() }.to_word();
        let deadline = deadline_in(LONG).0;
        exchange(&Departure { number, target: target.raw(), deadline, extent, words })
    }
}

/// The client's half: counted calls of each kind.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    KINDS.iter().try_for_each(|kind| ask(client, kind, || ()))
}

/// One kind of conversation; `first` is done before each call.
pub(crate) fn ask(client: &Client, kind: &Kind, first: impl Fn()) -> Result<(), Error> {
    let mut readings = [0; 2];
    for _ in 0..CALLS {
        first();
        let done = kind.exchange(kind.call, client.server, [readings[0], readings[1], 3, 4, 5, 6, 7, 8])?;
        readings = [done.before, done.after];
    }
    Ok(())
}

/// The client's half of the loop.
pub(crate) fn call_loop(client: &Client) -> Result<(), Error> {
    let before = retired();
    let mut out = plain(ipc::CALL, client.server, [0; 8]);
    for _ in 0..ROUNDS {
        out.words = pass(&out)?.words;
    }
    let took = retired() - before;
    client.call([took, out.words[0], 0, 0, 0, 0, 0, 0]).map(drop)
}

/// The server's half.
pub(crate) fn serve(server: &Server) -> Result<(), Error> {
    KINDS.iter().try_for_each(|kind| converse(server, kind))
}

/// The server's half of the loop.
pub(crate) fn serve_loop(server: &Server) -> Result<(), Error> {
    let mut arrived = pass(&plain(ipc::RECV, server.endpoint, [0; 8]))?;
    for _ in 0..ROUNDS {
        arrived.words[0] += 1;
        arrived = pass(&plain(ipc::REPLY_RECV, server.endpoint, arrived.words))?;
    }
    let [took, rounds, ..] = arrived.words;
    if rounds != ROUNDS {
        return Err(Error::Protocol);
    }
    let mut row = Row::warmed_by("round trip in a loop with its user code", 0);
    row.add(took / ROUNDS);
    row.print();
    answer([0; 8])
}

/// One kind of conversation, from its first call to the answer to its last.
pub(crate) fn converse(server: &Server, kind: &Kind) -> Result<(), Error> {
    let mut rows = kind.rows.map(Row::new);
    let mut arrived = server.receive()?;
    for _ in 1..CALLS {
        let next = kind.exchange(kind.answer, server.endpoint, arrived.arrival.words)?;
        let [sent, answered] = [next.arrival.words[0], next.arrival.words[1]];
        let (there, back) = (arrived.after - sent - 1, answered - next.before - 1);
        rows.iter_mut().zip([there, back, there + back]).for_each(|(row, cost)| row.add(cost));
        arrived = next;
    }
    rows.iter().for_each(Row::print);
    answer(arrived.arrival.words)
}
