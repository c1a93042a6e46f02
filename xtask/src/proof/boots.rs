//! Many boots of one kind, and how long a boot takes on more harts than one.
//!
//! What goes wrong between harts goes wrong seldom: one boot that passes says little. Boots with different numbers of
//! harts take turns, so that a busy host is busy for all of them.

use super::emulator::Machine;
use super::ladder::Ladder;
use super::plan::Plan;
use super::scratch::RunLock;
use super::settings::{Harts, Settings, Until};
use super::verdict::{Stamped, Verdict};
use super::{APPEND, KERNEL_TESTS, Outcome, failed, refused, runner};
use std::path::Path;
use std::time::Duration;

/// Numbers of harts that boot in turn.
const HARTS: [u32; 3] = [1, 2, 4];
/// Where each of many boots ends.
const READY: &str = "init: ready";
/// Runs of each kind that a pace is the median of.
const RUNS: usize = 5;
/// Between these lines a boot is timed.
const FIRST: &str = "init: start";
const LAST: &str = "SELFTEST: end";
/// How much longer, in percent, the proof may take on two harts than on one.
const MOST: u128 = 130;

/// One kind of boot.
struct Kind {
    machine: Machine,
    plan: Plan,
    settings: Settings,
}

impl Kind {
    fn new(root: &Path, settings: Settings) -> Result<Kind, (u8, String)> {
        let ladder = Ladder::load(&root.join("tests/boot")).map_err(failed)?;
        let plan = Plan::new(&ladder, &settings).map_err(refused)?;
        let machine = Machine::default().with("SMP", settings.smp).append(APPEND);
        let machine = if settings.harts == Harts::Required { machine.append(KERNEL_TESTS) } else { machine };
        Ok(Kind { machine, plan, settings })
    }

    /// Boots once; all that was printed, where the judge is content.
    fn boot(&self, root: &Path) -> Result<Vec<Stamped>, (u8, String)> {
        let run = runner::watch(root, &self.machine, &self.plan, self.settings.timeout, &mut |_| {}).map_err(failed)?;
        match run.verdict {
            Verdict::Passed(_) => Ok(run.transcript),
            Verdict::Failed(failure) => {
                Err(failed(format!("{} harts: {}", self.settings.smp, failure.report(&run.transcript))))
            }
        }
    }
}

/// Boots as often with each number of harts: up to `init: ready`, every hart online, in the order of the ladder.
pub(super) fn boots(count: &str) -> Outcome {
    let count: usize = count.parse().ok().filter(|count| *count > 0).ok_or((2, "--boots <number>".to_string()))?;
    let root = crate::root();
    let kinds = HARTS.map(|smp| {
        let harts = if smp > 1 { Harts::Required } else { Harts::Any };
        let until = Until::Line(READY.to_string());
        Kind::new(&root, Settings { smp, harts, until, ..Settings::default() })
    });
    let _lock = RunLock::take(&root).map_err(failed)?;
    crate::run::build().map_err(failed)?;
    let (mut good, mut bad) = ([0; HARTS.len()], Vec::new());
    for round in 1..=count {
        for (kind, good) in kinds.iter().zip(&mut good) {
            match kind.as_ref().map_err(Clone::clone)?.boot(&root) {
                Ok(_) => *good += 1,
                Err((_, why)) => {
                    println!("round {round}: {why}");
                    bad.push(why);
                }
            }
        }
    }
    let table = HARTS.iter().zip(good).map(|(harts, good)| format!("{good} of {count} boots on {harts} harts"));
    let table = table.collect::<Vec<_>>().join(", ");
    if bad.is_empty() { Ok(format!("PASSED: {table}")) } else { Err(failed(format!("FAILED: {table}"))) }
}

/// How long the proof takes from the first line of init to its end, on one hart and on two.
pub(super) fn pace() -> Outcome {
    let root = crate::root();
    let kind = |smp| Kind::new(&root, Settings { smp, ..Settings::default() });
    let kinds = [kind(1)?, kind(2)?];
    let _lock = RunLock::take(&root).map_err(failed)?;
    crate::run::build().map_err(failed)?;
    let mut spans = [Vec::new(), Vec::new()];
    for _ in 0..RUNS {
        for (kind, spans) in kinds.iter().zip(&mut spans) {
            spans.push(span(&kind.boot(&root)?).ok_or_else(|| failed("the boot has no beginning or no end"))?);
        }
    }
    let [one, two] = spans.map(|spans| median(spans).as_millis());
    let percent = two * 100 / one.max(1);
    let text = format!("{one} ms on 1 hart, {two} ms on 2: {percent} %, at most {MOST}; medians of {RUNS}");
    if percent <= MOST { Ok(format!("PASSED: {text}")) } else { Err(failed(format!("FAILED: {text}"))) }
}

fn span(lines: &[Stamped]) -> Option<Duration> {
    let at = |text: &str| lines.iter().find(|line| line.text == text).map(|line| line.at);
    at(LAST)?.checked_sub(at(FIRST)?)
}

fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort_unstable();
    spans[spans.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(milliseconds: u64, text: &str) -> Stamped {
        Stamped { at: Duration::from_millis(milliseconds), text: text.to_string() }
    }

    #[test]
    fn a_boot_is_timed_from_its_first_line_of_init_to_the_end_of_the_proof() {
        let lines = [line(10, "KINIT"), line(30, FIRST), line(50, "init: ready"), line(90, LAST)];
        assert_eq!(span(&lines), Some(Duration::from_millis(60)));
        assert_eq!(span(&lines[..3]), None);
        assert_eq!(span(&[line(90, FIRST), line(30, LAST)]), None);
    }

    #[test]
    fn the_median_is_the_middle_one_however_wild_the_others_are() {
        let spans = [9, 1, 3, 1000, 2].map(Duration::from_millis);
        assert_eq!(median(spans.to_vec()), Duration::from_millis(3));
    }

    #[test]
    fn a_number_of_boots_is_a_positive_number() {
        for count in ["0", "-1", "many", ""] {
            assert_eq!(boots(count).unwrap_err().0, 2, "{count}");
        }
    }
}
