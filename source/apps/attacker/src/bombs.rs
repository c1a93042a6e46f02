//! All of something, as fast as possible: every bound must hold, and what was taken must come back.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::time::Duration;

use nexus_abi::layout::{PAGE_SIZE, USER_END};
use nexus_abi::syscall::{
    Derive, EndpointCreate, Map, MemoryCreate, MemoryGrow, NotificationCreate, TimerCreate, TimerSet, Unmap, Wait,
    WaitSetAdd, WaitSetCreate, Yield, access, ipc,
};
use nexus_abi::{Deadline, Error, Handle, Rights};
use nexus_rt::memory::reserve;
use nexus_rt::{Instant, kernel::invoke, log, thread};

use crate::tell::{Accomplice, door, message, ready};
use crate::{Failure, Outcome, Tried, must};

/// More of anything than a quota allows.
const MANY: u64 = 100_000;
const STACK_PAGES: u64 = 1;

/// A kind of greed.
pub(crate) fn bomb(kind: &str) -> Tried {
    match kind {
        "fork" => fork(),
        "spawn-chain" => spawn_chain(),
        "memory" => until_full(|| memory_page(16)),
        "objects" => until_full(|| invoke(MemoryCreate { process: None, pages: 1 }).map(drop)),
        "tables" => tables(),
        "mappings" => mappings(),
        "slots" => slots(),
        "depth" => depth(),
        "endpoints" => until_full(|| invoke(EndpointCreate { process: None, queue: 0 }).map(drop)),
        "queues" => until_full(|| invoke(EndpointCreate { process: None, queue: 8 }).map(drop)),
        "queue" => queue(),
        "notifications" => until_full(|| invoke(NotificationCreate { process: None }).map(drop)),
        "wait-sets" => until_full(wait_set),
        "timers" => timers(),
        "threads" => threads(),
        "timer-storm" => timer_storm(),
        "yield-storm" => yield_storm(),
        _ => Err(Failure::Wrong("there is no such bomb")),
    }
}

/// Does it again and again; the refusal must come.
fn until_refused(step: impl Fn() -> Result<(), Error>) -> Tried {
    for _ in 0..MANY {
        if let Err(error) = step() {
            // Once more: the bound does not give way.
            must(step().err() == Some(error), "a bound that is reached stays reached")?;
            return Ok(Outcome::Refused(error));
        }
    }
    Err(Failure::Wrong("a bound is reached"))
}

/// Likewise, of a thing with a bound of its own: what is left of everything else shows that it was this one.
fn until_full(step: impl Fn() -> Result<(), Error>) -> Tried {
    let source = invoke(NotificationCreate { process: None })?.notification;
    let outcome = until_refused(step)?;
    invoke(Derive { source, rights: Rights::NONE, badge: 0 })?;
    Ok(outcome)
}

/// All wait for the same, so that none needs what another has used up, ends for want of it, and makes room.
fn threads() -> Tried {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let rest = move || _ = invoke(Wait { notification, deadline: Deadline::NEVER });
    until_full(|| thread::spawn(STACK_PAGES, Box::new(rest)).map(drop))
}

/// Starts itself as often as it may; so does each of them. None of them ever gives up.
fn fork() -> Tried {
    let mut refused = 0u64;
    loop {
        match Accomplice::start(&["bomb", "fork"], None) {
            Ok(_) => {}
            Err(_) if refused == 0 => {
                refused = 1;
                ready();
            }
            Err(_) => {
                let _ = invoke(Yield {});
            }
        }
    }
}

/// Starts its successor and ends at once: who ends one of them finds another.
fn spawn_chain() -> Tried {
    Accomplice::start(&["bomb", "spawn-chain"], None)?;
    Ok(Outcome::Held)
}

fn memory_page(pages: u64) -> Result<(), Error> {
    let memory = invoke(MemoryCreate { process: None, pages })?.memory;
    invoke(MemoryGrow { memory, pages }).map(drop)
}

fn object() -> Result<Handle, Error> {
    let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
    invoke(MemoryGrow { memory, pages: 1 })?;
    Ok(memory)
}

/// One page in each two mebibytes: each takes a table, and the last ones of a gibibyte two.
fn tables() -> Tried {
    const STRIDE: u64 = 2 << 20;
    let memory = object()?;
    let mut error = None;
    for at in (0..USER_END / STRIDE).rev() {
        let address = at * STRIDE + PAGE_SIZE as u64;
        let map = Map { process: None, memory, address, offset: 0, pages: 1, access: access::READ };
        match invoke(map) {
            Ok(_) | Err(Error::Exists) => {}
            Err(refusal) => {
                error = Some(refusal);
                break;
            }
        }
        // The record is not the bound that is tried here.
        invoke(Unmap { process: None, address, pages: 1 })?;
    }
    error.map(Outcome::Refused).ok_or(Failure::Wrong("a bound is reached"))
}

/// One page, mapped beside itself without end.
fn mappings() -> Tried {
    let memory = object()?;
    until_refused(|| {
        let map = Map { process: None, memory, address: reserve(1), offset: 0, pages: 1, access: access::READ };
        invoke(map).map(drop)
    })
}

/// Every slot of its table, all derived from one handle.
fn slots() -> Tried {
    let source = invoke(NotificationCreate { process: None })?.notification;
    until_refused(|| invoke(Derive { source, rights: Rights::USE, badge: 0 }).map(drop))
}

/// Every slot, each derived from the one before; the end takes the whole chain apart.
fn depth() -> Tried {
    let last = core::cell::Cell::new(invoke(NotificationCreate { process: None })?.notification);
    until_refused(|| {
        last.set(invoke(Derive { source: last.get(), rights: Rights::USE, badge: 0 })?.handle);
        Ok(())
    })
}

/// One-way messages to itself, a handle in each, that nobody receives.
fn queue() -> Tried {
    let (_, door) = door(16)?;
    let (_, gift) = crate::tell::bell()?;
    until_refused(|| message(ipc::SEND, door.raw(), gift.raw(), [u64::MAX; 8]).map(drop))
}

/// Wait sets, each with a notification in it.
fn wait_set() -> Result<(), Error> {
    let wait_set = invoke(WaitSetCreate { process: None })?.wait_set;
    let notification = invoke(NotificationCreate { process: None })?.notification;
    invoke(WaitSetAdd { wait_set, notification, key: 1 }).map(drop)
}

/// Timers, all armed.
fn timers() -> Tried {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    until_full(|| {
        let timer = invoke(TimerCreate { notification, bits: 1 })?.timer;
        let deadline = Instant::now().after(Duration::from_secs(1000));
        invoke(TimerSet { timer, deadline }).map(drop)
    })
}

/// Timers that are due at once, armed again whenever one has fired.
fn timer_storm() -> Tried {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let mut timers = Vec::new();
    while let Ok(made) = invoke(TimerCreate { notification, bits: 1 }) {
        timers.push(made.timer);
    }
    must(!timers.is_empty(), "there are timers")?;
    ready();
    loop {
        for &timer in &timers {
            invoke(TimerSet { timer, deadline: Instant::now().after(Duration::from_micros(10)) })?;
        }
        let deadline = Instant::now().after(Duration::from_millis(1));
        match invoke(Wait { notification, deadline }) {
            Ok(_) | Err(Error::TimedOut) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// As many threads as it may have, all of which give way all the time.
fn yield_storm() -> Tried {
    let mut started = 0;
    while thread::spawn(STACK_PAGES, Box::new(|| storm())).is_ok() {
        started += 1;
    }
    log!("{started} threads give way");
    ready();
    storm()
}

fn storm() -> ! {
    loop {
        let _ = invoke(Yield {});
    }
}
