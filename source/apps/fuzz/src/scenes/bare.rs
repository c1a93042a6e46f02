//! Handles without rights, threads that are dead, and what the types cannot hold.

use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, STACK_TOP};
use nexus_abi::syscall::{
    AffinitySet, Bind, Close, LogWrite, NotificationCreate, Notify, QosGet, SharesSet, Syscall, ThreadCreate,
    ThreadStart, TimerCreate, TimerSet, WaitSetAdd, WaitSetCreate, WaitSetRemove, Yield, ipc,
};
use nexus_abi::{Deadline, Error};
use nexus_rt::sys::Departure;
use nexus_rt::{env, thread};

use super::{bare, endpoint};
use crate::fuzzer::{Fuzzer, plain};

/// IPC pages behind those that random threads get.
const PAGES: u64 = IPC_PAGE + 32 * PAGE_SIZE as u64;
/// More threads than a child may have.
const THREADS: u64 = 8;

pub(super) fn play(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    without_rights(fuzzer)?;
    threads(fuzzer)?;
    let mut words = [0; 8];
    words[0] = 1 << 33;
    fuzzer.make(&Departure { words, ..plain(LogWrite::NUMBER, env::handle("console")?.raw()) });
    Ok(())
}

fn without_rights(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let process = None;
    let signal = fuzzer.ask(NotificationCreate { process })?.notification;
    let set = fuzzer.ask(WaitSetCreate { process })?.wait_set;
    let timer = fuzzer.ask(TimerCreate { notification: signal, bits: 1 })?.timer;
    let door = endpoint(fuzzer, 0)?;
    let (wait_set, notification, door) = (bare(fuzzer, set)?, bare(fuzzer, signal)?, bare(fuzzer, door)?);
    let idle_timer = bare(fuzzer, timer)?;
    let _ = fuzzer.ask(WaitSetAdd { wait_set, notification: signal, key: 1 });
    let _ = fuzzer.ask(WaitSetRemove { wait_set, notification: signal });
    let _ = fuzzer.ask(Notify { notification, bits: 1 });
    let _ = fuzzer.ask(Bind { notification: Some(notification) });
    let _ = fuzzer.ask(TimerCreate { notification, bits: 1 });
    let _ = fuzzer.ask(TimerSet { timer: idle_timer, deadline: Deadline(0) });
    fuzzer.make(&plain(ipc::CALL, door.raw()));
    for handle in [set, signal, timer, wait_set, notification, door, idle_timer] {
        fuzzer.ask(Close { handle })?;
    }
    Ok(())
}

/// Threads that end at once, more than there may be.
fn threads(fuzzer: &mut Fuzzer) -> Result<(), Error> {
    let (page, entry) = (PAGE_SIZE as u64, thread::exit as fn() -> ! as usize as u64);
    let create = |at| ThreadCreate {
        process: None,
        entry,
        stack: STACK_TOP - 3 * page,
        a0: 0,
        a1: 0,
        ipc_page: PAGES + at * page,
    };
    let first = fuzzer.ask(create(0))?.thread;
    let _ = fuzzer.ask(create(0));
    let mut made = [None; THREADS as usize];
    for (at, place) in made.iter_mut().enumerate() {
        match fuzzer.ask(create(1 + at as u64)) {
            Ok(created) => *place = Some(created.thread),
            Err(_) => break,
        }
    }
    for thread in made.into_iter().flatten().chain([first, first]) {
        let _ = fuzzer.ask(ThreadStart { thread });
    }
    fuzzer.ask(Yield {})?;
    let _ = fuzzer.ask(ThreadStart { thread: first });
    let _ = fuzzer.ask(QosGet { thread: Some(first) });
    let _ = fuzzer.ask(AffinitySet { thread: Some(first), mask: 1 });
    let _ = fuzzer.ask(SharesSet { thread: Some(first), shares: 1 });
    for handle in made.into_iter().flatten().chain([first]) {
        fuzzer.ask(Close { handle })?;
    }
    Ok(())
}
