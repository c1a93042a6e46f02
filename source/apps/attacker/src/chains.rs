//! Calls inside calls: deeper than they may be, and in a circle.

use alloc::boxed::Box;
use core::sync::atomic::{AtomicU64, Ordering};

use nexus_abi::message::WORDS;
use nexus_abi::syscall::{NotificationCreate, Wait, Yield, ipc};
use nexus_abi::{Deadline, Error, Handle};
use nexus_rt::{kernel::invoke, thread};

use crate::accomplice::given_handles;
use crate::alike::Alike;
use crate::tell::{Accomplice, close, door, message};
use crate::{Failure, Outcome, Tried, must};

/// How deep the attack tries to go.
const DEPTH: u64 = 64;
const STACK_PAGES: u64 = 2;

/// A kind of nesting.
pub(crate) fn nested(kind: &str) -> Tried {
    match kind {
        "deep" => deep(),
        "circle" => circle(),
        _ => Err(Failure::Wrong("there is no such nesting")),
    }
}

/// Sleeps for ever.
pub(crate) fn rest() {
    if let Ok(made) = invoke(NotificationCreate { process: None }) {
        // Nobody signals it.
        let _ = invoke(Wait { notification: made.notification, deadline: Deadline::NEVER });
    }
}

/// How deep the chain of calls is.
static REACHED: AtomicU64 = AtomicU64::new(0);

/// Each server, asked, starts the next one and asks it, while its own caller waits.
fn deep() -> Tried {
    match ask_next() {
        Ok(()) => Err(Failure::Wrong("calls are nested 64 deep")),
        Err(error) => {
            let reached = REACHED.load(Ordering::Relaxed);
            must(reached == nexus_abi::message::MAX_CALL_DEPTH as u64, "calls nest as deep as the bound says")?;
            Ok(Outcome::Refused(error))
        }
    }
}

/// Starts a server and calls it; what it says of the rest of the chain.
fn ask_next() -> Result<(), Error> {
    let (endpoint, door) = door(0)?;
    // Messages go straight only by handles in the first block, so no slot is wasted.
    close(&[thread::spawn(STACK_PAGES, Box::new(move || serve_one(endpoint)))?])?;
    // The call finds it waiting, where there is one hart.
    invoke(Yield {})?;
    let answer = message(ipc::CALL, door.raw(), 0, [0; WORDS])?;
    match Error::from_number(answer.words[0] as u16) {
        None => Ok(()),
        Some(error) => Err(error),
    }
}

/// Receives one call, asks further, and answers what came of that.
fn serve_one(endpoint: Handle) {
    if message(ipc::RECV, endpoint.raw(), 0, [0; WORDS]).is_err() {
        return;
    }
    let deeper = REACHED.fetch_add(1, Ordering::Relaxed) + 1 < DEPTH;
    let outcome = if deeper { ask_next() } else { Ok(()) };
    let number = outcome.err().map_or(0, |error| error.number().into());
    // The caller waits; an error would mean that it has given up.
    let _ = message(ipc::REPLY, 0, 0, [number, 0, 0, 0, 0, 0, 0, 0]);
}

/// Serves an accomplice's call and calls the accomplice, which waits for just that answer and has no other thread.
fn circle() -> Tried {
    let (endpoint, door) = door(0)?;
    let accomplice = Accomplice::start(&["accomplice", "circle"], Some(door))?;
    let called = message(ipc::RECV, endpoint.raw(), 0, [0; WORDS])?;
    let [theirs] = given_handles(&called).ok_or(Error::Protocol)?;
    let mut alike = Alike::default();
    for number in [ipc::CALL_UNTIL, ipc::CALL_EXTENDED] {
        alike.add("a call", message(number, theirs, 0, [0; WORDS]))?;
    }
    message(ipc::REPLY, 0, 0, [0; WORDS])?;
    accomplice.end()?;
    alike.outcome()
}
