//! From one thread to another without a message, between two address spaces.

use crate::partner::{Client, Server, answer, step};
use crate::row::{Row, SAMPLES};
use nexus_abi::syscall::{Notify, QosSet, Wait, Yield};
use nexus_abi::{Deadline, Error, Handle, QosClass};

const ROUNDS: usize = 2 * SAMPLES;

/// The client's half of the yields: each is followed by a call that tells when it began.
pub(crate) fn call_yields(client: &Client) -> Result<(), Error> {
    client.call([0; 8])?;
    for _ in 0..ROUNDS {
        let done = step(Yield {})?;
        client.call([done.before, 0, 0, 0, 0, 0, 0, 0])?;
    }
    Ok(())
}

/// The server's half: it yields to the client, which yields back.
pub(crate) fn serve_yields(server: &Server) -> Result<(), Error> {
    let mut row = Row::new("yield to another thread");
    server.receive()?;
    answer([0; 8])?;
    for _ in 0..ROUNDS {
        let done = step(Yield {})?;
        let told = server.receive()?;
        row.add(done.after - told.arrival.words[0] - 1);
        answer([0; 8])?;
    }
    row.print();
    Ok(())
}

/// The client's half of the signals, in a class below the server's; likewise.
pub(crate) fn call_signals(client: &Client, notification: Handle) -> Result<(), Error> {
    step(QosSet { class: QosClass::Idle as u8, target: 0 })?;
    client.call([0; 8])?;
    for _ in 0..ROUNDS {
        let done = step(Notify { notification, bits: 1 })?;
        client.call([done.before, 0, 0, 0, 0, 0, 0, 0])?;
    }
    Ok(())
}

/// The server's half: it waits for the signal.
pub(crate) fn serve_signals(server: &Server) -> Result<(), Error> {
    let mut row = Row::new("signal, a higher-priority waiter runs");
    server.receive()?;
    answer([0; 8])?;
    for _ in 0..ROUNDS {
        let done = step(Wait { notification: server.notification, deadline: Deadline::NEVER })?;
        let told = server.receive()?;
        row.add(done.after - told.arrival.words[0] - 1);
        answer([0; 8])?;
    }
    row.print();
    Ok(())
}
