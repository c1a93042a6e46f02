//! More threads than a class takes.

use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE};
use nexus_abi::syscall::{AffinitySet, Close, Map, QosGet, QosSet, ThreadCreate, ThreadStart, Whoami, Yield, access};
use nexus_abi::{Error, QosClass};
use nexus_rt::thread;

use super::{bare, memory};
use crate::fuzzer::Fuzzer;
use crate::generate::ARENA;

/// More than the 64 that a class of a CPU takes.
const THREADS: u64 = 70;
/// Their IPC pages: behind those that random threads get.
const PAGES: u64 = IPC_PAGE + 32 * PAGE_SIZE as u64;
/// Where the stack lies that all of them share: they end at once.
const STACK: u64 = ARENA + (1 << 20);

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let page = PAGE_SIZE as u64;
    let memory = memory(fuzzer, 1)?;
    fuzzer.ask(Map { process: None, memory, address: STACK, offset: 0, pages: 1, access: access::WRITE })?;
    let (entry, stack) = (thread::exit as fn() -> ! as usize as u64, STACK + page);
    for at in 0..THREADS {
        let ipc_page = PAGES + at * page;
        let thread = fuzzer.ask(ThreadCreate { process: None, entry, stack, a0: 0, a1: 0, ipc_page })?.thread;
        if at == 0 {
            let thread = bare(fuzzer, thread)?;
            let _ = fuzzer.ask(ThreadStart { thread });
            let _ = fuzzer.ask(QosGet { thread: Some(thread) });
            let _ = fuzzer.ask(AffinitySet { thread: Some(thread), mask: 1 });
        }
        let started = fuzzer.ask(ThreadStart { thread });
        fuzzer.ask(Close { handle: thread })?;
        if started.is_err() {
            break;
        }
    }
    let target = fuzzer.ask(Whoami {})?.process.number();
    let _ = fuzzer.ask(QosSet { class: QosClass::Idle as u8, target });
    fuzzer.ask(Yield {})?;
    Ok(())
}
