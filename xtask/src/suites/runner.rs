//! Runs one suite: its tools, its command, its seconds.
//!
//! The output goes to a file, so that the table stays readable; a failure shows the end of it. What runs over its budget
//! is ended with everything it started.

use super::report::{Outcome, Verdict};
use super::row::{Absence, Suite};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// How often a running suite is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Runs a suite; its output goes to `<logs>/<name>.log`.
pub(super) fn run(suite: &Suite, budget: Duration, logs: &Path) -> Outcome {
    if let Some((why, absence)) = missing(suite) {
        return Outcome { verdict: Verdict::NotRun { why, absence }, seconds: Duration::ZERO, budget, log: None };
    }
    let start = Instant::now();
    let (verdict, log) = match start_logged(suite, logs) {
        Ok((mut child, log)) => (judge(wait(&mut child, start + budget)), Some(log)),
        Err(error) => (Verdict::NotRun { why: error.to_string(), absence: Absence::Fails }, None),
    };
    Outcome { verdict, seconds: start.elapsed(), budget, log }
}

fn missing(suite: &Suite) -> Option<(String, Absence)> {
    suite.tools.iter().find_map(|tool| (tool.look)().err().map(|why| (why, tool.absence)))
}

fn start_logged(suite: &Suite, logs: &Path) -> io::Result<(Child, PathBuf)> {
    fs::create_dir_all(logs)?;
    let log = logs.join(format!("{}.log", suite.name));
    let file = File::create(&log)?;
    let mut command = command(suite);
    command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
    let named = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", suite.command[0]));
    Ok((command.spawn().map_err(named)?, log))
}

fn command(suite: &Suite) -> Command {
    let (program, arguments) = suite.command.split_first().expect("every row of the table has a command");
    let mut command = match *program {
        "cargo" => crate::packages::cargo(),
        other => Command::new(other),
    };
    command.args(arguments).current_dir(crate::root()).envs(suite.environment.iter().copied());
    command
}

/// How a command ended.
pub(crate) enum Ended {
    /// With this status.
    ByItself(ExitStatus),
    /// It was ended, with all that it had started.
    AtTheDeadline,
}

/// Waits for a child until it ends or its time is over; then it is ended.
pub(crate) fn wait(child: &mut Child, deadline: Instant) -> io::Result<Ended> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Ended::ByItself(status));
        }
        if Instant::now() >= deadline {
            end(child)?;
            return Ok(Ended::AtTheDeadline);
        }
        sleep(LOOK);
    }
}

/// Ends a child and all that it started, each by its own process id.
fn end(child: &mut Child) -> io::Result<()> {
    let mut family = vec![child.id()];
    loop {
        // What is stopped starts nothing more, so that a round without a newcomer has found all.
        signal("-STOP", &family)?;
        let parents = parents()?;
        let known = family.len();
        let newcomers = parents.iter().filter(|(process, of)| family.contains(of) && !family.contains(process));
        let newcomers: Vec<u32> = newcomers.map(|(process, _)| *process).collect();
        family.extend(newcomers);
        if family.len() == known {
            break;
        }
    }
    signal("-KILL", &family)?;
    child.wait().map(|_| ())
}

/// Sends a signal by the shell's own `kill`: the program of that name is not on every machine.
fn signal(name: &str, processes: &[u32]) -> io::Result<()> {
    let ids = processes.iter().map(ToString::to_string);
    Command::new("sh").args(["-c", "kill \"$@\"", "kill", name]).args(ids).stderr(Stdio::null()).status().map(|_| ())
}

/// Every process with its parent, as `/proc` shows them.
fn parents() -> io::Result<Vec<(u32, u32)>> {
    let mut pairs = Vec::new();
    for entry in fs::read_dir("/proc")? {
        let Ok(process) = entry?.file_name().to_string_lossy().parse() else { continue };
        let Ok(stat) = fs::read_to_string(format!("/proc/{process}/stat")) else { continue };
        // The name of the program is in brackets and may hold anything; state and parent follow it.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        pairs.extend(parent.and_then(|parent| parent.parse().ok()).map(|parent| (process, parent)));
    }
    Ok(pairs)
}

fn judge(ended: io::Result<Ended>) -> Verdict {
    match ended {
        Ok(Ended::ByItself(status)) if status.success() => Verdict::Passed,
        Ok(Ended::ByItself(status)) => Verdict::Failed { why: status.to_string() },
        Ok(Ended::AtTheDeadline) => Verdict::Failed { why: "over its budget, ended".to_string() },
        Err(error) => Verdict::Failed { why: error.to_string() },
    }
}
