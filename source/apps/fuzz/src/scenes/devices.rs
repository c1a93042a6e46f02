//! Windows and interrupt lines until there are no more, and one whose notification is dead.

use nexus_abi::syscall::{
    Close, IrqAck, IrqMint, NotificationCreate, ProcessCreate, ProcessKill, ProcessPrefix, WindowMint,
};
use nexus_abi::{Error, Name, Quota, ServiceId};
use nexus_rt::env;

use super::bare;
use crate::fuzzer::Fuzzer;

/// Where the machine has devices that nobody uses here.
const DEVICES: u64 = 0x1000_1000;
const LINE: u32 = 40;

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let (root, spawn) = (env::handle("devices")?, env::handle("spawn-root")?);
    let quota = Quota { frames: 4, notifications: 1, ..Quota::default() };
    let (service, name) = (ServiceId::program("app/brief"), Name::default());
    let process = fuzzer.ask(ProcessCreate { spawn, service, name, quota, shard: None })?.process;
    let dead = fuzzer.ask(NotificationCreate { process: Some(process) })?.notification;
    fuzzer.ask(ProcessKill { process, status: 0 })?;
    let _ = fuzzer.ask(IrqMint { root, line: LINE, notification: dead, bits: 1 });
    let _ = fuzzer.ask(ProcessPrefix { spawn, process, prefix: name });
    let notification = fuzzer.ask(NotificationCreate { process: None })?.notification;
    let irq = fuzzer.ask(IrqMint { root, line: LINE, notification, bits: 1 })?.irq;
    let _ = fuzzer.ask(IrqMint { root, line: LINE, notification, bits: 1 });
    let irq = bare(fuzzer, irq)?;
    let _ = fuzzer.ask(IrqAck { irq });
    let mut windows = [None; 24];
    for (at, window) in windows.iter_mut().enumerate() {
        match fuzzer.ask(WindowMint { root, address: DEVICES + 4096 * at as u64, pages: 1 }) {
            Ok(minted) => {
                *window = Some(minted.window);
                let _ = fuzzer.ask(WindowMint { root, address: DEVICES, pages: 1 });
            }
            Err(Error::OverLimit) => break,
            Err(_) => {}
        }
    }
    for handle in windows.into_iter().flatten().chain([dead, process]) {
        let _ = fuzzer.ask(Close { handle });
    }
    Ok(())
}
