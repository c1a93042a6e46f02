//! What the kernel executes, instruction by instruction, from the emulator's log of one run.
//!
//! The run is made twice. First every instruction of kernel and firmware is logged; then, of the same run, the registers at
//! the entry, the exit and at each swap that may take or give back a lock, which say what the visit was for and which lock it was.
//! Nothing in the kernel knows of it.

mod account;
mod code;
mod log;
mod record;
mod report;
mod steps;

use super::boots;
use crate::proof::emulator::Machine;
use crate::proof::session::Session;
use crate::proof::verdict::Ending;
pub(super) use account::{Account, Seen};
use code::{Code, Does};
use record::{Event, Mark, Recorder};
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::sync_channel;
use std::time::Duration;
pub(super) use steps::Steps;

/// A run with every instruction logged takes longer.
const RUN: Duration = Duration::from_secs(600);
/// How long a line takes from the emulator to the session at most, on a busy host.
const LOOK: Duration = Duration::from_secs(3);
/// Where the firmware lies.
const FIRMWARE: &str = "0x80000000..0x801fffff";
/// `open(2)`: do not wait for the other side.
const O_NONBLOCK: i32 = 0o4000;

/// A run to be looked at: the machine, and the line behind which nothing counts.
pub(super) struct Run {
    pub(super) machine: Machine,
    pub(super) until: &'static str,
}

/// What the runs together say, as tables. In the first two a pair of programs talks, each pair in a home of its own.
pub(super) fn tables(pairs: [&Run; 2], others: &[Run]) -> Result<String, String> {
    let (code, bare) = kernel(&crate::root())?;
    let [mut all, mut other] = [Account::default(), Account::default()];
    traced(&mut all, &code, &bare, pairs[0], BTreeSet::new())?;
    traced(&mut other, &code, &bare, pairs[1], BTreeSet::new())?;
    let shared = all.trips.shared(&other.trips).ok_or("the pair made no round trip")?;
    others.iter().try_for_each(|run| traced(&mut all, &code, &bare, run, BTreeSet::new()))?;
    Ok(report::text(&all, shared))
}

/// The visits of a run, and the instructions of those that are as long as is wanted.
pub(super) fn visits(run: &Run, wanted: BTreeSet<u64>) -> Result<Account, String> {
    let (code, bare) = kernel(&crate::root())?;
    let mut account = Account::default();
    traced(&mut account, &code, &bare, run, wanted)?;
    Ok(account)
}

/// The steps of the kernel that was built.
pub(super) fn steps() -> Result<Steps, String> {
    let path = crate::root().join("build/kernel");
    let file = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    Steps::read(&file)
}

/// Makes the run twice, lays the two recordings over one another and adds what they say.
fn traced(account: &mut Account, code: &Code, bare: &Scratch, run: &Run, wanted: BTreeSet<u64>) -> Result<(), String> {
    let root = crate::root();
    let mut record = Recorder::of(code, wanted).ok_or("the kernel lacks the symbols of its entries")?;
    let machine = run.machine.clone().with("KERNEL", bare.0.display());
    let text = format!("{:#x}..{:#x},{FIRMWARE}", code.start, code.end() - 1);
    let first = Run { machine: machine.clone().with("TRACED", text), until: run.until };
    let record = logged(&root, &first, move |from| log::addresses(from, |at| record.step(at)).map(|()| record))?;
    let looked_at = |event: &&Event| !matches!(event.mark, Mark::Look | Mark::Sleep);
    let places: BTreeSet<u64> = record.events.iter().filter(looked_at).map(|event| event.address).collect();
    let places: Vec<String> = places.iter().map(|place| format!("{place:#x}..{place:#x}")).collect();
    let second = machine.with("TRACED", places.join(",")).with("TRACE_WITH", "exec,cpu");
    let second = Run { machine: second, until: run.until };
    let mut known = Vec::new();
    let known = logged(&root, &second, move |from| log::registers(from, |now| known.push(*now)).map(|()| known))?;
    let entry = record.events.first().map_or(0, |event| event.address);
    let boot = known.iter().take_while(|now| now.address != entry).count();
    account::add(account, code, &record, &known[boot..])
}

/// The addresses that a boot executes of those that its machine names as traced, up to a line behind which it ends itself.
pub(crate) fn met(machine: &Machine, until: &'static str) -> Result<BTreeSet<u64>, String> {
    let root = crate::root();
    let (_, bare) = kernel(&root)?;
    let run = Run { machine: machine.clone().with("KERNEL", bare.0.display()), until };
    let mut found = BTreeSet::new();
    logged(&root, &run, move |from| log::addresses(from, |at| _ = found.insert(at)).map(|()| found))
}

/// How far a boot has come after how many instructions, from the kernel's first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Reached {
    /// The first process enters its `main`.
    pub(super) main: u64,
    /// The machine sleeps for the first time with this text on the console.
    pub(super) prompt: u64,
}

/// Boots with every instruction logged, all privilege levels. At each sleep the machine is held until it is known whether
/// the text is there.
pub(super) fn start(prompt: &str) -> Result<Reached, String> {
    let root = crate::root();
    let (code, bare) = kernel(&root)?;
    let main = first_main(&root).ok_or("the first process has no symbol of its `main`")?;
    let entry = code.physical();
    let sleeps: BTreeSet<u64> = code.places(Does::Sleep).collect();
    let (asleep, sleeping) = sync_channel(0);
    let (go_on, going_on) = sync_channel(0);
    let mut counted = Counted { entry, main, count: None, reached: None };
    let read = move |from| {
        log::addresses(from, |at| {
            counted.step(at);
            if let (Some(main), true) = (counted.reached, sleeps.contains(&at)) {
                let reached = Reached { main, prompt: counted.count.unwrap_or(0) };
                // Nobody asks any more when the prompt was there.
                let _ = asleep.send(reached).is_ok_and(|()| going_on.recv().is_ok());
            }
        })
    };
    let machine = boots::counting("").with("KERNEL", bare.0.display()).with("TRACED", "0x0..0xffffffffffffffff");
    let pipe = Pipe::make(&root)?;
    let from = pipe.0.0.clone();
    let reader = std::thread::spawn(move || File::open(from).and_then(read));
    let session = Session::boot(&root, &machine.with("TRACE", pipe.0.0.display())).map_err(|error| error.to_string());
    let found = session.and_then(|mut session| {
        loop {
            let reached = sleeping.recv_timeout(RUN).map_err(|_| "the machine came to no prompt")?;
            if session.wait_for(prompt, LOOK).is_ok() {
                break Ok(reached);
            }
            go_on.send(()).map_err(|_| "the reader of the log ended")?;
        }
    });
    drop((go_on, sleeping));
    pipe.open();
    let _ = reader.join();
    found
}

/// Counts from the kernel's first instruction on, and notes when the first `main` is entered.
struct Counted {
    entry: u64,
    main: u64,
    count: Option<u64>,
    reached: Option<u64>,
}

impl Counted {
    fn step(&mut self, address: u64) {
        if self.count.is_none() && address == self.entry {
            self.count = Some(0);
        }
        if address == self.main && self.reached.is_none() {
            self.reached = self.count;
        }
        self.count = self.count.map(|count| count + 1);
    }
}

/// Where the first process enters its `main`.
fn first_main(root: &Path) -> Option<u64> {
    let file = crate::image::program(root, "init").ok()?;
    Code::read(&file.elf)?.place("nexus_main")
}

/// The kernel's code, and its file without symbols.
fn kernel(root: &Path) -> Result<(Code, Scratch), String> {
    let path = root.join("build/kernel");
    let file = std::fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let code = Code::read(&file).ok_or("the kernel is no executable with symbols")?;
    let bare = Scratch::new(root, "kernel");
    std::fs::write(&bare.0, without_symbols(file)).map_err(|error| format!("{}: {error}", bare.0.display()))?;
    Ok((code, bare))
}

/// Boots the machine with its log going through `read`, until the run's last line came.
fn logged<T: Send + 'static>(
    root: &Path,
    run: &Run,
    read: impl FnOnce(File) -> io::Result<T> + Send + 'static,
) -> Result<T, String> {
    let pipe = Pipe::make(root)?;
    let from = pipe.0.0.clone();
    let reader = std::thread::spawn(move || File::open(from).and_then(read));
    let ran = boot(root, &run.machine.clone().with("TRACE", pipe.0.0.display()), run.until);
    pipe.open();
    let read = reader.join().map_err(|_| "the reader of the log panicked")?;
    ran.and(read.map_err(|error| format!("the log: {error}")))
}

fn boot(root: &Path, machine: &Machine, until: &str) -> Result<(), String> {
    let mut session = Session::boot(root, machine).map_err(|error| error.to_string())?;
    session.wait_for(until, RUN).map_err(|error| error.to_string())?;
    // Two logs are the same only if neither is cut off: the machine ends itself.
    match session.finish(RUN) {
        (_, Ending::Exited(0)) => Ok(()),
        (_, ending) => Err(format!("behind `{until}` the machine did not end well: {ending:?}")),
    }
}

/// The pipe that the emulator writes its log to.
struct Pipe(Scratch);

impl Pipe {
    fn make(root: &Path) -> Result<Pipe, String> {
        let pipe = Pipe(Scratch::new(root, "log"));
        let made = Command::new("mkfifo").arg(&pipe.0.0).status();
        if made.is_ok_and(|status| status.success()) {
            Ok(pipe)
        } else {
            Err(format!("{}: no pipe", pipe.0.0.display()))
        }
    }

    /// An emulator that never opened it leaves the reader waiting for that.
    fn open(&self) {
        let _ = OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(&self.0.0);
    }
}

/// A file of this run, removed with it.
struct Scratch(PathBuf);

impl Scratch {
    fn new(root: &Path, name: &str) -> Scratch {
        Scratch(root.join(format!("build/traced-{name}-{}", std::process::id())))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What is not there any more needs no removal.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// The file without its sections, so that the emulator does not look up a name for each instruction: the header's place,
/// number and index of section headers are 0 (System V ABI, "ELF Header").
fn without_symbols(mut file: Vec<u8>) -> Vec<u8> {
    file[0x28..0x30].fill(0);
    file[0x3a..0x40].fill(0);
    file
}
