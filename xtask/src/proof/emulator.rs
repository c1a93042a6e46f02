//! One emulator process: its lines with their times, its input, its end.
//!
//! It is started through `scripts/run-qemu-rv64.sh`, which turns into the emulator, so the process id that was started is
//! the one that is ended, and no other. It ends with this object, whatever happens to the run.

use super::verdict::Stamped;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel, sync_channel};
use std::time::{Duration, Instant};

/// What a line may hold before it is cut: a guest that prints without end must not fill the host's memory.
const LINE_BYTES: usize = 64 * 1024;
/// Chunks that wait between the reader and the run; then the emulator waits.
const CHUNKS: usize = 64;

/// The environment of `scripts/run-qemu-rv64.sh` for one machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Machine {
    options: Vec<(String, String)>,
}

impl Machine {
    /// This machine with one option set; the last word about an option counts.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.options.retain(|(other, _)| other != name);
        self.options.push((name.to_string(), value.to_string()));
        self
    }

    /// This machine with further boot arguments.
    pub fn append(self, words: &str) -> Self {
        let before = self.option("APPEND").unwrap_or_default().to_string();
        self.with("APPEND", format!("{before} {words}").trim())
    }

    /// The value of an option.
    pub fn option(&self, name: &str) -> Option<&str> {
        self.options.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What happens next on the console.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole line.
    Line(Stamped),
    /// The start of a line that has no end yet.
    Partial(String),
    /// The emulator ended with this status.
    Ended(i32),
    /// Nothing until the deadline.
    Deadline,
}

/// A running emulator.
pub struct Emulator {
    child: Child,
    input: Sender<Vec<u8>>,
    output: Receiver<Vec<u8>>,
    started: Instant,
    pending: Vec<u8>,
    shown: usize,
}

impl Emulator {
    /// Starts `machine` with the script below `root`.
    pub fn start(root: &Path, machine: &Machine) -> io::Result<Self> {
        let mut command = bound_to_us(&root.join("scripts/run-qemu-rv64.sh"));
        for name in
            ["SMP", "MEM", "DTB", "DISK", "RUN_TIMEOUT", "GDB", "ICOUNT", "APPEND", "TRACE", "TRACED", "TRACE_WITH"]
        {
            command.env_remove(name);
        }
        command.envs(machine.options.iter().map(|(name, value)| (name, value))).env("CONSOLE", "raw");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let (sender, output) = sync_channel(CHUNKS);
        let stdout = child.stdout.take().expect("its standard output was made a pipe");
        std::thread::spawn(move || pump(stdout, &sender));
        let stdin = child.stdin.take().expect("its standard input was made a pipe");
        let (input, keys) = channel();
        std::thread::spawn(move || type_in(stdin, &keys));
        Ok(Emulator { child, input, output, started: Instant::now(), pending: Vec::new(), shown: 0 })
    }

    /// The next line, line start or end; `Deadline` when nothing came until then.
    pub fn next(&mut self, deadline: Instant) -> Event {
        loop {
            if let Some(line) = self.take_line() {
                return Event::Line(line);
            }
            if self.shown < self.pending.len() {
                self.shown = self.pending.len();
                return Event::Partial(String::from_utf8_lossy(&self.pending).into_owned());
            }
            let wait = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(wait) {
                Ok(chunk) => self.pending.extend(chunk),
                Err(RecvTimeoutError::Timeout) => return Event::Deadline,
                Err(RecvTimeoutError::Disconnected) => return Event::Ended(self.wait()),
            }
        }
    }

    /// Types `bytes` on the console, as fast as the guest takes them; does not wait for that.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.input.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }

    /// The time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    fn take_line(&mut self) -> Option<Stamped> {
        let end = self.pending.iter().position(|byte| *byte == b'\n');
        let (length, skip) = match end {
            Some(end) => (end, 1),
            None if self.pending.len() >= LINE_BYTES => (LINE_BYTES, 0),
            None => return None,
        };
        let text = String::from_utf8_lossy(&self.pending[..length]).trim_end_matches('\r').to_string();
        self.pending.drain(..length + skip);
        self.shown = 0;
        Some(Stamped { at: self.started.elapsed(), text })
    }

    /// The exit status; a signal counts as 128 and its number, as in a shell.
    fn wait(&mut self) -> i32 {
        use std::os::unix::process::ExitStatusExt;
        match self.child.wait() {
            Ok(status) => status.code().or(status.signal().map(|signal| 128 + signal)).unwrap_or(-1),
            Err(_) => -1,
        }
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // An emulator that already ended answers with an error here, which is what we want of it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The script as a child that does not outlive us, where the system can promise that.
fn bound_to_us(script: &Path) -> Command {
    let available = Command::new("setpriv").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !available.is_ok_and(|status| status.success()) {
        return Command::new(script);
    }
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL"]).arg(script);
    command
}

/// Writes what comes until the emulator or the run is gone: a guest that takes no keys must not stop the run.
fn type_in(mut to: ChildStdin, keys: &Receiver<Vec<u8>>) {
    while let Ok(bytes) = keys.recv() {
        if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
            return;
        }
    }
}

/// Hands chunks on until the pipe or the receiver closes.
fn pump(mut from: impl Read, to: &SyncSender<Vec<u8>>) {
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.send(buffer[..count].to_vec()).is_err() {
            return;
        }
    }
}
