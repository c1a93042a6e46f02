//! A server in the middle of an Idle caller's work, an Interactive caller that waits for it, and others that spin in Normal.
//!
//! For a machine with one hart that counts instructions, and a manifest that makes this program Interactive. The server's
//! own class is Idle: only who waits for it lifts it. An instruction is a nanosecond.

use alloc::{boxed::Box, format, sync::Arc};
use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;

use nexus_abi::message::WORDS;
use nexus_abi::syscall::{Derive, EndpointCreate, Notify, QosGet, QosSet, Wait, ipc};
use nexus_abi::{Deadline, Error, Handle, QosClass, Rights};
use nexus_proto::exec;
use nexus_rt::kernel::invoke;
use nexus_rt::sys::{Departure, counted};
use nexus_rt::time::deadline_in;
use nexus_rt::{Channel, Instant, println, thread};

use crate::fair::{notification, sleep};

/// Laps of the server for each caller: some milliseconds.
const LAPS: u64 = 1_000_000;
/// Ticks by which the Idle caller is ahead of those who spin.
const AHEAD: u64 = 5_000;
const MILLION: u64 = 1_000_000;
const STACK_PAGES: u64 = 2;
const HOGS: usize = 2;
/// Until the hogs spin; from then to the call.
const START: Duration = Duration::from_millis(20);
const EARLY: Duration = Duration::from_millis(1);
const SPIN: Duration = Duration::from_secs(1);
/// A caller gives up then.
const PATIENCE: Duration = Duration::from_secs(2);
/// What is not seen of a time: the clock's step at both ends.
const STEP: u64 = 200;

struct Hall {
    door: Handle,
    /// Laps that the server has done.
    laps: AtomicU64,
    /// Signalled for the Idle caller to call.
    go: Handle,
}

/// Prints how long the caller waited, what the server did meanwhile and what two switches cost; status 1: it waited for longer.
pub(crate) fn inversion() -> Result<i64, Error> {
    if invoke(QosGet { thread: None })?.class != QosClass::Interactive {
        return Err(Error::Permission);
    }
    let hall = Hall::open()?;
    let never = notification()?;
    hall.call(0)?;
    // Nobody else runs: what a lap costs, and what it costs that the server is busy with an Idle caller that does nothing.
    let [nothing, all] = [timed(|| hall.call(0))?, timed(|| hall.call(LAPS))?];
    let lap = (all - nothing) * MILLION / LAPS;
    let switches = hall.wait_behind(never, Instant::from_ticks(Instant::now().after(START).0), lap)?;
    let hogs = Hogs::start()?;
    let waited = hall.wait_behind(never, hogs.spin, lap)?;
    hogs.end()?;
    println!("held | two switches, nobody else: {switches} instructions more than the server's work");
    println!("held | beside {HOGS} that spin above the server's class: {waited} instructions more than its work");
    let broken = i64::from(waited > switches + STEP);
    println!("{broken} promises broken");
    Ok(broken)
}

/// Programs that spin in Normal for a while.
struct Hogs {
    /// From then on.
    spin: Instant,
    programs: exec::Client<Channel>,
    crew: [nexus_abi::ProcessId; HOGS],
}

impl Hogs {
    fn start() -> Result<Hogs, Error> {
        let mut programs = exec::Client::new(Channel::to(exec::NAME)?);
        let begin = Instant::now().after(START);
        let end = Instant::from_ticks(begin.0).after(SPIN);
        let [from, to] = [begin, end].map(|time| format!("{}", time.0));
        let words = exec::pack(["strain", "spin", &from, &to])?;
        let mut crew = [nexus_abi::ProcessId(0); HOGS];
        for hog in &mut crew {
            *hog = programs.start("attacker", &words, None, None, None)?.process;
        }
        Ok(Hogs { spin: Instant::from_ticks(begin.0), programs, crew })
    }

    fn end(mut self) -> Result<(), Error> {
        for hog in self.crew {
            self.programs.kill(hog, 0)?;
            self.programs.wait(hog)?;
        }
        Ok(())
    }
}

impl Hall {
    fn open() -> Result<Arc<Hall>, Error> {
        let endpoint = invoke(EndpointCreate { process: None, queue: 0 })?.endpoint;
        let door = invoke(Derive { source: endpoint, rights: Rights::USE, badge: 0 })?.handle;
        let hall = Arc::new(Hall { door, laps: AtomicU64::new(0), go: notification()? });
        let (server, caller) = (hall.clone(), hall.clone());
        thread::spawn(STACK_PAGES, Box::new(move || server.serve(endpoint)))?;
        thread::spawn(STACK_PAGES, Box::new(move || caller.call_when_told()))?;
        Ok(hall)
    }

    fn serve(&self, endpoint: Handle) {
        let _ = invoke(QosSet { class: QosClass::Idle as u8, target: 0 });
        while let Ok(laps) = message(ipc::RECV, endpoint, [0; WORDS]) {
            (0..laps).for_each(|_| _ = self.laps.fetch_add(1, Ordering::Relaxed));
            // Who gave up is not answered.
            let _ = reply();
        }
    }

    fn call_when_told(&self) {
        let _ = invoke(QosSet { class: QosClass::Idle as u8, target: 0 });
        while invoke(Wait { notification: self.go, deadline: Deadline::NEVER }).is_ok() {
            let _ = self.call(LAPS);
        }
    }

    fn call(&self, laps: u64) -> Result<(), Error> {
        let mut words = [0; WORDS];
        words[0] = laps;
        message(ipc::CALL, self.door, words).map(drop)
    }

    /// Calls when others spin, while the server is in the middle of the Idle caller's work. Instructions until the answer,
    /// without those of the server's work: a lap is so many millionths.
    fn wait_behind(&self, never: Handle, spin: Instant, lap: u64) -> Result<u64, Error> {
        let first = self.laps.load(Ordering::Relaxed);
        let _ = invoke(Wait { notification: never, deadline: Deadline(spin.ticks() - AHEAD) });
        invoke(Notify { notification: self.go, bits: 1 })?;
        let _ = invoke(Wait { notification: never, deadline: spin.after(EARLY) });
        let done = self.laps.load(Ordering::Relaxed) - first;
        if done == 0 || done >= LAPS {
            return Err(Error::State);
        }
        let waited = timed(|| self.call(LAPS))?;
        sleep(never, START);
        Ok(waited.saturating_sub((2 * LAPS - done) * lap / MILLION))
    }
}

/// Instructions that it takes.
fn timed(act: impl FnOnce() -> Result<(), Error>) -> Result<u64, Error> {
    let began = Instant::now();
    act()?;
    Ok(Instant::now().since(began).as_nanos() as u64)
}

fn message(number: u64, target: Handle, words: [u64; WORDS]) -> Result<u64, Error> {
    let deadline = if number == ipc::CALL { deadline_in(PATIENCE) } else { Deadline::NEVER };
    let departure = Departure { number, target: target.raw(), deadline: deadline.0, extent: 0, words };
    let arrival = counted(&departure).arrival;
    arrival.status.error().map_or(Ok(arrival.words[0]), Err)
}

fn reply() -> Result<(), Error> {
    let departure =
        Departure { number: ipc::REPLY, target: 0, deadline: Deadline::NEVER.0, extent: 0, words: [0; WORDS] };
    counted(&departure).arrival.status.error().map_or(Ok(()), Err)
}
