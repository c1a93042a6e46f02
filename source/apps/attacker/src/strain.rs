//! Strain: one kind of abuse of a service without a pause, from one moment to another.
//!
//! The exit status says how often it was tried and how often refused; whoever measures what is left to honest clients
//! of the same service reads it. An answer that the kind does not expect ends it with [`BROKEN`](crate::BROKEN).

use alloc::boxed::Box;

use nexus_abi::message::WORDS;
use nexus_abi::syscall::{Close, Defer, NotificationCreate, Wait, Yield, ipc};
use nexus_abi::{Deadline, Error, Handle};
use nexus_ipc::Notice;
use nexus_ipc::interface::tag;
use nexus_proto::{exec, logs, supervisor, timer};
use nexus_rt::inbox::Inbox;
use nexus_rt::sys::Wrong;
use nexus_rt::{Channel, Instant, env, kernel::invoke, thread};

use crate::tell::{door, message, message_until, numbers};

/// Tries once more.
type Act = Box<dyn FnMut() -> Result<(), Error>>;

/// Servers in a chain: one more than calls may nest.
const CHAIN: usize = nexus_abi::message::MAX_CALL_DEPTH + 1;
const STACK_PAGES: u64 = 2;
/// Threads that sleep, each for 20 µs and 7 µs more than the one before it.
const NAPPERS: u64 = 8;
/// Messages that wait where nobody receives.
const UNHEARD: u16 = 8;
/// Ticks until a call that nobody answers ends: 20 µs.
const SHORT: u64 = 200;
/// For a route.
const ROUTE: core::time::Duration = core::time::Duration::from_secs(1);

/// A kind: its name, the refusals that it meets, and how to begin.
type Kind = (&'static str, &'static [Error], fn() -> Result<Act, Error>);

const KINDS: [Kind; 17] = [
    ("spin", &[], spin),
    ("yields", &[], yields),
    ("starts", &[Error::OverLimit], starts),
    ("faults", &[Error::OverLimit], faults),
    ("naps", &[], naps),
    ("calls", &[], calls),
    ("records", &[], records),
    ("routes", &[], routes),
    ("flood", &[Error::Again], flood),
    ("mute", &[Error::Again, Error::TimedOut], mute),
    ("kept", &[Error::OverLimit], kept),
    ("nested", &[Error::OverLimit], nested),
    ("circle", &[Error::Deadlock], circle),
    ("nonces", &[Error::Again], nonces),
    ("handles", &[Error::Again], handles),
    ("askers", &[Error::Again], askers),
    ("cancelled", &[Error::TimedOut], cancelled),
];

/// Plays the kind with this name until the time in the argument behind it; the exit status.
pub(crate) fn strain(kind: &str) -> i64 {
    let refused = |(tried, refused): (u64, u64)| (tried << 32 | refused) as i64;
    strained(kind).map_or(crate::BROKEN, refused)
}

fn strained(kind: &str) -> Result<(u64, u64), Error> {
    let time = |at| env::arguments().nth(at).and_then(|text| text.parse().ok()).ok_or(Error::Invalid);
    let (begin, end): (u64, u64) = (time(3)?, time(4)?);
    let (_, expected, made) = KINDS.into_iter().find(|(name, ..)| *name == kind).ok_or(Error::NotFound)?;
    let never = invoke(NotificationCreate { process: None })?.notification;
    let mut act = made()?;
    let _ = invoke(Wait { notification: never, deadline: Deadline(begin) });
    let (mut tried, mut refused) = (0, 0);
    while Instant::now().ticks() < end {
        tried += 1;
        match act() {
            Ok(()) => {}
            Err(error) if expected.contains(&error) => refused += 1,
            Err(error) => {
                nexus_rt::log!("strain {kind}: {}", error.name());
                return Err(error);
            }
        }
    }
    Ok((tried, refused))
}

/// Nothing but time.
fn spin() -> Result<Act, Error> {
    Ok(Box::new(|| Ok(())))
}

/// The CPU given away, again and again, between threads that do nothing else.
fn yields() -> Result<Act, Error> {
    thread::spawn(
        STACK_PAGES,
        Box::new(|| {
            loop {
                let _ = invoke(Yield {});
            }
        }),
    )?;
    Ok(Box::new(|| invoke(Yield {}).map(drop)))
}

/// Programs that end at once.
fn starts() -> Result<Act, Error> {
    run_again(&["exit"])
}

/// Programs that fault at once: there are no other page faults.
fn faults() -> Result<Act, Error> {
    run_again(&[Wrong::ALL[0].name()])
}

/// Starts a program again and again, and waits for its end.
fn run_again(words: &[&str]) -> Result<Act, Error> {
    let words = exec::pack(words.iter().copied())?;
    let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
    Ok(Box::new(move || {
        let process = programs.start("rogue", &words, None, None, None)?.process;
        programs.wait(process).map(drop)
    }))
}

/// Timers of the kernel: threads that each sleep for a time of its own, again and again.
fn naps() -> Result<Act, Error> {
    let mut lengths = (1..=NAPPERS).map(|number| 200 + 70 * number);
    let mut nap = move || {
        let (length, never) =
            (lengths.next().unwrap_or(200), invoke(NotificationCreate { process: None })?.notification);
        Ok::<_, Error>(move || {
            // Nobody signals it: the wait is a pause.
            let _ = invoke(Wait { notification: never, deadline: Deadline(Instant::now().ticks() + length) });
        })
    };
    for _ in 1..NAPPERS {
        let nap = nap()?;
        thread::spawn(
            STACK_PAGES,
            Box::new(move || {
                loop {
                    nap();
                }
            }),
        )?;
    }
    let nap = nap()?;
    Ok(Box::new(move || {
        nap();
        Ok(())
    }))
}

/// The service that is abused: the interface behind the times in the arguments, else init.
fn whom() -> &'static str {
    env::arguments().nth(5).unwrap_or(supervisor::NAME)
}

/// No abuse: calls as anybody may make them.
fn calls() -> Result<Act, Error> {
    let channel = Channel::to(whom())?;
    Ok(match whom() {
        timer::NAME => {
            let mut client = timer::Client::new(channel);
            Box::new(move || client.clock().map(drop))
        }
        exec::NAME => {
            let mut client = exec::Client::new(channel);
            Box::new(move || client.list(0).map(drop))
        }
        logs::NAME => {
            let mut client = logs::Client::new(channel);
            // Refused by permission: that is an answer too.
            Box::new(move || client.sender(0).map_or_else(|error| allowed(error, Error::Permission), |_| Ok(())))
        }
        _ => {
            let mut client = supervisor::Client::new(channel);
            Box::new(move || client.list(0).map(drop))
        }
    })
}

fn allowed(error: Error, one: Error) -> Result<(), Error> {
    if error == one { Ok(()) } else { Err(error) }
}

/// Records for the log.
fn records() -> Result<Act, Error> {
    Ok(Box::new(|| {
        nexus_rt::log!("strain");
        Ok(())
    }))
}

/// No abuse: routes, each asked for, waited for and given up.
fn routes() -> Result<Act, Error> {
    let mut inbox = Inbox::open()?;
    Ok(Box::new(move || {
        let handle = inbox.route(supervisor::NAME, ROUTE).into_result()?;
        invoke(Close { handle }).map(drop)
    }))
}

/// A number that looks random, one behind the other.
fn next(state: &mut u64) -> u64 {
    *state = numbers(*state | 1, 1)[0];
    *state
}

fn send(to: Handle, words: [u64; WORDS], handle: u64) -> Result<(), Error> {
    message(ipc::SEND, to.raw(), handle, words).map(drop)
}

/// One-way messages that mean nothing.
fn flood() -> Result<Act, Error> {
    let (service, mut state) = (Channel::to(whom())?.endpoint(), 1);
    Ok(Box::new(move || send(service, [next(&mut state); WORDS], 0)))
}

/// Messages and calls to a receiver that never receives.
fn mute() -> Result<Act, Error> {
    let (_, door) = door(UNHEARD)?;
    let mut turn = 0_u64;
    Ok(Box::new(move || {
        turn += 1;
        match turn % 2 {
            0 => send(door, [turn; WORDS], 0),
            _ => call_for(door, SHORT, [turn; WORDS]),
        }
    }))
}

/// A call with so many ticks to live.
fn call_for(to: Handle, ticks: u64, words: [u64; WORDS]) -> Result<(), Error> {
    let deadline = Deadline(Instant::now().ticks() + ticks);
    message_until(ipc::CALL_UNTIL, to.raw(), 0, deadline, words).map(drop)
}

/// A server that keeps every reply for ever.
fn kept() -> Result<Act, Error> {
    let (endpoint, door) = door(0)?;
    let caller = move || {
        while !matches!(call_for(door, SHORT, [0; WORDS]), Err(Error::PeerClosed)) {}
    };
    thread::spawn(STACK_PAGES, Box::new(caller))?;
    // What it can keep without harm to itself it has before anybody counts.
    while keep_one(endpoint).is_ok() {}
    Ok(Box::new(move || keep_one(endpoint)))
}

fn keep_one(endpoint: Handle) -> Result<(), Error> {
    message(ipc::RECV, endpoint.raw(), 0, [0; WORDS])?;
    let kept = invoke(Defer {}).map(drop);
    if kept.is_err() {
        // The caller may have given up by now.
        let _ = message(ipc::REPLY, 0, 0, [0; WORDS]);
    }
    kept
}

/// Calls inside calls, through one server more than calls may nest.
fn nested() -> Result<Act, Error> {
    let (mut endpoint, first) = door(0)?;
    for _ in 1..CHAIN {
        let (further, next) = door(0)?;
        thread::spawn(STACK_PAGES, Box::new(move || serve(endpoint, Some(next))))?;
        endpoint = further;
    }
    thread::spawn(STACK_PAGES, Box::new(move || serve(endpoint, None)))?;
    Ok(Box::new(move || told(message(ipc::CALL, first.raw(), 0, [0; WORDS])?.words[0])))
}

/// Asks `next` for each call and answers with what came of that.
fn serve(endpoint: Handle, next: Option<Handle>) {
    while message(ipc::RECV, endpoint.raw(), 0, [0; WORDS]).is_ok() {
        let outcome = next.map_or(Ok(()), |next| {
            let answer = message(ipc::CALL, next.raw(), 0, [0; WORDS])?;
            told(answer.words[0])
        });
        let number = outcome.err().map_or(0, |error| error.number().into());
        let _ = message(ipc::REPLY, 0, 0, [number, 0, 0, 0, 0, 0, 0, 0]);
    }
}

/// The outcome in word 0 of an answer.
fn told(word: u64) -> Result<(), Error> {
    Error::from_number(word as u16).map_or(Ok(()), Err)
}

/// A call to a server that calls back.
fn circle() -> Result<Act, Error> {
    let (there, to_there) = door(0)?;
    let (_, back) = door(0)?;
    thread::spawn(STACK_PAGES, Box::new(move || serve(there, Some(back))))?;
    Ok(Box::new(move || told(message(ipc::CALL, to_there.raw(), 0, [0; WORDS])?.words[0])))
}

/// Answers to questions that nobody asked, with nonces out of the air.
fn nonces() -> Result<Act, Error> {
    let (init, mut state) = (env::handle(env::INIT)?, 1);
    Ok(Box::new(move || {
        let nonce = next(&mut state);
        let notice = match nonce % 3 {
            0 => Notice::Up { nonce },
            1 => Notice::Decided { nonce, result: Err(Error::Permission) },
            _ => Notice::Routed { nonce, result: Err(Error::NotFound) },
        };
        send(init, notice.to_message().words, 0)
    }))
}

/// One-way messages with a handle each, which the receiver has to close.
fn handles() -> Result<Act, Error> {
    let (service, (_, door), mut state) = (Channel::to(whom())?.endpoint(), door(0)?, 1);
    Ok(Box::new(move || send(service, [next(&mut state); WORDS], door.raw())))
}

/// Questions for routes, answered into an inbox from which nobody takes.
fn askers() -> Result<Act, Error> {
    let (init, (_, inbox), mut state) = (env::handle(env::INIT)?, door(UNHEARD)?, 1);
    let interface = nexus_abi::Name::new(supervisor::NAME).ok_or(Error::Invalid)?;
    Ok(Box::new(move || {
        let notice = Notice::Route { nonce: next(&mut state), interface, inbox };
        send(init, notice.to_message().words, inbox.raw())
    }))
}

/// Calls that are over before they are answered, or while they are.
fn cancelled() -> Result<Act, Error> {
    let (service, mut state) = (Channel::to(whom())?.endpoint(), 1);
    // Method 5 of each takes as much work as a look at a record.
    let words = [tag(whom(), if whom() == supervisor::NAME { 1 } else { 5 }), 0, 0, 0, 0, 0, 0, 0];
    Ok(Box::new(move || call_for(service, next(&mut state) % 16, words)))
}
