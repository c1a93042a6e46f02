//! Measures what is left to honest clients of a service beside each kind of abuse.
//!
//! Honest programs call init, or ask it for routes, and count what they get; as many programs as there are abusers do
//! the same beside them. What they get then is their share. Then the others abuse init instead, in one way after the
//! other, and the honest ones have to get nine tenths of their share. Run under counted instructions, each number is
//! the same every time: `cargo xtask proof --scenes abuse`.

#![no_std]
#![no_main]

extern crate alloc;

mod census;
mod honest;

use alloc::format;
use core::time::Duration;

use nexus_abi::{Error, ProcessId};
use nexus_proto::exec::{self, Fate};
use nexus_proto::{logs, supervisor, timer};
use nexus_rt::{Channel, Instant, env, println};

use census::Census;

nexus_rt::program!(main);

const HONEST: usize = 2;
const ABUSERS: usize = 3;
/// For starting everybody, before all begin.
const START: Duration = Duration::from_millis(20);
/// Milliseconds that all go on, if no argument says another number: whole rounds of slices of all who take part.
const SPAN: u64 = 100;
/// Percent of their share that honest clients get at least.
const LEAST: u64 = 90;

/// A kind of abuse: its name, what honest clients do meanwhile, and whether it must be refused.
const KINDS: [(&str, &str, Refusals); 9] = [
    ("flood", "calls", Refusals::Perhaps),
    ("mute", "calls", Refusals::Surely),
    ("kept", "calls", Refusals::Surely),
    ("nested", "calls", Refusals::Surely),
    ("circle", "calls", Refusals::Surely),
    ("nonces", "routes", Refusals::Perhaps),
    ("handles", "calls", Refusals::Perhaps),
    ("askers", "routes", Refusals::Perhaps),
    ("cancelled", "calls", Refusals::Surely),
];

/// The services that are abused by messages, beside init, and how: timed runs above its clients, the others in their class.
const OTHERS: [&str; 3] = [timer::NAME, exec::NAME, logs::NAME];
const MESSAGES: [&str; 3] = ["flood", "handles", "cancelled"];

/// Whether an abuser hears that it goes too far: not where the service takes up all that comes at once.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refusals {
    Perhaps,
    Surely,
}

/// What came of one round: what honest clients got, what the others tried, and what of that was refused.
#[derive(Clone, Copy, Default)]
struct Round {
    got: u64,
    tried: u64,
    refused: u64,
}

fn main() -> Result<i64, Error> {
    match env::arguments().nth(1) {
        Some("honest") => honest::count(),
        None => judge(SPAN, None),
        Some(span) => judge(span.parse().map_err(|_| Error::Invalid)?, env::arguments().nth(2)),
    }
}

/// Every kind and service, or the one of this name, for so many milliseconds each; status 1: something was wrong.
fn judge(span: u64, only: Option<&str>) -> Result<i64, Error> {
    let span = Duration::from_millis(span);
    let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
    let info = env::handle("info")?;
    // Whatever is made once is made.
    round(&mut programs, span, ["calls", "calls", supervisor::NAME])?;
    let before = Census::take(info);
    let mut wrong = 0;
    for what in ["calls", "routes"] {
        let kinds = KINDS.iter().filter(|&&(kind, by, _)| by == what && only.is_none_or(|only| only == kind));
        wrong += abused(&mut programs, span, [what, supervisor::NAME], kinds)?;
    }
    for interface in OTHERS.into_iter().filter(|name| only.is_none_or(|only| only == *name)) {
        let kinds = KINDS.iter().filter(|(kind, ..)| MESSAGES.contains(kind));
        wrong += abused(&mut programs, span, ["calls", interface], kinds)?;
    }
    wrong += Census::take(info).differences(&before);
    println!("{wrong} things were wrong");
    Ok(i64::from(wrong != 0))
}

/// The kinds of abuse of one service, one after the other; how many of them were wrong.
fn abused<'a>(
    programs: &mut exec::Client<Channel>,
    span: Duration,
    [what, interface]: [&str; 2],
    kinds: impl Iterator<Item = &'a (&'a str, &'a str, Refusals)>,
) -> Result<i64, Error> {
    let (mut kinds, mut wrong) = (kinds.peekable(), 0);
    if kinds.peek().is_none() {
        return Ok(0);
    }
    let share = round(programs, span, [what, what, interface])?;
    println!("share | {interface} | {what} | {} for {HONEST} beside {ABUSERS} that got {}", share.got, share.tried);
    for &(kind, _, refusals) in kinds {
        let beside = round(programs, span, [kind, what, interface])?;
        let percent = beside.got * 100 / share.got.max(1);
        println!(
            "{interface} | {kind} | {} tried | {} refused | {} {what} | {percent} %",
            beside.tried, beside.refused, beside.got
        );
        let unbounded = refusals == Refusals::Surely && beside.refused == 0;
        wrong += i64::from(percent < LEAST || beside.tried == 0 || unbounded);
    }
    Ok(wrong)
}

/// Lets the others do `kind` and honest clients `what` at the same time, to this service.
fn round(
    programs: &mut exec::Client<Channel>,
    span: Duration,
    [kind, what, interface]: [&str; 3],
) -> Result<Round, Error> {
    let begin = Instant::now().after(START);
    let end = Instant::from_ticks(begin.0).after(span);
    let (begin, end) = (format!("{}", begin.0), format!("{}", end.0));
    let (mut honest, mut others) = ([ProcessId(0); HONEST], [ProcessId(0); ABUSERS]);
    for process in &mut honest {
        let words = exec::pack(["honest", what, &begin, &end, interface])?;
        *process = programs.start("abuse", &words, None, None, None)?.process;
    }
    for process in &mut others {
        let words = exec::pack(["strain", kind, &begin, &end, interface])?;
        *process = programs.start("attacker", &words, None, None, None)?.process;
    }
    let mut round = Round::default();
    for process in honest {
        round.got += status(programs, process)?;
    }
    for process in others {
        let told = status(programs, process)?;
        round.tried += told >> 32;
        round.refused += told & u64::from(u32::MAX);
    }
    Ok(round)
}

fn status(programs: &mut exec::Client<Channel>, process: ProcessId) -> Result<u64, Error> {
    match programs.wait(process)?.fate()? {
        Fate::Exited(status) => Ok(status as u64),
        _ => Err(Error::Protocol),
    }
}
