//! Scenes at the console of the real system: what a person types, and what must come of it.
//!
//! Each scene boots a machine of its own, types, and waits with deadlines; the system has to keep its promises towards
//! the shell whatever a program does. A panic, a kernel fault or an end that the scene did not ask for fails it.

use super::emulator::Machine;
use super::session::{Session, SessionError};
use super::verdict::{Ending, escape};
use std::path::Path;
use std::time::Duration;

const PROMPT: &str = "nexus> ";
/// From the start of the emulator to the prompt.
const BOOT: Duration = Duration::from_secs(30);
/// For an answer of the shell, on a busy host.
const ANSWER: Duration = Duration::from_secs(10);

/// What the sample program can do wrong, and the cause that must be on record.
const FAULTS: [(&str, &str); 10] = [
    ("load-null", "load page fault"),
    ("load-kernel", "load page fault"),
    ("store-text", "store page fault"),
    ("store-null", "store page fault"),
    ("fetch-null", "instruction page fault"),
    ("fetch-data", "instruction page fault"),
    ("illegal", "illegal instruction"),
    ("privileged", "illegal instruction"),
    ("breakpoint", "breakpoint"),
    ("stack-overflow", "store page fault"),
];

/// Who ends the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// The scene, with this status.
    Itself(i32),
    /// A `shutdown` after the scene.
    WhenAsked,
}

/// One scene.
pub struct Scene {
    /// What it is called.
    pub name: &'static str,
    /// What it shows.
    pub about: &'static str,
    act: fn(&mut Desk) -> Result<(), SessionError>,
    ends: Ends,
}

/// All scenes. One that does not end the machine itself is ended by `shutdown`.
#[rustfmt::skip]
pub const SCENES: &[Scene] = &[
    Scene { name: "listings", about: "every listing command answers, also as JSON lines", act: listings, ends: Ends::WhenAsked },
    Scene { name: "programs", about: "programs run, in front and behind, and say how they ended", act: programs, ends: Ends::WhenAsked },
    Scene { name: "faults", about: "each way to fault ends the program and nothing else", act: faults, ends: Ends::WhenAsked },
    Scene { name: "rogues", about: "the shell answers while programs take all they can get", act: rogues, ends: Ends::WhenAsked },
    Scene { name: "interrupt", about: "Ctrl-C ends the program in front", act: interrupt, ends: Ends::WhenAsked },
    Scene { name: "input", about: "binary, overlong and cut-off lines are refused and the prompt is back", act: input, ends: Ends::WhenAsked },
    Scene { name: "services", about: "a killed service comes back and works", act: services, ends: Ends::WhenAsked },
    Scene { name: "leaks", about: "after many programs the machine owns what it owned before", act: leaks, ends: Ends::WhenAsked },
    Scene { name: "status", about: "the exit status of the emulator is the one that was typed", act: status, ends: Ends::Itself(3) },
    Scene { name: "reboot", about: "the machine starts again", act: reboot, ends: Ends::WhenAsked },
];

/// Runs one scene below `root`.
pub fn run(root: &Path, scene: &Scene) -> Result<(), String> {
    let machine = Machine::default().with("SMP", 1).append("panic=exit");
    let session = Session::boot(root, &machine).map_err(|error| error.to_string())?;
    let mut desk = Desk { session };
    let acted = desk.session.wait_for(PROMPT, BOOT).and_then(|_| (scene.act)(&mut desk));
    let (asked, status) = match scene.ends {
        Ends::Itself(status) => (acted, status),
        Ends::WhenAsked => (acted.and_then(|()| desk.session.send_line("shutdown")), 0),
    };
    asked.map_err(|error| error.to_string())?;
    let (transcript, ending) = desk.session.finish(ANSWER);
    if let Some(line) = transcript.iter().find(|line| line.text.contains("PANIC") || line.text.contains("KFAULT")) {
        return Err(format!("on the console: {}", escape(&line.text)));
    }
    if ending == Ending::Exited(status) { Ok(()) } else { Err(format!("the machine ended with {ending:?}")) }
}

/// A person at the console.
struct Desk {
    session: Session,
}

impl Desk {
    /// Types a line at the prompt, waits for `answer`, and for the next prompt.
    fn ask(&mut self, line: &str, answer: &str) -> Result<String, SessionError> {
        self.session.send_line(line)?;
        let found = self.session.wait_for(answer, ANSWER)?;
        self.session.wait_for(PROMPT, ANSWER)?;
        Ok(found.text)
    }

    /// Types a line and collects what it prints until the next prompt.
    fn collect(&mut self, line: &str) -> Result<Vec<String>, SessionError> {
        let before = self.session.transcript().len();
        self.session.send_line(line)?;
        self.session.wait_for(PROMPT, ANSWER)?;
        let printed = &self.session.transcript()[before..];
        Ok(printed.iter().map(|line| line.text.clone()).collect())
    }

    /// Starts a program behind the prompt; its number.
    fn start_behind(&mut self, line: &str) -> Result<String, SessionError> {
        let printed = self.collect(&format!("{line} &"))?;
        let pid = printed.iter().find_map(|line| line.strip_prefix('[')?.strip_suffix(']'));
        pid.map(str::to_string).ok_or_else(|| SessionError::Missed("[pid]".to_string(), "no number", printed.clone()))
    }
}

fn listings(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("help", "shutdown")?;
    desk.ask("ps", "shell")?;
    desk.ask("ps -j", "\"name\":\"shell\"")?;
    desk.ask("cpus -j", "{\"cpu\":0,")?;
    desk.ask("mem -j", "{\"kind\":\"frames\",")?;
    desk.ask("services -j", "\"state\":\"up\"")?;
    desk.ask("caps shell -j", "\"kind\":\"endpoint\"")?;
    desk.ask("uptime", "up ")?;
    desk.ask("nonsense", "error: ENOENT: ")?;
    desk.ask("status", "ENOENT")?;
    desk.ask("status", "0").map(drop)
}

fn programs(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    desk.ask("run hello 'a b'", "hello, a b")?;
    desk.ask("run rogue exit 3", "error: EEXIT: `rogue` exited 3")?;
    desk.ask("status", "EEXIT")?;
    desk.ask("run nobody", "error: ENOENT: ")?;
    let pid = desk.start_behind("run rogue exit 5")?;
    desk.ask(&format!("wait {pid}"), "exited 5")?;
    desk.ask(&format!("wait {pid}"), "error: ENOENT: ").map(drop)
}

fn faults(desk: &mut Desk) -> Result<(), SessionError> {
    for (name, cause) in FAULTS {
        desk.ask(&format!("run rogue {name}"), &format!("error: EFAULTED: `rogue` faulted: {cause}"))?;
    }
    desk.ask("run rogue panic", "error: EEXIT: `rogue` exited 101")?;
    desk.ask("run hello", "hello, world").map(drop)
}

fn rogues(desk: &mut Desk) -> Result<(), SessionError> {
    for name in ["spin", "threads", "flood", "memory", "objects"] {
        let pid = desk.start_behind(&format!("run rogue {name}"))?;
        desk.ask("uptime", "up ")?;
        desk.ask("ps", "shell")?;
        desk.ask("run hello", "hello, world")?;
        desk.session.send_line(&format!("kill {pid}"))?;
        desk.session.wait_for(PROMPT, ANSWER)?;
        desk.ask(&format!("wait {pid}"), &format!("{pid}: "))?;
    }
    Ok(())
}

fn interrupt(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("run rogue spin")?;
    // The program is in front once its line was taken; before that Ctrl-C would end the line.
    std::thread::sleep(Duration::from_millis(500));
    desk.session.send_bytes(b"\x03")?;
    desk.session.wait_for("error: ECANCELLED: `rogue` was interrupted", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run hello", "hello, world").map(drop)
}

fn input(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask(&"x".repeat(5000), "error: ETOOLONG: ")?;
    desk.ask("status", "ETOOLONG")?;
    for byte in (0..=255u8).filter(|byte| !matches!(byte, b'\r' | b'\n')) {
        desk.session.send_bytes(&[byte, b'~', b'~', 0x03])?;
        desk.session.wait_for(PROMPT, ANSWER)?;
    }
    desk.session.send_bytes(b"\x1b[\x1b]\xff\xfe\x00'\"\\|&\x03")?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("run 'a", "error: EINVAL: ")?;
    desk.ask("run hello ok", "hello, ok").map(drop)
}

fn services(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("kill nobody", "error: ENOENT: ")?;
    desk.session.send_line("kill execd")?;
    desk.session.wait_for("init: up execd", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("services -j", "{\"name\":\"execd\",")?;
    desk.ask("run hello again", "hello, again").map(drop)
}

fn leaks(desk: &mut Desk) -> Result<(), SessionError> {
    desk.ask("run hello", "hello, world")?;
    let before = desk.collect("mem -j")?;
    for _ in 0..50 {
        desk.ask("run hello", "hello, world")?;
    }
    let after = desk.collect("mem -j")?;
    let counts = |lines: &[String]| lines.iter().filter(|line| line.starts_with('{')).cloned().collect::<Vec<_>>();
    match counts(&before) == counts(&after) && !counts(&before).is_empty() {
        true => Ok(()),
        false => Err(SessionError::Missed("the same counts".to_string(), "objects leaked", [before, after].concat())),
    }
}

fn status(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("shutdown 3")
}

fn reboot(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_line("reboot")?;
    desk.session.wait_for("OpenSBI v", BOOT)?;
    desk.session.wait_for(PROMPT, BOOT).map(drop)
}
