//! Code that is written, and data that is executed: every way to have both of one page.

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{Derive, Map, MemoryCreate, MemoryGrow, MemorySeal, Protect, Revoke, Unmap, access};
use nexus_abi::{Error, Handle, Rights};
use nexus_rt::kernel::invoke;
use nexus_rt::memory::reserve;
use nexus_rt::sys::{Wild, go_wild};

use crate::alike::Alike;
use crate::{Failure, Tried};

const WRITE_EXECUTE: [u8; 2] = [access::WRITE | access::EXECUTE, access::READ | access::WRITE | access::EXECUTE];

/// A forbidden mapping; some end in a fault.
pub(crate) fn forbidden(kind: &str) -> Tried {
    match kind {
        "write-execute" => write_execute(),
        "execute-open" => execute_open(),
        "execute-written" => execute_written(),
        "write-sealed" => write_sealed(),
        "widen" => widen(),
        "unknown-access" => unknown_access(),
        "taken" => taken(),
        "alias-store" => alias_store(),
        "alias-run" => alias_run(),
        "store-sealed" => store_sealed(),
        "load-revoked" => load_revoked(),
        "load-unmapped" => load_unmapped(),
        _ => Err(Failure::Wrong("there is no such mapping")),
    }
}

fn object() -> Result<Handle, Error> {
    let memory = invoke(MemoryCreate { process: None, pages: 2 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    Ok(memory)
}

fn map(memory: Handle, access: u8) -> Result<u64, Error> {
    let address = reserve(1);
    invoke(Map { process: None, memory, address, offset: 0, pages: 1, access }).map(|_| address)
}

fn sealed() -> Result<Handle, Error> {
    let memory = object()?;
    invoke(MemorySeal { memory })?;
    Ok(memory)
}

/// Writable and executable at once: open or sealed, mapped or narrowed to it.
fn write_execute() -> Tried {
    let mut alike = Alike::default();
    let (open, closed) = (object()?, sealed()?);
    let writable = map(open, access::WRITE)?;
    for both in WRITE_EXECUTE {
        alike.add("Map", map(open, both))?;
        alike.add("Map of a sealed object", map(closed, both))?;
        alike.add("Protect", invoke(Protect { process: None, address: writable, pages: 1, access: both }))?;
    }
    alike.outcome()
}

/// Executable while somebody may write to it.
fn execute_open() -> Tried {
    let mut alike = Alike::default();
    for access in [access::EXECUTE, access::EXECUTE | access::READ] {
        alike.add("Map", map(object()?, access))?;
    }
    alike.outcome()
}

/// Written, then turned executable.
fn execute_written() -> Tried {
    let address = map(object()?, access::WRITE)?;
    let mut alike = Alike::default();
    for access in [access::EXECUTE, access::EXECUTE | access::READ] {
        alike.add("Protect", invoke(Protect { process: None, address, pages: 1, access }))?;
    }
    alike.outcome()
}

/// Written or grown once it is sealed.
fn write_sealed() -> Tried {
    let (memory, mut alike) = (sealed()?, Alike::default());
    alike.add("Map", map(memory, access::WRITE))?;
    let derived = invoke(Derive { source: memory, rights: Rights::ALL, badge: 0 })?.handle;
    alike.add("Map", map(derived, access::WRITE))?;
    alike.outcome()
}

/// Access that a mapping has not, given by `Protect`.
fn widen() -> Tried {
    let (read, run) = (map(object()?, access::READ)?, map(sealed()?, access::EXECUTE)?);
    let mut alike = Alike::default();
    for (address, access) in [(read, access::WRITE), (read, access::EXECUTE), (run, access::WRITE)] {
        alike.add("Protect", invoke(Protect { process: None, address, pages: 1, access }))?;
    }
    alike.outcome()
}

/// Access bits that mean nothing.
fn unknown_access() -> Tried {
    let (memory, mut alike) = (object()?, Alike::default());
    let address = map(memory, access::WRITE)?;
    for access in [0, 8, 9, 16, 0x80, 0xff] {
        alike.add("Map", map(memory, access))?;
        alike.add("Protect", invoke(Protect { process: None, address, pages: 1, access }))?;
    }
    alike.outcome()
}

/// Where something is: the program's own text, stack, start page, IPC page, and another mapping.
fn taken() -> Tried {
    let (memory, mut alike) = (object()?, Alike::default());
    let other = map(memory, access::READ)?;
    let stack = nexus_abi::layout::STACK_TOP - PAGE_SIZE as u64;
    let places =
        [other, stack, nexus_abi::layout::USER_START, nexus_abi::layout::START_PAGE, nexus_abi::layout::IPC_PAGE];
    for address in places {
        let map = Map { process: None, memory, address, offset: 0, pages: 1, access: access::READ };
        alike.add("Map", invoke(map))?;
    }
    alike.outcome()
}

/// Two writable aliases of one object; sealing it must take both.
fn alias_store() -> Tried {
    let memory = object()?;
    let (_, second) = (map(memory, access::WRITE)?, map(memory, access::WRITE)?);
    invoke(MemorySeal { memory })?;
    map(memory, access::EXECUTE)?;
    go_wild(Wild::Store(second))
}

/// An executable alias of a page that is written: it never exists, so the jump fails.
fn alias_run() -> Tried {
    let memory = object()?;
    let writable = map(memory, access::WRITE)?;
    // Refused; the jump shows that it was.
    let _ = map(memory, access::EXECUTE);
    go_wild(Wild::Fetch(writable))
}

/// A store through the mapping that a sealed object has.
fn store_sealed() -> Tried {
    go_wild(Wild::Store(map(sealed()?, access::EXECUTE)?))
}

/// A load through a mapping whose capability was revoked.
fn load_revoked() -> Tried {
    let memory = object()?;
    let derived = invoke(Derive { source: memory, rights: Rights::ALL, badge: 0 })?.handle;
    let address = map(derived, access::WRITE)?;
    invoke(Revoke { handle: memory })?;
    go_wild(Wild::Load(address))
}

/// A load from where something was.
fn load_unmapped() -> Tried {
    let address = map(object()?, access::WRITE)?;
    while invoke(Unmap { process: None, address, pages: 1 })?.pages == 0 {}
    go_wild(Wild::Load(address))
}
