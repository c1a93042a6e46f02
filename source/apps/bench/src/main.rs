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

use nexus_abi::Error;
use nexus_rt::{env, println};
use partner::{Client, Server};

nexus_rt::program!(main);

fn main() -> Result<(), Error> {
    match env::arguments().nth(1) {
        Some("client") => client(&Client::of_start_page()?),
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

fn server() -> Result<(), Error> {
    timers::run()?;
    leaves::run()?;
    births::threads()?;
    births::programs()?;
    let server = Server::with_client("client")?;
    pair::serve(&server)?;
    pair::serve_loop(&server)?;
    causes::serve(&server)?;
    typed::serve(&server)?;
    bulk::serve(&server)?;
    wakes::serve_yields(&server)?;
    wakes::serve_signals(&server)?;
    server.see_off()?;
    println!("bench: end");
    Ok(())
}

/// Counted messages, then the longest calls that there are, for who looks at each instruction.
fn pair_alone() -> Result<(), Error> {
    let server = Server::with_client("called")?;
    pair::serve(&server)?;
    edges::serve(&server)?;
    server.see_off()?;
    println!("bench: end");
    Ok(())
}

fn called(client: &Client) -> Result<(), Error> {
    pair::call(client)?;
    edges::call(client)
}

fn client(client: &Client) -> Result<(), Error> {
    pair::call(client)?;
    pair::call_loop(client)?;
    causes::call(client)?;
    let shared = typed::call(client)?;
    bulk::call(client, shared.memory)?;
    wakes::call_yields(client)?;
    wakes::call_signals(client, shared.notification)
}
