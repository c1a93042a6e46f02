//! Two threads over one thing: one uses it, the other takes it away.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::layout::PAGE_SIZE;
use nexus_abi::syscall::{
    Close, Derive, Map, MemoryCreate, MemoryGrow, NotificationCreate, Notify, Revoke, Unmap, Yield, access,
};
use nexus_abi::{Error, Handle, Rights};
use nexus_rt::memory::reserve;
use nexus_rt::{kernel::invoke, thread};

use crate::tell::heard;
use crate::{Failure, Outcome, Tried, must};

/// How often each side must have been the faster one.
const WINS: u64 = 100;
/// How often a side gives way before it goes on, at most. Two sides that always gave way equally often would go in step on
/// one CPU, and one of them would be the faster one for ever.
const LONGEST_PAUSE: u64 = 3;
/// Where the pauses of who takes away begin, and those of who uses.
const TAKER: u64 = 0x9e37_79b9_7f4a_7c15;
const USER: u64 = 0xd1b5_4a32_d192_ed03;
const STACK_PAGES: u64 = 2;

/// A kind of race.
pub(crate) fn race(kind: &str) -> Tried {
    match kind {
        "revoke-notify" => against(|handle| invoke(Notify { notification: handle, bits: 1 }).map(drop)),
        "revoke-derive" => against(derive_and_close),
        "revoke-map" => revoke_map(),
        _ => Err(Failure::Wrong("there is no such race")),
    }
}

/// What the taker gave last.
static SHARED: AtomicU64 = AtomicU64::new(0);
/// Uses that went through, uses that found the handle gone, and others.
static COUNTS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// How long one side leaves the CPU to the other: numbers that look random and are the same each time.
struct Pauses(u64);

impl Pauses {
    fn take(&mut self) {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        for _ in 0..self.0 % (LONGEST_PAUSE + 1) {
            let _ = invoke(Yield {});
        }
    }
}

/// One thread derives and revokes, another uses what was derived: each use works or finds the handle gone.
fn against(using: fn(Handle) -> Result<(), Error>) -> Tried {
    let source = invoke(NotificationCreate { process: None })?.notification;
    let done = invoke(NotificationCreate { process: None })?.notification;
    thread::spawn(STACK_PAGES, Box::new(move || use_shared(using, done)))?;
    let mut pauses = Pauses(TAKER);
    while !is_won() {
        let derived = invoke(Derive { source, rights: Rights::ALL, badge: 0 })?.handle;
        SHARED.store(derived.raw(), Ordering::Relaxed);
        pauses.take();
        invoke(Revoke { handle: source })?;
        pauses.take();
    }
    heard(done)?;
    must(COUNTS[2].load(Ordering::Relaxed) == 0, "a use works or finds the handle gone")?;
    Ok(Outcome::Held)
}

/// Whether both sides have been the faster one often enough, or something came out that may not.
fn is_won() -> bool {
    let [used, gone, other] = [0, 1, 2].map(|at: usize| COUNTS[at].load(Ordering::Relaxed));
    used >= WINS && gone >= WINS || other > 0
}

fn use_shared(using: fn(Handle) -> Result<(), Error>, done: Handle) {
    let mut pauses = Pauses(USER);
    while !is_won() {
        let count = match Handle::from_raw(SHARED.load(Ordering::Relaxed)).map(using) {
            Some(Ok(())) => 0,
            None | Some(Err(Error::BadHandle | Error::State)) => 1,
            Some(Err(_)) => 2,
        };
        COUNTS[count].fetch_add(1, Ordering::Relaxed);
        pauses.take();
    }
    let _ = invoke(Notify { notification: done, bits: 1 });
    thread::exit();
}

fn derive_and_close(source: Handle) -> Result<(), Error> {
    let derived = invoke(Derive { source, rights: Rights::USE, badge: 0 })?.handle;
    match invoke(Close { handle: derived }) {
        // It went with its source.
        Ok(_) | Err(Error::BadHandle) => Ok(()),
        Err(error) => Err(error),
    }
}

/// One thread maps and unmaps what the other revokes: nothing of it stays mapped.
fn revoke_map() -> Tried {
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    let done = invoke(NotificationCreate { process: None })?.notification;
    let address = reserve(2) + PAGE_SIZE as u64;
    let mapping = move || {
        let mut pauses = Pauses(USER);
        while !is_won() {
            if let Some(memory) = Handle::from_raw(SHARED.load(Ordering::Relaxed)) {
                let map = Map { process: None, memory, address, offset: 0, pages: 1, access: access::WRITE };
                COUNTS[usize::from(invoke(map).is_err())].fetch_add(1, Ordering::Relaxed);
                pauses.take();
                let _ = invoke(Unmap { process: None, address, pages: 1 });
            }
            pauses.take();
        }
        let _ = invoke(Notify { notification: done, bits: 1 });
        thread::exit();
    };
    thread::spawn(STACK_PAGES, Box::new(mapping))?;
    let mut pauses = Pauses(TAKER);
    while !is_won() {
        let derived = invoke(Derive { source: memory, rights: Rights::ALL, badge: 0 })?.handle;
        SHARED.store(derived.raw(), Ordering::Relaxed);
        pauses.take();
        invoke(Revoke { handle: memory })?;
        pauses.take();
    }
    heard(done)?;
    let left = invoke(Unmap { process: None, address, pages: 1 })?.pages;
    must(left == 0, "no mapping outlives its capability")?;
    Ok(Outcome::Held)
}
