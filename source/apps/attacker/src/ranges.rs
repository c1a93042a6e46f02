//! Address ranges that are not the program's to name: in each call that takes one.

use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, SHARED_START, USER_END, USER_START};
use nexus_abi::syscall::{Map, MemoryCreate, MemoryGrow, Protect, ThreadCreate, Unmap, access};
use nexus_abi::{Error, Handle};
use nexus_rt::{kernel::invoke, log, memory::reserve};

use crate::alike::Alike;
use crate::{Failure, Tried};

const PAGE: u64 = PAGE_SIZE as u64;
/// First address of the kernel's half.
const UPPER: u64 = 0xffff_ffc0_0000_0000;

/// A kind of bad range.
pub(crate) fn bad(kind: &str) -> Tried {
    match kind {
        "low" => everywhere(&[(0, 1), (PAGE, 1), (USER_START - PAGE, 1), (USER_START - PAGE, 2)]),
        "kernel" => everywhere(&[(UPPER, 1), (UPPER + 0x8020_0000, 1), (0xffff_ffff_ffff_e000, 1), (UPPER - PAGE, 2)]),
        "noncanonical" => everywhere(&[(USER_END, 1), (1 << 39, 1), (1 << 47, 1), (1 << 62, 1), (1 << 63, 1)]),
        "crossing" => everywhere(&[(USER_END - PAGE, 2), (USER_END - PAGE, 64), (SHARED_START, USER_END / PAGE)]),
        "wrapping" => everywhere(&[
            (0u64.wrapping_sub(PAGE), 1),
            (0u64.wrapping_sub(PAGE), 2),
            (SHARED_START, u64::MAX),
            (SHARED_START, u64::MAX / PAGE),
            (SHARED_START, 1 << 52),
            (SHARED_START, 1 << 63),
        ]),
        "misaligned" => everywhere(&[(SHARED_START + 1, 1), (SHARED_START + 8, 1), (SHARED_START + PAGE / 2, 1)]),
        "empty" => everywhere(&[(SHARED_START, 0), (0, 0), (UPPER, 0)]),
        "unmapped" => unmapped(),
        "outside-object" => outside_object(),
        "thread-entry" => thread(&|bad| ThreadCreate { entry: bad, ..SOUND }, &[0, USER_START - 2, UPPER, USER_END]),
        "thread-entry-odd" => thread(&|bad| ThreadCreate { entry: bad, ..SOUND }, &[USER_START + 1, UPPER + 1]),
        "thread-stack" => thread(&|bad| ThreadCreate { stack: bad, ..SOUND }, &[UPPER, USER_END + 16, 1 << 63]),
        "thread-stack-odd" => thread(&|bad| ThreadCreate { stack: bad, ..SOUND }, &[USER_START + 1, USER_START + 8]),
        "thread-page" => thread(&|bad| ThreadCreate { ipc_page: bad, ..SOUND }, &[0, UPPER, USER_END]),
        "thread-page-odd" => thread(&|bad| ThreadCreate { ipc_page: bad, ..SOUND }, &[IPC_PAGE + 8, UPPER + 1]),
        "thread-page-taken" => thread(&|bad| ThreadCreate { ipc_page: bad, ..SOUND }, &[USER_START, IPC_PAGE]),
        _ => Err(Failure::Wrong("there is no such kind of bad range")),
    }
}

const SOUND: ThreadCreate =
    ThreadCreate { process: None, entry: USER_START, stack: USER_START, a0: 0, a1: 0, ipc_page: IPC_PAGE + 64 * PAGE };

fn object(pages: u64) -> Result<Handle, Error> {
    let memory = invoke(MemoryCreate { process: None, pages })?.memory;
    invoke(MemoryGrow { memory, pages })?;
    Ok(memory)
}

/// Maps, unmaps and protects each range.
fn everywhere(ranges: &[(u64, u64)]) -> Tried {
    let memory = object(1)?;
    let mut alike = Alike::default();
    for &(address, pages) in ranges {
        let told = |_: &Failure| log!("it was {pages} pages at {address:#x}");
        let map = Map { process: None, memory, address, offset: 0, pages, access: access::READ };
        alike.add("Map", invoke(map)).inspect_err(told)?;
        alike.add("Unmap", invoke(Unmap { process: None, address, pages })).inspect_err(told)?;
        let protect = Protect { process: None, address, pages, access: access::READ };
        alike.add("Protect", invoke(protect)).inspect_err(told)?;
    }
    alike.outcome()
}

/// Takes access away where nothing is.
fn unmapped() -> Tried {
    let mut alike = Alike::default();
    for address in [reserve(1), USER_END - PAGE, IPC_PAGE - PAGE] {
        alike.add("Protect", invoke(Protect { process: None, address, pages: 1, access: access::READ }))?;
    }
    alike.outcome()
}

/// Maps pages that an object does not have.
fn outside_object() -> Tried {
    let memory = object(2)?;
    let mut alike = Alike::default();
    let ranges = [(0, 3), (1, 2), (2, 1), (u64::MAX, 1), (u64::MAX, 2), (1 << 32, 1), (u64::MAX - 1, 64)];
    for (offset, pages) in ranges {
        let map = Map { process: None, memory, address: reserve(64), offset, pages, access: access::READ };
        alike.add("Map", invoke(map)).inspect_err(|_| log!("it was {pages} pages from {offset:#x}"))?;
    }
    alike.outcome()
}

/// Makes threads with one bad address.
fn thread(with: &dyn Fn(u64) -> ThreadCreate, bad: &[u64]) -> Tried {
    let mut alike = Alike::default();
    for &address in bad {
        alike.add("ThreadCreate", invoke(with(address))).inspect_err(|_| log!("it was {address:#x}"))?;
    }
    alike.outcome()
}
