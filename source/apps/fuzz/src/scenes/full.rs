//! No room for a mapping more.

use nexus_abi::Error;
use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{Close, Map, Protect, Unmap, access};

use super::memory;
use crate::fuzzer::Fuzzer;
use crate::generate::ARENA;

/// Where its mappings lie.
const PLACE: u64 = ARENA + (1 << 21);
/// More mappings than a child may have.
const MAPPINGS: u64 = 24;

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let page = PAGE_SIZE as u64;
    let (process, memory) = (None, memory(fuzzer, 3)?);
    let map = |address, pages| Map { process, memory, address, offset: 0, pages, access: access::WRITE };
    fuzzer.ask(map(PLACE, 3))?;
    let _ = fuzzer.ask(map(PLACE, 1));
    let mut used = 1;
    while used < MAPPINGS && fuzzer.ask(map(PLACE + 8 * used * page, 1)).is_ok() {
        used += 1;
    }
    let _ = fuzzer.ask(Unmap { process, address: PLACE + page, pages: 1 });
    let _ = fuzzer.ask(Protect { process, address: PLACE + page, pages: 1, access: access::READ });
    for at in 1..used {
        let _ = fuzzer.ask(Unmap { process, address: PLACE + 8 * at * page, pages: 1 });
    }
    let _ = fuzzer.ask(Unmap { process, address: PLACE, pages: 3 });
    let _ = fuzzer.ask(Close { handle: memory });
    Ok(())
}
