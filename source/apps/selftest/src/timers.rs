//! Timers: the service does through the kernel what it does in process.

use crate::{Failure, capture::Capture, exec};
use alloc::vec::Vec;
use nexus_abi::syscall::{Close, NotificationCreate, Wait};
use nexus_abi::{Deadline, Handle, ProcessId, QosClass};
use nexus_proto::contract::timer::{self as contract, Coalesced, Signalled};
use nexus_proto::timer::{MAX_TIMERS, MAX_TIMERS_PER_OWNER};
use nexus_rt::{Channel, Instant, env, kernel::invoke};

/// What fills the table: as many as it takes, each with all the timers that it may have.
const CROWD: &str = "rogue";

/// Does a check with a notification of its own.
fn with_events(check: impl FnOnce(Handle) -> Result<(), Failure>) -> Result<(), Failure> {
    let made = invoke(NotificationCreate { process: None });
    let events = made.map_err(|error| Failure::Refused("a notification", error))?.notification;
    let kept = check(events);
    invoke(Close { handle: events }).map_err(|error| Failure::Refused("close", error))?;
    kept
}

fn route(name: &'static str) -> Result<Channel, Failure> {
    Channel::to(name).map_err(|error| Failure::Refused("a route to timed", error))
}

fn wait(notification: Handle, deadline: Deadline) -> Signalled {
    // A refusal is a deadline that passed: the check says what it misses.
    let bits = invoke(Wait { notification, deadline }).map_or(0, |waited| waited.bits);
    Signalled { at: Instant::now().ticks(), bits }
}

fn timebase() -> Result<u64, Failure> {
    env::start().map(|page| page.info().timebase).map_err(|error| Failure::Refused("the start page", error))
}

/// Registrations, firing, permissions and the clock, as the contract has them.
pub(crate) fn service_keeps_its_contract() -> Result<(), Failure> {
    let timebase = timebase()?;
    with_events(|events| {
        contract::registration(route("timer")?, events)?;
        contract::firing(route("timer")?, events, timebase, &mut |until| wait(events, until))?;
        contract::without_permissions(route("timer-coarse")?, events)?;
        contract::wall_clock(route("timer-coarse")?)?;
        Ok(())
    })
}

/// 64 timers wake the service as seldom as their windows allow, in each class, and none is early.
pub(crate) fn timers_share_wake_ups() -> Result<(), Failure> {
    let timebase = timebase()?;
    with_events(|events| {
        for class in QosClass::ALL {
            let until = &mut |until| wait(events, until);
            let Coalesced { wakes, fewest, .. } =
                contract::coalescing(route("timer")?, events, class, timebase, until)?;
            if wakes > fewest {
                return Err(Failure::Wrong("64 timers take no more wake-ups than their windows need"));
            }
        }
        Ok(())
    })
}

/// One owner has as many timers as its limit says.
pub(crate) fn owner_has_a_limit() -> Result<(), Failure> {
    with_events(|events| Ok(contract::owner_limit(route("timer")?, events)?))
}

/// When others have filled the table nobody gets one more; when they are gone, there is room again.
pub(crate) fn all_have_a_limit() -> Result<(), Failure> {
    let mut crowd = Vec::new();
    let full =
        fill(&mut crowd).and_then(|()| with_events(|events| Ok(contract::global_limit(route("timer")?, events)?)));
    for process in crowd {
        exec::end(process)?;
    }
    full?;
    with_events(|events| Ok(contract::owner_limit(route("timer")?, events)?))
}

fn fill(crowd: &mut Vec<ProcessId>) -> Result<(), Failure> {
    let words = alloc::format!("rogue: {MAX_TIMERS_PER_OWNER} timers\n");
    for _ in 0..MAX_TIMERS / MAX_TIMERS_PER_OWNER {
        let mut capture = Capture::open().map_err(|error| Failure::Refused("an endpoint", error))?;
        crowd.push(exec::start(CROWD, &["timers"], &capture)?);
        capture.collect(words.len()).map_err(|error| Failure::Refused("a full owner's word", error))?;
        if capture.bytes != words.as_bytes() {
            return Err(Failure::Wrong("everybody may have as many timers as the limit of an owner says"));
        }
    }
    Ok(())
}
