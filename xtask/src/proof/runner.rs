//! Runs one machine under the judge and ends it by the stop rule.

use super::emulator::{Emulator, Event, Machine};
use super::judge::{Judge, Progress};
use super::plan::Plan;
use super::verdict::{Ending, Stamped, Verdict, escape};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a run goes on after a line failed, so that the excerpt shows what followed.
const GRACE: Duration = Duration::from_secs(1);
/// A machine that prints more lines than this is stopped as one whose time is over.
const LINES: usize = 200_000;

/// What one run showed.
pub struct Run {
    /// The verdict.
    pub verdict: Verdict,
    /// Everything that was printed.
    pub transcript: Vec<Stamped>,
}

/// Boots `machine` and judges it by `plan` within `timeout`, printing each line.
pub fn run(root: &Path, machine: &Machine, plan: &Plan, timeout: Duration) -> io::Result<Run> {
    watch(root, machine, plan, timeout, &mut |line| {
        println!("  {:8.3} {}", line.at.as_secs_f64(), escape(&line.text));
    })
}

/// [`run`], handing each line to `show`.
pub fn watch(
    root: &Path,
    machine: &Machine,
    plan: &Plan,
    timeout: Duration,
    show: &mut dyn FnMut(&Stamped),
) -> io::Result<Run> {
    let mut emulator = Emulator::start(root, machine)?;
    let mut judge = Judge::new(plan.clone());
    let mut transcript = Vec::new();
    let mut deadline = Instant::now() + timeout;
    let mut failed = false;
    let ending = loop {
        let progress = match emulator.next(deadline) {
            Event::Line(line) => {
                show(&line);
                let progress = judge.feed(&line.text);
                transcript.push(line);
                progress
            }
            Event::Partial(text) => judge.feed_partial(&text),
            Event::Ended(status) => break Ending::Exited(status),
            Event::Deadline if failed => break Ending::Stopped,
            Event::Deadline => break Ending::TimedOut,
        };
        match progress {
            Progress::Done => break Ending::Stopped,
            Progress::Failed if !failed => {
                failed = true;
                deadline = deadline.min(Instant::now() + GRACE);
            }
            Progress::Failed | Progress::Running if transcript.len() >= LINES => break Ending::TimedOut,
            Progress::Failed | Progress::Running => {}
        }
    };
    drop(emulator);
    Ok(Run { verdict: judge.finish(ending), transcript })
}
