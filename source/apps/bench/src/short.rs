//! The short table, for who sits at the prompt: what calls, yields and messages take here and now.
//!
//! The counter of instructions counts host time where the emulator was not told to count instructions. Two readings one
//! behind the other tell which it is; the clock's column is right in either case. Both include a loop's user code.

use crate::partner::{Client, Server, answer, pass, plain};
use nexus_abi::Error;
use nexus_abi::syscall::{NotificationCreate, Notify, Whoami, Yield, ipc};
use nexus_rt::sys::retired;
use nexus_rt::{Instant, kernel::invoke, println};

/// Operations that a row is the mean of.
const ROUNDS: u64 = 4000;
/// Looks at the counter before it is believed.
const LOOKS: usize = 64;
/// Instructions between two readings, and one more for the compiler to move the first.
const BETWEEN: u64 = 2;

/// What the counter counts.
#[derive(Clone, Copy)]
enum Counter {
    Instructions,
    HostTime,
}

impl Counter {
    fn found() -> Counter {
        let close = || {
            let first = retired();
            retired().wrapping_sub(first) <= BETWEEN
        };
        if (0..LOOKS).all(|_| close()) { Counter::Instructions } else { Counter::HostTime }
    }
}

/// Prints the table.
pub(crate) fn run() -> Result<(), Error> {
    let counter = Counter::found();
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let server = Server::with_client("partner")?;
    println!("{:<24} {:>8} {:>13}", "mean of 4000", "ns", "instructions");
    row("null system call", counter, || invoke(Whoami {}).map(drop))?;
    row("signal, nobody waits", counter, || invoke(Notify { notification, bits: 1 }).map(drop))?;
    row("yield, nobody else", counter, || invoke(Yield {}).map(drop))?;
    pass(&plain(ipc::RECV, server.endpoint, [0; 8]))?;
    let go_on = plain(ipc::REPLY_RECV, server.endpoint, [0; 8]);
    row("round trip, 8 words", counter, || pass(&go_on).map(drop))?;
    answer([1; 8])?;
    server.see_off()
}

/// The client's half: it calls until it is told to stop.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    let out = plain(ipc::CALL, client.server, [0; 8]);
    while pass(&out)?.words[0] == 0 {}
    Ok(())
}

fn row(name: &str, counter: Counter, mut once: impl FnMut() -> Result<(), Error>) -> Result<(), Error> {
    let (since, before) = (Instant::now(), retired());
    for _ in 0..ROUNDS {
        once()?;
    }
    let (counted, took) = (retired() - before, Instant::now().since(since));
    let took_ns = took.as_nanos() as u64 / ROUNDS;
    match counter {
        Counter::Instructions => println!("{name:<24} {took_ns:>8} {:>13}", counted / ROUNDS),
        Counter::HostTime => println!("{name:<24} {took_ns:>8} {:>13}", "not counted"),
    }
    Ok(())
}
