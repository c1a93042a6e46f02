//! What the interface `timer` promises.
//!
//! The checks that let time pass take a `wait`: it waits for the caller's own notification until a deadline at most, and
//! says when it came back and with which bits. In process that moves a virtual clock, on the machine it is a system call.

use alloc::vec::Vec;

use nexus_abi::{Deadline, Error, Handle, QosClass};
use nexus_ipc::Transport;

use super::{Broken, Kept, malformed};
use crate::timer::{
    Client, LEAST_PERIOD, MAX_TIMERS_PER_OWNER, METHODS, NAME, STATUS_INVALID_ARGS, STATUS_MALFORMED, STATUS_OVER_LIMIT,
};
use crate::timer::{REGISTER, Turns, ticks, window};

/// So far away that it does not come while a check runs.
const FAR: Deadline = Deadline(u64::MAX - 1);
/// How much later than it must a signal may come on a machine with other work, in milliseconds.
const SLACK_MS: u64 = 500;

/// What a wait came back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signalled {
    /// When, in ticks.
    pub at: u64,
    /// Which bits; none: the wait's deadline passed.
    pub bits: u64,
}

/// Waits for the notification of a check until a deadline at most.
pub type Wait<'a> = &'a mut dyn FnMut(Deadline) -> Signalled;

/// Registrations, cancellations and the list, without letting time pass. `owner` has no timers and may name every
/// class; `events` is a notification of its own.
pub fn registration<T: Transport>(owner: T, events: Handle) -> Kept {
    let mut owner = Client::new(owner);
    malformed(owner.transport(), NAME, METHODS)?;
    promise!(surplus(&mut owner, events) == Some(STATUS_MALFORMED), "a word too many is STATUS_MALFORMED");
    let mut ask = |turns, bits| owner.register(7, QosClass::Normal, turns, bits, events).map(drop).err();
    promise!(
        ask(Turns::once(Deadline::NEVER), 1) == Some(STATUS_INVALID_ARGS),
        "a deadline that never comes is refused"
    );
    promise!(ask(Turns::once(FAR), 0) == Some(STATUS_INVALID_ARGS), "a timer without a bit to signal is refused");
    promise!(ask(Turns::every(1, FAR), 1) == Some(STATUS_INVALID_ARGS), "a period that is too short is refused");
    promise!(owner.cancel(7).err() == Some(Error::NotFound), "what was refused is not pending");

    let mut ask = |deadline| owner.register(7, QosClass::Normal, Turns::once(deadline), 1, events).map(drop);
    promise!(ask(Deadline(FAR.0 - 1)).is_ok() && ask(FAR).is_ok(), "a token may be registered again");
    let listed = own(&mut owner)?;
    promise!(listed == [(7, FAR)], "a token that is registered again has the new meaning only");
    promise!(owner.cancel(7).is_ok(), "a pending timer can be cancelled");
    promise!(owner.cancel(7).err() == Some(Error::NotFound), "what was cancelled is not pending");
    promise!(own(&mut owner)?.is_empty(), "what was cancelled is not listed");
    Ok(())
}

/// A registration with a word that has no meaning.
fn surplus<T: Transport>(owner: &mut Client<T>, events: Handle) -> Option<Error> {
    let mut message = nexus_ipc::Message::tagged(REGISTER);
    message.words[1..].copy_from_slice(&[7, QosClass::Normal as u64, FAR.0, 0, 1, 0, 1]);
    message.handles.push(events).ok()?;
    let deadline = owner.transport().patience();
    owner.transport().call(&message, deadline).and_then(|answer| answer.accepted()).err()
}

/// Tokens and deadlines of the caller's timers.
fn own<T: Transport>(owner: &mut Client<T>) -> Result<Vec<(u64, Deadline)>, Broken> {
    let mut listed = Vec::new();
    loop {
        match owner.list(listed.len() as u32) {
            Ok(row) => listed.push((row.token, row.turns.deadline)),
            Err(Error::NotFound) => return Ok(listed),
            Err(_) => return Err(Broken("the list has an end, which is ENOENT")),
        }
    }
}

/// One owner's limit. `owner` has no timers, may not see others', and the table has room for all it may have.
pub fn owner_limit<T: Transport>(owner: T, events: Handle) -> Kept {
    let mut owner = Client::new(owner);
    let mut register = |token| owner.register(token, QosClass::Normal, Turns::once(FAR), 1, events).map(drop);
    let all = 0..MAX_TIMERS_PER_OWNER as u64;
    promise!(all.clone().all(|token| register(token).is_ok()), "an owner has as many timers as its limit says");
    promise!(register(all.end) == Err(STATUS_OVER_LIMIT), "one more is STATUS_OVER_LIMIT");
    promise!(register(0).is_ok(), "at the limit a token may be registered again");
    let listed = own(&mut owner)?;
    promise!(listed.into_iter().map(|(token, _)| token).eq(all.clone()), "what was refused was not enqueued");
    promise!(all.into_iter().all(|token| owner.cancel(token).is_ok()), "all of them can be cancelled");
    Ok(())
}

/// The limit of all. `owner` has no timers and may not see others', of whom the table is full.
pub fn global_limit<T: Transport>(owner: T, events: Handle) -> Kept {
    let mut owner = Client::new(owner);
    let refused = owner.register(1, QosClass::Normal, Turns::once(FAR), 1, events).err();
    promise!(refused == Some(STATUS_OVER_LIMIT), "one more than the table holds is STATUS_OVER_LIMIT");
    promise!(own(&mut owner)?.is_empty(), "what was refused was not enqueued");
    Ok(())
}

/// A caller without permissions has coarse timers and sees its own.
pub fn without_permissions<T: Transport>(stranger: T, events: Handle) -> Kept {
    let mut stranger = Client::new(stranger);
    for class in [QosClass::Interactive, QosClass::PerfBurst] {
        let refused = stranger.register(1, class, Turns::once(FAR), 1, events).err();
        promise!(refused == Some(Error::Permission), "a narrow window takes the permission");
    }
    promise!(own(&mut stranger)?.is_empty(), "a stranger sees nobody's timers");
    Ok(())
}

/// Timers fire inside their windows, again and again if they are periodic, and never after they were cancelled.
pub fn firing<T: Transport>(owner: T, events: Handle, timebase: u64, wait: Wait<'_>) -> Kept {
    let mut owner = Client::new(owner);
    let now =
        |owner: &mut Client<T>| owner.clock().map(|clock| clock.ticks).map_err(|_| Broken("the clock can be read"));
    let period = ticks(LEAST_PERIOD, timebase) * 10;
    let slack = timebase / 1000 * SLACK_MS;
    let begun = now(&mut owner)?;
    let once = Turns::once(Deadline(begun + 2 * period));
    for (token, turns) in [(1, once), (2, Turns::every(period, Deadline(begun + period)))] {
        let registered = owner.register(token, QosClass::Normal, turns, token, events);
        promise!(registered.is_ok(), "a timer can be registered");
    }
    let (mut first, mut turns) = (None, 0);
    while turns < 3 {
        let Signalled { at, bits } = wait(Deadline(begun + (turns + 1) * period + slack));
        promise!(bits != 0 && bits & !3 == 0, "a timer fires soon after its window, with its own bits");
        if bits & 1 != 0 {
            promise!(at >= begun + 2 * period, "a timer never fires early");
            promise!(first.replace(at).is_none(), "a timer without a period fires once");
        }
        if bits & 2 != 0 {
            turns += 1;
            promise!(at >= begun + turns * period, "a periodic timer never fires early");
        }
    }
    promise!(first.is_some(), "both timers fire");
    promise!(owner.cancel(1).err() == Some(Error::NotFound), "what fired is not pending");
    promise!(owner.cancel(2).is_ok(), "a periodic timer is pending until it is cancelled");
    // A turn that came before the cancellation may have left its signal.
    let stopped = now(&mut owner)?;
    _ = wait(Deadline(stopped));
    let after = wait(Deadline(stopped + 3 * period));
    promise!(after.bits == 0, "a timer does not fire after it was cancelled");
    Ok(())
}

/// The wall clock does not go back, and its ticks are the machine's.
pub fn wall_clock<T: Transport>(reader: T) -> Kept {
    let mut reader = Client::new(reader);
    let mut read = || reader.clock().map_err(|_| Broken("the clock can be read"));
    let (first, second) = (read()?, read()?);
    promise!(second.unix_ns >= first.unix_ns && second.ticks >= first.ticks, "the clock does not go back");
    Ok(())
}

/// What came of [`coalescing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Coalesced {
    /// Wake-ups of the service.
    pub wakes: u64,
    /// The fewest with which every timer fires inside its window.
    pub fewest: u64,
    /// How long after the end of its window the latest signal was received, in ticks; 0: none was.
    pub late: u64,
}

/// Timer `index` of 64 that are spread over 64 milliseconds behind `base`.
pub const fn spread(base: u64, index: u64, timebase: u64) -> u64 {
    base + (37 * index % 64) * timebase / 1_000 + (7919 * index % 1000) * timebase / 1_000_000
}

/// The fewest points in time such that each of these windows has one: always the end of the first that has none yet.
pub fn fewest_wakes(deadlines: &[u64], window: u64) -> u64 {
    let mut sorted = Vec::from(deadlines);
    sorted.sort_unstable();
    let (mut wakes, mut reached) = (0, None);
    for deadline in sorted {
        if reached.is_none_or(|end| deadline > end) {
            (wakes, reached) = (wakes + 1, Some(deadline + window));
        }
    }
    wakes
}

/// 64 timers of one owner share wake-ups as well as any order of events allows; none is early, none fires twice.
pub fn coalescing<T: Transport>(
    owner: T,
    events: Handle,
    class: QosClass,
    timebase: u64,
    wait: Wait<'_>,
) -> Result<Coalesced, Broken> {
    let mut owner = Client::new(owner);
    let woken = |owner: &mut Client<T>| {
        owner.count(class).map(|counted| counted.woken).map_err(|_| Broken("the wake-ups are counted"))
    };
    let before = woken(&mut owner)?;
    // Time enough to register them all before the first is due.
    let base = owner.clock().map_err(|_| Broken("the clock can be read"))?.ticks + timebase / 5;
    let deadlines: [u64; 64] = core::array::from_fn(|index| spread(base, index as u64, timebase));
    for (index, deadline) in deadlines.into_iter().enumerate() {
        let registered = owner.register(index as u64, class, Turns::once(Deadline(deadline)), 1 << index, events);
        promise!(registered.is_ok(), "an owner may have 64 timers");
    }
    let window = ticks(window(class), timebase);
    let (mut missing, mut late) = (u64::MAX, 0);
    while missing != 0 {
        let Signalled { at, bits } = wait(Deadline(base + timebase));
        promise!(bits != 0, "every timer fires");
        promise!(bits & !missing == 0, "no timer fires twice");
        missing &= !bits;
        for deadline in (0..64).filter(|index| bits >> index & 1 != 0).map(|index| deadlines[index]) {
            promise!(at >= deadline, "no timer is early");
            late = late.max(at.saturating_sub(deadline + window));
        }
    }
    Ok(Coalesced { wakes: woken(&mut owner)? - before, fewest: fewest_wakes(&deadlines, window), late })
}
