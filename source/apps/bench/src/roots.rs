//! What takes authority that programs do not get: a fault that another program answers, an interrupt of a device.
//!
//! Runs where the bench stands in the clock's place, with its chip and the right to start programs. The client lives in
//! another shard than the server, so the pair's rows are those of messages across shards.

use crate::pair;
use crate::partner::{Client, Server, answer, step};
use crate::row::{Row, SAMPLES};
use nexus_abi::layout::SHARED_START;
use nexus_abi::message::Status;
use nexus_abi::syscall::{IrqAck, Map, MemoryCreate, MemoryGrow, ProcessFaults, ProcessOpen, Unmap, Wait, access};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::{counted_load, counted_store};
use nexus_rt::{env, kernel::invoke, println};

/// What the manifest calls the clock chip.
const DEVICE: &str = "rtc";
/// Registers of the goldfish RTC (QEMU, `hw/rtc/goldfish_rtc.c`). An alarm in the past rings at once.
const ALARM_LOW: usize = 0x08;
const ALARM_HIGH: usize = 0x0c;
const INTERRUPTS: usize = 0x10;
const SILENCE: usize = 0x1c;
/// Where the server maps things into the client, far from everything that the runtime maps.
const FAULTS: u64 = SHARED_START + (1 << 36);
const CHIP: u64 = FAULTS + (1 << 30);

const ROUNDS: usize = 2 * SAMPLES;

/// True where the program holds what this takes.
pub(crate) fn held() -> bool {
    env::handle(DEVICE).is_ok() && env::handle("spawn").is_ok()
}

/// The server's half.
pub(crate) fn run() -> Result<(), Error> {
    let server = Server::with_client("held")?;
    let client = invoke(ProcessOpen { spawn: env::handle("spawn")?, process: server.process })?.process;
    pair::serve(&server)?;
    faults(&server, client)?;
    interrupts(&server, client)?;
    server.see_off()?;
    println!("bench: end");
    Ok(())
}

/// The client's half.
pub(crate) fn call(client: &Client) -> Result<(), Error> {
    pair::call(client)?;
    client.call([0; 8])?;
    for _ in 0..ROUNDS {
        let began = counted_load(FAULTS);
        client.call([began, 0, 0, 0, 0, 0, 0, 0])?;
    }
    client.call([0; 8])?;
    for _ in 0..ROUNDS {
        let began = counted_store(CHIP + ALARM_LOW as u64, 0);
        client.call([began, 0, 0, 0, 0, 0, 0, 0])?;
    }
    Ok(())
}

/// The client loads from a page that is not there; the server puts it there, and takes it away again.
fn faults(server: &Server, client: Handle) -> Result<(), Error> {
    let mut row = Row::new("page fault, its handler runs");
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    server.receive()?;
    invoke(ProcessFaults { process: client, endpoint: server.endpoint })?;
    answer([0; 8])?;
    for _ in 0..ROUNDS {
        let fault = server.receive()?;
        if !fault.arrival.status.has(Status::FAULT) || fault.arrival.words[2] != FAULTS {
            return Err(Error::Protocol);
        }
        let process = Some(client);
        invoke(Map { process, memory, address: FAULTS, offset: 0, pages: 1, access: access::READ })?;
        answer([0; 8])?;
        let told = server.receive()?;
        invoke(Unmap { process, address: FAULTS, pages: 1 })?;
        row.add(fault.after - told.arrival.words[0] - 1);
        answer([0; 8])?;
    }
    row.print();
    Ok(())
}

/// The client's store rings the clock chip, whose interrupt the server awaits in a higher class. The store is not counted.
fn interrupts(server: &Server, client: Handle) -> Result<(), Error> {
    let mut row = Row::new("device interrupt, a user thread runs");
    let (window, irq) = (env::handle(DEVICE)?, env::handle("rtc.irq")?);
    let notification = env::handle("rtc.signal")?;
    let chip = View::map(window, 0, 1, Access::Write)?;
    chip.store_u32(ALARM_HIGH, 0)?;
    chip.store_u32(INTERRUPTS, 1)?;
    server.receive()?;
    let process = Some(client);
    invoke(Map { process, memory: window, address: CHIP, offset: 0, pages: 1, access: access::WRITE })?;
    invoke(IrqAck { irq })?;
    answer([0; 8])?;
    for _ in 0..ROUNDS {
        let rung = step(Wait { notification, deadline: Deadline::NEVER })?;
        chip.store_u32(SILENCE, 1)?;
        invoke(IrqAck { irq })?;
        let told = server.receive()?;
        row.add(rung.after - told.arrival.words[0] - 2);
        answer([0; 8])?;
    }
    row.print();
    invoke(Unmap { process, address: CHIP, pages: 1 })?;
    Ok(())
}
