//! Counts the instructions of system calls and messages: one line a row, smallest and largest of its samples.
//!
//! Without arguments it is the server: it starts a copy of itself, in another address space, as its client. On one hart
//! both read the same counter, so a one-way cost is one side's reading less the other's. Each scene has a server's and a
//! client's half, which play in the same order. With `timers` it only runs the experiment with timers. Runs under `cargo xtask bench`.

#![no_std]
#![no_main]

extern crate alloc;

mod births;
mod bulk;
mod leaves;
mod pair;
mod partner;
mod row;
mod timers;
mod typed;
mod wakes;

use nexus_abi::Error;
use nexus_rt::{env, println};
use partner::{Client, Server};

nexus_rt::program!(main);

fn main() -> Result<(), Error> {
    match env::arguments().nth(1) {
        Some("client") => client(&Client::of_start_page()?),
        Some("timers") => timers::run(),
        _ => server(),
    }
}

fn server() -> Result<(), Error> {
    timers::run()?;
    leaves::run()?;
    births::threads()?;
    births::programs()?;
    let server = Server::with_client()?;
    pair::serve(&server)?;
    typed::serve(&server)?;
    bulk::serve(&server)?;
    wakes::serve_yields(&server)?;
    wakes::serve_signals(&server)?;
    server.see_off()?;
    println!("bench: end");
    Ok(())
}

fn client(client: &Client) -> Result<(), Error> {
    pair::call(client)?;
    let shared = typed::call(client)?;
    bulk::call(client, shared.memory)?;
    wakes::call_yields(client)?;
    wakes::call_signals(client, shared.notification)
}
