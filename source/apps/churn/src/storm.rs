//! How soon a thread runs that was woken while others storm, and what is left to the lowest class meanwhile.
//!
//! For a machine with one hart that counts instructions, and a manifest that makes this program Interactive. The storms are
//! programs of a lower class, PerfBurst ones with a budget, and such of the same class. An instruction is a nanosecond.

use alloc::{boxed::Box, format, sync::Arc};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nexus_abi::syscall::{QosGet, QosSet, Wait};
use nexus_abi::{Deadline, Error, Handle, ProcessId, QosClass};
use nexus_proto::exec::{self, Fate};
use nexus_rt::kernel::invoke;
use nexus_rt::{Channel, Instant, env, println, thread};

use crate::fair::{notification, sleep};

/// Kinds of strain that two programs of a lower class play; behind a colon whom they call, else init.
const STORMS: [&str; 9] =
    ["spin", "yields", "naps", "calls", "calls:timer", "calls:exec", "starts", "faults", "records"];
const ATTACKERS: usize = 2;
/// For starting them, before they begin.
const START: Duration = Duration::from_millis(20);
/// That each storm lasts, if no word says another: the guard gives the lowest class two slices meanwhile.
const SPAN_MS: u64 = 400;
/// For their end.
const REST: Duration = Duration::from_millis(20);
/// Instructions after the end of its nap by which a thread runs beside lower classes.
const LATEST: u64 = 50_000;
/// What a slice is, and the budget of each PerfBurst program in a period.
const SLICE: u64 = 5_000_000;
const BUDGET: u64 = 2_000_000;
/// What Idle makes of a CPU at least, in thousandths.
const IDLE: u64 = 10;
const STACK_PAGES: u64 = 2;

/// What came of one storm.
struct Outcome {
    /// Instructions from the end of a nap to the first one after it, at most.
    latest: u64,
    /// Of what Idle makes of the CPU alone, in thousandths.
    idle: u64,
}

/// Prints what came of each storm; status 1: a promise was broken. `above`: storms of PerfBurst and of the same class. Else
/// the word is a bound for those of lower classes, then how many milliseconds each lasts, then the only one.
pub(crate) fn weather() -> Result<i64, Error> {
    if invoke(QosGet { thread: None })?.class != QosClass::Interactive {
        return Err(Error::Permission);
    }
    let number = |at, other| env::arguments().nth(at).map_or(Ok(other), str::parse).map_err(|_| Error::Invalid);
    let mut watch = Watch::start(Duration::from_millis(number(3, SPAN_MS)?))?;
    let mut broken = 0;
    if env::arguments().nth(2) == Some("above") {
        let bursts = watch.beside(|programs, _| spinners(programs))?;
        broken += said("PerfBurst", &bursts, LATEST + ATTACKERS as u64 * BUDGET);
        let equals = watch.beside(|programs, times| strain(programs, "spin", times))?;
        broken += said("equals", &equals, (ATTACKERS as u64 + 1) * SLICE + LATEST);
    } else {
        let longest = number(2, LATEST)?;
        let only = env::arguments().nth(4);
        for kind in only.into_iter().chain(STORMS.into_iter().filter(|_| only.is_none())) {
            let outcome = watch.beside(|programs, times| strain(programs, kind, times))?;
            broken += said(kind, &outcome, longest.min(LATEST));
        }
    }
    println!("{broken} promises broken");
    Ok(i64::from(broken != 0))
}

fn said(kind: &str, outcome: &Outcome, bound: u64) -> i64 {
    let Outcome { latest, idle } = outcome;
    println!("storm | {kind} | woken after at most {latest} of {bound} | Idle has {}.{} %", idle / 10, idle % 10);
    i64::from(*latest > bound || *idle < IDLE)
}

/// Who sleeps and wakes, and the Idle thread that counts meanwhile.
struct Watch {
    never: Handle,
    span: Duration,
    laps: Arc<AtomicU64>,
    /// Laps of Idle alone in a span.
    alone: u64,
    programs: exec::Client<Channel>,
}

/// Programs that are to end with the storm.
type Crew = [Option<ProcessId>; ATTACKERS];

impl Watch {
    fn start(span: Duration) -> Result<Watch, Error> {
        let (never, laps) = (notification()?, Arc::new(AtomicU64::new(0)));
        let counter = laps.clone();
        let count = move || {
            if invoke(QosSet { class: QosClass::Idle as u8, target: 0 }).is_ok() {
                loop {
                    counter.fetch_add(1, Ordering::Relaxed);
                }
            }
        };
        thread::spawn(STACK_PAGES, Box::new(count))?;
        let programs = exec::Client::new(Channel::to(exec::NAME)?);
        let mut watch = Watch { never, span, laps, alone: 1, programs };
        sleep(never, REST);
        let (_, alone) = watch.nap_until(Instant::now().after(span))?;
        watch.alone = alone.max(1);
        Ok(watch)
    }

    /// Naps while a storm lasts that begins a little later.
    fn beside(
        &mut self,
        brew: impl FnOnce(&mut exec::Client<Channel>, [Deadline; 2]) -> Result<Crew, Error>,
    ) -> Result<Outcome, Error> {
        let begin = Instant::now().after(START);
        let end = Instant::from_ticks(begin.0).after(self.span);
        let crew = brew(&mut self.programs, [begin, end])?;
        let late = Instant::now() > Instant::from_ticks(begin.0);
        let _ = invoke(Wait { notification: self.never, deadline: begin });
        let (latest, laps) = self.nap_until(end)?;
        sleep(self.never, REST);
        for process in crew.into_iter().flatten() {
            self.programs.kill(process, 0)?;
            let stormed = match self.programs.wait(process)?.fate()? {
                // Tries are in the upper half, if it ended by itself.
                Fate::Exited(status) => status >> 32 > 0,
                fate => fate == Fate::Killed(0),
            };
            if late || !stormed {
                return Err(Error::Protocol);
            }
        }
        Ok(Outcome { latest, idle: laps * 1000 / self.alone })
    }

    /// The longest time from the end of a nap to the first instruction after it, and the laps of Idle meanwhile.
    fn nap_until(&self, end: Deadline) -> Result<(u64, u64), Error> {
        let (before, mut latest, mut naps) = (self.laps.load(Ordering::Relaxed), Duration::ZERO, 0);
        while Instant::now() < Instant::from_ticks(end.0) {
            // Lengths that fall into step with nobody.
            let due = Instant::now().after(Duration::from_micros(300 + naps * 37 % 500));
            let _ = invoke(Wait { notification: self.never, deadline: due });
            latest = latest.max(Instant::now().since(Instant::from_ticks(due.0)));
            naps += 1;
        }
        Ok((latest.as_nanos() as u64, self.laps.load(Ordering::Relaxed) - before))
    }
}

/// Programs that all do one thing from begin to end.
fn strain(programs: &mut exec::Client<Channel>, kind: &str, times: [Deadline; 2]) -> Result<Crew, Error> {
    let [begin, end] = times.map(|time| format!("{}", time.0));
    let (kind, whom) = kind.split_once(':').map_or((kind, None), |(kind, whom)| (kind, Some(whom)));
    let words = exec::pack(["strain", kind, &begin, &end].into_iter().chain(whom))?;
    let mut crew = [None; ATTACKERS];
    for place in &mut crew {
        *place = Some(programs.start("attacker", &words, None, None, None)?.process);
    }
    Ok(crew)
}

/// Programs that spin in the class that the manifest gives them.
fn spinners(programs: &mut exec::Client<Channel>) -> Result<Crew, Error> {
    let mut crew = [None; ATTACKERS];
    for place in &mut crew {
        *place = Some(programs.start("rogue", &exec::pack(["spin"])?, None, None, None)?.process);
    }
    Ok(crew)
}
