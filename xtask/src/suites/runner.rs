//! Runs one suite: its tools, its command, its seconds.

use super::report::{Outcome, Verdict};
use super::table::{Absence, Suite};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Runs a suite; its output goes where ours goes.
pub(super) fn run(suite: &Suite, budget: Duration) -> Outcome {
    if let Some((why, absence)) = missing(suite) {
        return Outcome { verdict: Verdict::NotRun { why, absence }, seconds: Duration::ZERO, budget };
    }
    let start = Instant::now();
    let ended = command(suite).status();
    let seconds = start.elapsed();
    let verdict = match ended {
        Ok(status) => judge(status, seconds, budget),
        Err(error) => Verdict::NotRun { why: format!("{}: {error}", suite.command[0]), absence: Absence::Fails },
    };
    Outcome { verdict, seconds, budget }
}

fn missing(suite: &Suite) -> Option<(String, Absence)> {
    suite.tools.iter().find_map(|tool| (tool.look)().err().map(|why| (why, tool.absence)))
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

pub(super) fn judge(status: ExitStatus, seconds: Duration, budget: Duration) -> Verdict {
    if !status.success() {
        Verdict::Failed { why: status.to_string() }
    } else if seconds > budget {
        Verdict::Failed { why: "over its budget".to_string() }
    } else {
        Verdict::Passed
    }
}
