//! Counts and lengths at both ends of what a word can say.

use nexus_abi::Handle;
use nexus_abi::message::MAX_LINE;
use nexus_abi::syscall::{BootArguments, EndpointCreate, LogWrite, MemoryCreate, MemoryGrow, SharesSet};
use nexus_rt::{env, kernel::invoke};

use crate::alike::Alike;
use crate::{Failure, Tried};

/// A kind of wrong length.
pub(crate) fn wrong(kind: &str) -> Tried {
    let mut alike = Alike::default();
    match kind {
        "none" => {
            alike.add("MemoryCreate", invoke(MemoryCreate { process: None, pages: 0 }))?;
            alike.add("MemoryGrow", invoke(MemoryGrow { memory: object()?, pages: 0 }))?;
            alike.add("SharesSet", invoke(SharesSet { thread: None, shares: 0 }))?;
        }
        "most" => {
            for pages in [1 << 18 | 1, 1 << 32, 1 << 52, u64::MAX] {
                alike.add("MemoryCreate", invoke(MemoryCreate { process: None, pages }))?;
            }
            for queue in [65, 0xffff] {
                alike.add("EndpointCreate", invoke(EndpointCreate { process: None, queue }))?;
            }
        }
        "line" => {
            for length in [MAX_LINE as u32 + 1, u32::MAX] {
                alike.add("LogWrite", invoke(LogWrite { log: env::handle("log")?, length }))?;
            }
        }
        "offset" => {
            for offset in [1 << 16, u32::MAX] {
                alike.add("BootArguments", invoke(BootArguments { info: env::handle("info")?, offset }))?;
            }
        }
        _ => return Err(Failure::Wrong("there is no such wrong length")),
    }
    alike.outcome()
}

/// A memory object that may have two pages.
fn object() -> Result<Handle, Failure> {
    Ok(invoke(MemoryCreate { process: None, pages: 2 })?.memory)
}
