//! One attack: started, awaited, looked at.
//!
//! The end of an attack is a signal: execd gives it when the process is gone and all it had is back, so nothing here sleeps
//! or asks again. An attack that does not end says when it stands, and is ended then.

use core::fmt;
use core::time::Duration;

use alloc::vec::Vec;

use nexus_abi::syscall::{Derive, InfoInvariants, NotificationCreate, Wait};
use nexus_abi::{Error, Handle, ProcessId, Rights};
use nexus_proto::exec::{self, Fate};
use nexus_proto::{console, supervisor};
use nexus_rt::{Channel, Instant, env, inbox, kernel::invoke};

use crate::census::{Census, Change};
use crate::rows::{End, Row};
use crate::victim::Victim;

/// How long an attack may take, and taking back what it took. Only what hangs takes so long, on the busiest host.
const PATIENCE: Duration = Duration::from_secs(120);
/// Signals: the attack has ended; it stands.
const ENDED: u64 = 1;
const STANDS: u64 = 2;

/// What was not so after an attack.
pub(crate) enum Broken {
    /// Something could not be asked.
    Refused(&'static str, Error),
    /// It ended otherwise.
    Ended(Fate),
    /// It neither ended nor said that it stands.
    Lasts,
    /// Something that must hold does not.
    Wrong(&'static str),
    /// This many of the kernel's invariants are broken.
    Invariants(u64),
    /// There is more or less of something.
    Lost(Change),
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Refused(what, error) => write!(f, "{what}: {}", error.name()),
            Broken::Ended(fate) => write!(f, "it ended as {fate:x?}"),
            Broken::Lasts => write!(f, "it does not end"),
            Broken::Wrong(what) => write!(f, "not so: {what}"),
            Broken::Invariants(count) => write!(f, "{count} invariants of the kernel are broken"),
            Broken::Lost((what, None, was, is)) => write!(f, "{what} were {was}, are {is}"),
            Broken::Lost((what, Some(name), was, is)) => write!(f, "{what} of {} were {was}, are {is}", name.as_str()),
        }
    }
}

/// Everything that attacks are compared with.
pub(crate) struct Scene {
    info: Handle,
    programs: exec::Client<Channel>,
    /// Signalled by execd, and by attacks through `bell`.
    signals: Handle,
    watch: Handle,
    bell: Handle,
    victim: Victim,
    before: Census,
    after: Census,
}

impl Scene {
    /// Makes what is made once, and plays what services grow by when they first meet it.
    pub(crate) fn set() -> Result<Scene, Error> {
        let signals = invoke(NotificationCreate { process: None })?.notification;
        let pass_on = Rights::USE.union(Rights::TRANSFER);
        let derive = || invoke(Derive { source: signals, rights: pass_on, badge: 0 }).map(|derived| derived.handle);
        inbox::learn(&[exec::NAME, supervisor::NAME, console::NAME])?;
        let mut scene = Scene {
            info: env::handle("info")?,
            programs: exec::Client::new(Channel::to(exec::NAME)?),
            signals,
            watch: derive()?,
            bell: derive()?,
            victim: Victim::new()?,
            before: Census::room(),
            after: Census::room(),
        };
        for warm_up in ["numbers", "load-null", "bomb fork", "numbers"] {
            // What comes of it is judged when it is a row.
            let _ = scene.run(warm_up, if warm_up == "bomb fork" { End::Killed } else { End::Held });
            let _ = scene.victim.is_well();
            let _ = scene.victim.is_served();
            let _ = scene.victim.is_heard();
        }
        scene.before.take(scene.info)?;
        Ok(scene)
    }

    /// Tries one row and everything that must hold after it.
    pub(crate) fn play(&mut self, row: &Row) -> Result<(), Broken> {
        self.victim.is_heard().map_err(Broken::Wrong)?;
        let fate = self.run(row.words, row.end)?;
        self.victim.is_well().map_err(Broken::Wrong)?;
        self.victim.is_served().map_err(Broken::Wrong)?;
        self.check_kernel()?;
        let counted = self.after.take(self.info);
        counted.map_err(|error| Broken::Refused("the counts", error))?;
        let change = self.before.change(&self.after);
        // The next row is judged for itself.
        core::mem::swap(&mut self.before, &mut self.after);
        if let Some(change) = change {
            return Err(Broken::Lost(change));
        }
        if row.end.is(fate) { Ok(()) } else { Err(Broken::Ended(fate)) }
    }

    /// Starts an attack and waits for its end, or ends it once it stands.
    fn run(&mut self, words: &str, end: End) -> Result<Fate, Broken> {
        let refused = |what| move |error| Broken::Refused(what, error);
        let words: Vec<&str> = words.split_whitespace().collect();
        let packed = exec::pack(words.iter().copied()).map_err(refused("packing"))?;
        // Only who attacks the stream of the program in front is lent it.
        let stdout = if words[..1] == ["stream"] { env::handle("stdout").ok() } else { None };
        let started = self.programs.start("attacker", &packed, Some(self.bell), stdout, None);
        let process = started.map_err(refused("start"))?.process;
        self.programs.watch(process, self.watch, ENDED).map_err(refused("watch"))?;
        let signal = self.signal();
        if signal == Some(STANDS) {
            // Under attack they answer too.
            self.victim.is_well().map_err(Broken::Wrong)?;
        }
        match (signal, end) {
            (Some(ENDED), _) => self.record(process),
            (Some(_), End::Killed) => {
                self.programs.kill(process, 9).map_err(refused("kill"))?;
                let fate = self.record(process)?;
                // The signal of its end came with it.
                let _ = self.signal();
                Ok(fate)
            }
            _ => {
                self.programs.kill(process, 9).map_err(refused("kill"))?;
                let _ = self.record(process);
                let _ = self.signal();
                Err(Broken::Lasts)
            }
        }
    }

    fn record(&mut self, process: ProcessId) -> Result<Fate, Broken> {
        let ended = self.programs.wait(process).and_then(|ended| ended.fate());
        ended.map_err(|error| Broken::Refused("its record", error))
    }

    /// The next signal; none: it did not come in time.
    fn signal(&self) -> Option<u64> {
        let deadline = Instant::now().after(PATIENCE);
        let waited = invoke(Wait { notification: self.signals, deadline }).ok()?;
        // Who stood and has ended has ended.
        Some(if waited.bits & ENDED != 0 { ENDED } else { waited.bits })
    }

    fn check_kernel(&self) -> Result<(), Broken> {
        let found = invoke(InfoInvariants { info: self.info });
        let found = found.map_err(|error| Broken::Refused("the kernel's check", error))?;
        match (found.checked, found.violations) {
            (0, _) => Err(Broken::Wrong("the kernel looks at something")),
            (_, 0) => Ok(()),
            (_, violations) => Err(Broken::Invariants(violations)),
        }
    }
}
