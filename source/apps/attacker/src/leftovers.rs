//! Secrets of others: looked for in registers, fresh pages, IPC pages and reservations.

use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::Error;
use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE};
use nexus_abi::message::{HEADER_BYTES, MAX_INLINE};
use nexus_abi::syscall::{Close, MemoryCreate, MemoryGrow, Syscall, ThreadCreate, ThreadStart, Whoami, Yield, ipc};
use nexus_rt::kernel::invoke;
use nexus_rt::memory::{Access, View};
use nexus_rt::sys::{
    first_registers, probe, read_page, registers_behind, reserve_across, store_unreserved, write_page,
};

use crate::accomplice::{PAGES, SECRET};
use crate::tell::{Accomplice, bell, door, heard, message};
use crate::{Failure, Outcome, Tried, must};

/// What this program fills its own registers with.
const OWN: u64 = 0x0123_4567_89ab_cdef;
const ROUNDS: u64 = 100;

/// Where the secret may be.
pub(crate) fn secret(kind: &str) -> Tried {
    match kind {
        "registers-call" => registers_call(),
        "registers-thread" => registers_thread(),
        "fresh-pages" => fresh_pages(),
        "fresh-ipc-page" => fresh_ipc_page(),
        "message-tail" => message_tail(),
        "reservation" => reservation(),
        _ => Err(Failure::Wrong("there is no such place")),
    }
}

/// Beside an accomplice whose registers are full of the secret, looks at what calls leave in registers: answers, and 0
/// everywhere else.
fn registers_call() -> Tried {
    let accomplice = Accomplice::start(&["accomplice", "fill-registers"], None)?;
    for _ in 0..ROUNDS {
        must(registers_behind(Yield::NUMBER, OWN) == [0; 16], "a call without an answer leaves zeros")?;
        let mut behind = registers_behind(Whoami::NUMBER, OWN);
        // Two words are the answer.
        behind[8..10].fill(0);
        must(behind == [0; 16], "a call leaves its answer and zeros")?;
        let refused = registers_behind(u64::from(u16::MAX), OWN);
        let (status, others) = (refused[1], [&refused[..1], &refused[2..]].concat());
        must(status == Error::NoCall.number().into(), "the status says why")?;
        must(others.iter().all(|&word| word == 0), "a refusal leaves its status and zeros")?;
    }
    accomplice.end()?;
    Ok(Outcome::Held)
}

/// Beside the same accomplice, looks at the first registers of new threads: integer and floating point.
fn registers_thread() -> Tried {
    let accomplice = Accomplice::start(&["accomplice", "fill-registers"], None)?;
    for _ in 0..ROUNDS {
        let (entry, a1) = probe();
        let ipc_page = IPC_PAGE + 32 * PAGE_SIZE as u64;
        let create = ThreadCreate { process: None, entry, stack: 0, a0: 0, a1, ipc_page };
        // The page is free once the thread before has ended.
        let thread = loop {
            match invoke(create) {
                Err(Error::Exists) => invoke(Yield {}).map(drop)?,
                made => break made?.thread,
            }
        };
        invoke(ThreadStart { thread })?;
        let first = loop {
            match first_registers() {
                Some(first) => break first,
                None => invoke(Yield {}).map(drop)?,
            }
        };
        invoke(Close { handle: thread })?;
        must(first.integer == [0; 28], "a thread begins with zeros in its registers")?;
        must(first.float == [0; 32], "a thread begins with zeros in its float registers")?;
    }
    accomplice.end()?;
    Ok(Outcome::Held)
}

/// Takes the pages that an accomplice filled and left, and looks at each word.
fn fresh_pages() -> Tried {
    let (notification, bell) = bell()?;
    let accomplice = Accomplice::start(&["accomplice", "fill-memory"], Some(bell))?;
    heard(notification)?;
    accomplice.end()?;
    let pages = 2 * PAGES;
    let memory = invoke(MemoryCreate { process: None, pages })?.memory;
    while invoke(MemoryGrow { memory, pages: 16 })?.total < pages {}
    let view = View::map(memory, 0, pages, Access::Read)?;
    for at in (0..view.size()).step_by(8) {
        must(view.load_u64(at)? == 0, "fresh pages hold zeros")?;
    }
    Ok(Outcome::Held)
}

/// Looks at the IPC page with which this program began.
fn fresh_ipc_page() -> Tried {
    let mut page = [1; PAGE_SIZE];
    let (notification, bell) = bell()?;
    Accomplice::start(&["accomplice", "fill-memory"], Some(bell))?.end()?;
    heard(notification)?;
    let (endpoint, door) = door(0)?;
    let second = Accomplice::start(&["accomplice", "reply-used"], Some(door))?;
    message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    read_page(0, &mut page);
    must(!page.chunks_exact(8).any(is_secret), "no message brings what nobody sent")?;
    message(ipc::REPLY, 0, 0, [0; 8])?;
    second.end()?;
    Ok(Outcome::Held)
}

fn is_secret(word: &[u8]) -> bool {
    word == SECRET.to_le_bytes()
}

/// Receives one byte of a page whose rest the sender filled with the secret.
fn message_tail() -> Tried {
    let (endpoint, door) = door(0)?;
    let accomplice = Accomplice::start(&["accomplice", "long-then-short"], Some(door))?;
    write_page(HEADER_BYTES, &[0xaa; MAX_INLINE]);
    message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    let mut page = [0; PAGE_SIZE];
    read_page(0, &mut page);
    let (sent, behind) = page[HEADER_BYTES..].split_at(1);
    message(ipc::REPLY, 0, 0, [0; 8])?;
    accomplice.end()?;
    must(sent == &SECRET.to_le_bytes()[..1], "what was sent arrives")?;
    must(!behind.windows(2).any(|pair| pair == &SECRET.to_le_bytes()[1..3]), "what was not sent does not")?;
    Ok(Outcome::Held)
}

/// A reservation ends where user mode ends: nobody stores on another's, nor over what ran in between.
fn reservation() -> Tried {
    static WORD: AtomicU64 = AtomicU64::new(7);
    let accomplice = Accomplice::start(&["accomplice", "fill-registers"], None)?;
    for _ in 0..ROUNDS {
        must(!reserve_across(&WORD), "no reservation outlives a system call")?;
        must(!store_unreserved(&WORD), "nobody stores on a reservation that is not its own")?;
    }
    must(WORD.load(Ordering::Relaxed) == 7, "the word is what it was")?;
    accomplice.end()?;
    Ok(Outcome::Held)
}
