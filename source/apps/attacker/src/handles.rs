//! Handles that are none: each kind of bad handle, in each place of each call.

use alloc::vec::Vec;
use core::time::Duration;

use nexus_abi::layout::{IPC_PAGE, PAGE_SIZE, SHARED_START, USER_START};
use nexus_abi::syscall::{
    Close, Derive, Description, EndpointCreate, MemoryCreate, MemoryGrow, NotificationCreate, Revoke, TYPED,
    ThreadCreate, TimerCreate, Wait, WaitSetCreate, ipc,
};
use nexus_abi::{Error, Handle, Rights};
use nexus_rt::kernel::{Kernel, Machine, invoke};
use nexus_rt::{env, log, time};

use crate::alike::Alike;
use crate::numbers::is_reserved;
use crate::tell::{Accomplice, door, message, numbers};
use crate::{Failure, Tried, must};

const SEED: u64 = 0x6861_6e64_6c65;
const RANDOM: usize = 40;
/// As many as this program's quota has beside the one of [`Hands`].
const TIMERS: usize = 7;
const TICK: Duration = Duration::from_millis(1);

/// One argument of a call.
#[derive(Clone, Copy)]
pub(crate) struct Position {
    /// Which one it is.
    pub(crate) index: usize,
    /// Its name in the table.
    pub(crate) name: &'static str,
    /// Its type in the table.
    pub(crate) kind: &'static str,
}

/// The arguments of a call in order.
pub(crate) fn arguments(call: &Description) -> impl Iterator<Item = Position> + use<> {
    let each = call.arguments.iter().enumerate();
    each.map(|(index, &(name, kind))| Position { index, name, kind })
}

/// One handle of each kind that a program can have.
pub(crate) struct Hands {
    kinds: Vec<(&'static str, Handle)>,
}

impl Hands {
    /// Makes the objects.
    pub(crate) fn make() -> Result<Hands, Error> {
        let memory = invoke(MemoryCreate { process: None, pages: 1 })?.memory;
        invoke(MemoryGrow { memory, pages: 1 })?;
        let notification = invoke(NotificationCreate { process: None })?.notification;
        let thread = ThreadCreate {
            process: None,
            entry: USER_START,
            stack: USER_START,
            a0: 0,
            a1: 0,
            ipc_page: IPC_PAGE + 64 * PAGE_SIZE as u64,
        };
        let kinds = [
            ("memory", memory),
            ("notification", notification),
            ("wait_set", invoke(WaitSetCreate { process: None })?.wait_set),
            ("endpoint", invoke(EndpointCreate { process: None, queue: 1 })?.endpoint),
            ("timer", invoke(TimerCreate { notification, bits: 1 })?.timer),
            ("thread", invoke(thread)?.thread),
            ("info", env::handle("info")?),
            ("log", env::handle("log")?),
        ];
        Ok(Hands { kinds: kinds.into() })
    }

    /// The handle of what the table calls so.
    fn of(&self, name: &str) -> Option<Handle> {
        let name = if matches!(name, "source" | "handle") { "notification" } else { name };
        self.kinds.iter().find(|(kind, _)| *kind == name).map(|&(_, handle)| handle)
    }

    /// The registers of a call with sound arguments, but for one: target and words.
    pub(crate) fn registers(&self, call: &Description, changed: Option<(usize, u64)>) -> (u64, [u64; 8]) {
        let (mut target, mut words, mut next) = (0, [0; 8], 0);
        for place in arguments(call) {
            let sound = self.sound(&place);
            let first = changed.filter(|&(index, _)| index == place.index).map_or(sound[0], |(_, value)| value);
            if place.index < call.targets {
                target = first;
                continue;
            }
            let width = if matches!(place.kind, "Name" | "Quota") { 3 } else { 1 };
            words[next] = first;
            words[next + 1..next + width].copy_from_slice(&sound[1..width]);
            next += width;
        }
        (target, words)
    }

    /// Words that an argument can have without harm.
    fn sound(&self, place: &Position) -> [u64; 3] {
        let first = match (place.kind, place.name) {
            ("Handle", name) => self.of(name).map_or(1, Handle::raw),
            ("Option<Handle>", name) => self.of(name).map_or(0, Handle::raw),
            (_, "address") => SHARED_START,
            (_, "entry" | "stack") => USER_START,
            (_, "ipc_page") => IPC_PAGE + 65 * PAGE_SIZE as u64,
            (_, "deadline" | "rights" | "quota" | "offset" | "badge") => 0,
            ("Name", _) => u64::from(b'x'),
            _ => 1,
        };
        [first, 0, 0]
    }
}

/// Kinds of bad handle.
pub(crate) fn bad(kind: &str) -> Tried {
    let hands = Hands::make()?;
    match kind {
        "null" => everywhere(&hands, Only::Required, &|_| Some(alloc::vec![0])),
        "forged" => {
            let forged = forged(&hands);
            everywhere(&hands, Only::Any, &|_| Some(forged.clone()))
        }
        "closed" => {
            let closed = closed()?;
            everywhere(&hands, Only::Any, &|_| Some(closed.clone()))
        }
        "revoked" => {
            let revoked = revoked()?;
            everywhere(&hands, Only::Any, &|_| Some(revoked.clone()))
        }
        "of-another" => of_another(&hands),
        "wrong-kind" => everywhere(&hands, Only::Kinded, &|name| {
            let other = if name == "info" { hands.of("log") } else { hands.of("info") };
            other.map(|handle| alloc::vec![handle.raw()])
        }),
        "powerless" => {
            let powerless = powerless(&hands)?;
            everywhere(&hands, Only::Kinded, &|name| powerless.of(name).map(|handle| alloc::vec![handle.raw()]))
        }
        "dead" => dead(&hands),
        "first-slot" => first_slot(),
        _ => Err(Failure::Wrong("there is no such kind of bad handle")),
    }
}

/// Which places are tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Only {
    /// Every one.
    Any,
    /// Where a handle must be.
    Required,
    /// Where the handle must be of one kind.
    Kinded,
}

/// Tries handles in each place of each call. A place behind one that cannot be filled soundly is not reached.
fn everywhere(hands: &Hands, only: Only, values: &dyn Fn(&str) -> Option<Vec<u64>>) -> Tried {
    let mut alike = Alike::default();
    for call in TYPED.iter().filter(|call| !is_reserved(call)) {
        for place in arguments(call).filter(|place| matches!(place.kind, "Handle" | "Option<Handle>")) {
            let skipped = match only {
                Only::Any => false,
                Only::Required => place.kind != "Handle",
                Only::Kinded => matches!(place.name, "source" | "handle"),
            };
            for value in values(place.name).filter(|_| !skipped).unwrap_or_default() {
                let (target, words) = hands.registers(call, Some((place.index, value)));
                let got = Machine.raw(call.number, target, words);
                alike.add(call.name, got).inspect_err(|_| log!("{} was {value:#x}", place.name))?;
            }
            // The console can be claimed by nobody who starts as a program: what stands behind its ring is not looked at.
            if place.kind == "Handle" && (hands.of(place.name).is_none() || call.name == "ConsoleClaim") {
                break;
            }
        }
    }
    for value in values("endpoint").unwrap_or_default() {
        messages(&mut alike, value, only)?;
    }
    alike.outcome()
}

/// Message calls to a bad handle.
fn messages(alike: &mut Alike, target: u64, only: Only) -> Result<(), Failure> {
    let calls = [ipc::CALL, ipc::CALL_UNTIL, ipc::CALL_EXTENDED, ipc::SEND, ipc::RECV, ipc::REPLY_RECV_UNTIL];
    for number in calls {
        alike.add("a message", message(number, target, 0, [0; 8])).inspect_err(|_| log!("{number} to {target:#x}"))?;
    }
    // Without a handle an answer goes to the open link.
    let answers = if only == Only::Required { &[][..] } else { &[ipc::REPLY, ipc::REPLY_EXTENDED][..] };
    for &number in answers.iter().filter(|_| only == Only::Any) {
        alike.add("an answer", message(number, target, 0, [0; 8])).inspect_err(|_| log!("{number} to {target:#x}"))?;
    }
    Ok(())
}

/// Near misses of real handles, and numbers out of the air.
fn forged(hands: &Hands) -> Vec<u64> {
    let near = |raw: u64| [raw + 1, raw - 1, raw ^ 1 << 47, raw ^ 1 << 48, raw ^ 1 << 51, raw ^ 1 << 52, raw ^ 1 << 63];
    let near = hands.kinds.iter().flat_map(|(_, handle)| near(handle.raw()));
    let real = |value: &u64| hands.kinds.iter().any(|(_, handle)| handle.raw() == *value);
    near.chain([1, u64::MAX, 1 << 63]).chain(numbers(SEED, RANDOM)).filter(|value| !real(value)).collect()
}

/// Handles whose slots were closed, and then used again by others.
fn closed() -> Result<Vec<u64>, Error> {
    let mut closed = Vec::new();
    for _ in 0..4 {
        let handle = invoke(NotificationCreate { process: None })?.notification;
        invoke(Close { handle })?;
        closed.push(handle.raw());
    }
    // It takes the slot of the last of them.
    invoke(NotificationCreate { process: None })?;
    Ok(closed)
}

/// Handles that a revocation took, with one derived from another.
fn revoked() -> Result<Vec<u64>, Error> {
    let source = invoke(NotificationCreate { process: None })?.notification;
    let child = invoke(Derive { source, rights: Rights::ALL, badge: 0 })?.handle;
    let grandchild = invoke(Derive { source: child, rights: Rights::ALL, badge: 0 })?.handle;
    invoke(Revoke { handle: source })?;
    Ok([child.raw(), grandchild.raw()].into())
}

/// The same objects, by handles without any right.
fn powerless(hands: &Hands) -> Result<Hands, Error> {
    let derive = |&(name, source): &(&'static str, Handle)| {
        invoke(Derive { source, rights: Rights::NONE, badge: 0 }).map(|derived| (name, derived.handle))
    };
    let kinds: Result<Vec<_>, Error> = hands.kinds.iter().map(derive).collect();
    Ok(Hands { kinds: kinds? })
}

/// The numbers of an accomplice's handles, which say nothing here.
fn of_another(hands: &Hands) -> Tried {
    let (endpoint, door) = door(0)?;
    let accomplice = Accomplice::start(&["accomplice", "tell-handles"], Some(door))?;
    let told = message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    let real = |value: &u64| hands.kinds.iter().any(|(_, handle)| handle.raw() == *value);
    let own = |value: &u64| [endpoint, door].iter().any(|handle| handle.raw() == *value);
    let theirs: Vec<u64> = told.words.into_iter().filter(|value| *value != 0 && !real(value) && !own(value)).collect();
    must(!theirs.is_empty(), "the accomplice has handles that are none here")?;
    let outcome = everywhere(hands, Only::Any, &|_| Some(theirs.clone()));
    accomplice.kill()?;
    outcome
}

/// Handles to objects of a program that has ended.
fn dead(hands: &Hands) -> Tried {
    let (endpoint, door) = door(0)?;
    let accomplice = Accomplice::start(&["accomplice", "give-and-go"], Some(door))?;
    let given = message(ipc::RECV, endpoint.raw(), 0, [0; 8])?;
    let [called, notified, mapped] = crate::accomplice::given_handles(&given).ok_or(Error::Protocol)?;
    message(ipc::REPLY, 0, 0, [0; 8])?;
    accomplice.end()?;
    let mut alike = Alike::default();
    for number in [ipc::CALL_UNTIL, ipc::SEND] {
        alike.add("a message", message(number, called, 0, [0; 8]))?;
    }
    for (name, value) in [("notification", notified), ("memory", mapped), ("endpoint", called)] {
        for call in TYPED.iter().filter(|call| !is_reserved(call) && reachable(hands, call)) {
            for place in arguments(call).filter(|place| place.kind == "Handle" && place.name == name) {
                let (target, words) = hands.registers(call, Some((place.index, value)));
                // What it may not do with them it may still not do.
                match Machine.raw(call.number, target, words) {
                    Err(Error::Permission) => {}
                    got => alike.add(call.name, got)?,
                }
            }
        }
    }
    alike.outcome()
}

/// Calls through no handle while objects stand in the first slot that are numbered as endpoints are, with a badge of choice.
fn first_slot() -> Tried {
    let notification = invoke(NotificationCreate { process: None })?.notification;
    let timers: Result<Vec<Handle>, Error> =
        (0..TIMERS).map(|_| invoke(TimerCreate { notification, bits: 1 }).map(|made| made.timer)).collect();
    // Who has waited once is known to the straight way of messages.
    let waited = invoke(Wait { notification, deadline: time::deadline_in(TICK) });
    must(waited.err() == Some(Error::TimedOut), "nobody signals it")?;
    let first = env::start()?.handles().map(|(_, handle)| handle).find(|handle| handle.index() == 0);
    invoke(Close { handle: first.ok_or(Failure::Wrong("a program has a handle in its first slot"))? })?;
    let mut alike = Alike::default();
    for source in timers? {
        let handle = invoke(Derive { source, rights: Rights::ALL, badge: u64::MAX })?.handle;
        must(handle.index() == 0, "the first free slot is taken")?;
        for number in [ipc::CALL, ipc::CALL_UNTIL] {
            alike.add("a call", message(number, 0, 0, [0; 8]))?;
        }
        invoke(Close { handle })?;
    }
    alike.outcome()
}

/// Whether a program has the first handle that a call takes.
fn reachable(hands: &Hands, call: &Description) -> bool {
    arguments(call).next().is_some_and(|place| hands.of(place.name).is_some() || place.kind != "Handle")
}
