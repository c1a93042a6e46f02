//! Counts the instructions of system calls and messages: one line a row, smallest and largest of its samples.
//!
//! Without arguments it is the server: it starts a copy of itself, in another address space, as its client. On one hart
//! both read the same counter, so a one-way cost is one side's reading less the other's. Each scene has a server's and a
//! client's half, which play in the same order. With `timers` it only runs the experiment with timers, with `short` a table
//! for who sits at the prompt; in a place with a device, what takes one. Runs under `cargo xtask bench`.

#![no_std]
#![no_main]

extern crate alloc;

mod awaken;
mod births;
mod bulk;
mod causes;
mod edges;
mod leaves;
mod pair;
mod partner;
mod roots;
mod row;
mod short;
mod timers;
mod typed;
mod wakes;
mod wall;

use core::time::Duration;
use nexus_abi::Error;
use nexus_rt::{env, println};
use partner::{Client, Server};

nexus_rt::program!(main);

/// Longer than the rows take that are read in a service's place: the machine ends with the proof program.
const LAST: Duration = Duration::from_millis(500);

fn main() -> Result<(), Error> {
    match env::arguments().nth(1) {
        Some("client") => client(&Client::of_start_page()?),
        Some("rows") => rows("rows of client").and_then(end),
        Some("rows of client") => client_rows(&Client::of_start_page()?),
        Some("last") => wall::sleep(LAST),
        Some("pair") => pair_alone(),
        Some("called") => called(&Client::of_start_page()?),
        Some("held") => roots::call(&Client::of_start_page()?),
        Some("wall") => wall::run(),
        Some("caller") => wall::call(&Client::of_start_page()?),
        Some("partner") => short::call(&Client::of_start_page()?),
        Some("short") => short::run(),
        Some("timers") => timers::run(),
        _ if roots::held() => roots::run(),
        _ => server(),
    }
}

/// Every row, the long loop last.
fn server() -> Result<(), Error> {
    let server = rows("client")?;
    pair::serve_loop(&server)?;
    end(server)
}

fn client(client: &Client) -> Result<(), Error> {
    client_rows(client)?;
    pair::call_loop(client)
}

/// Rows that are short enough for who looks at each instruction; the client that plays this part is left at its last one.
fn rows(client: &str) -> Result<Server, Error> {
    timers::run()?;
    leaves::run()?;
    births::threads()?;
    births::programs()?;
    let server = Server::with_client(client)?;
    pair::serve(&server)?;
    causes::serve(&server)?;
    typed::serve(&server)?;
    bulk::serve(&server)?;
    wakes::serve_yields(&server)?;
    wakes::serve_signals(&server)?;
    Ok(server)
}

fn client_rows(client: &Client) -> Result<(), Error> {
    pair::call(client)?;
    causes::call(client)?;
    let shared = typed::call(client)?;
    bulk::call(client, shared.memory)?;
    wakes::call_yields(client)?;
    wakes::call_signals(client, shared.notification)
}

fn end(server: Server) -> Result<(), Error> {
    server.see_off()?;
    println!("bench: end");
    Ok(())
}

/// Counted messages, then the longest calls that there are, for who looks at each instruction.
fn pair_alone() -> Result<(), Error> {
    let server = Server::with_client("called")?;
    pair::serve(&server)?;
    edges::serve(&server)?;
    end(server)
}

fn called(client: &Client) -> Result<(), Error> {
    pair::call(client)?;
    edges::call(client)
}
