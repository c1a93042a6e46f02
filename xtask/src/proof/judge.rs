//! The judge: a transcript against the plan, line by line, without a clock or a machine.
//!
//! The rules are the ladder's: exact text, once a generation, in its printer's order, in its boot; a service is started
//! before it speaks and after those that it calls are up; some words fail whatever else was right.

use super::plan::{Item, Plan};
use super::settings::Until;
use super::verdict::{Ending, Failure, Reason, Stamped, Verdict};
use std::collections::{BTreeMap, BTreeSet};

/// Begins a line of the foreground program that would look like a system line; never judged.
const USER_TEXT: &str = "| ";
/// The first line of the firmware: the machine starts.
const FIRMWARE: &str = "OpenSBI v";
/// Opens the next generation of a service.
const START: &str = "init: start ";
/// Those who see a program's fault and print `<name> fault <cause> at …`.
const SUPERVISORS: [&str; 2] = ["init: ", "execd: "];
/// No proof may show these, and what they mean.
const FORBIDDEN: [(&str, &str); 6] = [
    ("PANIC", "a panic"),
    ("KPGF", "a kernel page fault"),
    ("KFAULT", "a kernel fault"),
    ("ALLOC-FAIL", "a failed allocation"),
    ("ALLOC ERROR", "a failed allocation"),
    ("FAIL", "a failure"),
];

/// Judges a whole transcript at once.
pub fn judge(plan: &Plan, transcript: &[Stamped], ending: Ending) -> Verdict {
    let mut judge = Judge::new(plan.clone());
    for line in transcript {
        judge.feed(&line.text);
    }
    judge.finish(ending)
}

/// What the stop rule says after a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// More is to come.
    Running,
    /// The stop rule is met.
    Done,
    /// A line failed; more can only explain it.
    Failed,
}

/// What one boot has shown so far.
#[derive(Default)]
struct Boot {
    /// How often each service was started.
    generations: BTreeMap<String, u32>,
    /// Which items came in which generation of their owner.
    seen: BTreeSet<(usize, u32)>,
    /// The furthest item of each printer and generation.
    furthest: BTreeMap<(String, u32), usize>,
}

impl Boot {
    fn generation(&self, item: &Item) -> u32 {
        item.owner.as_ref().and_then(|owner| self.generations.get(owner)).copied().unwrap_or(0)
    }
}

/// Takes a transcript line by line.
pub struct Judge {
    plan: Plan,
    boots: Vec<Boot>,
    lines: usize,
    failure: Option<Failure>,
    at_stop_line: bool,
}

impl Judge {
    /// A judge that has seen nothing.
    pub fn new(plan: Plan) -> Self {
        Judge { plan, boots: Vec::new(), lines: 0, failure: None, at_stop_line: false }
    }

    /// Takes the next whole line.
    pub fn feed(&mut self, text: &str) -> Progress {
        self.lines += 1;
        let text = text.trim_end_matches('\r');
        if text.starts_with(USER_TEXT) {
            return self.progress();
        }
        if text.starts_with(FIRMWARE) {
            self.start_boot();
        } else {
            self.check_words(text);
            self.take(text);
        }
        self.check_stop(text);
        self.progress()
    }

    /// Looks at a line that has no end yet, such as the prompt: it can only stop the run. A line of the ladder counts
    /// when it is whole.
    pub fn feed_partial(&mut self, text: &str) -> Progress {
        if !self.plan.items.iter().any(|item| item.line == text.trim_end()) {
            self.check_stop(text);
        }
        self.progress()
    }

    /// The verdict, once the run ended.
    pub fn finish(mut self, ending: Ending) -> Verdict {
        if let Some(failure) = self.failure.take() {
            return Verdict::Failed(failure);
        }
        if let Ending::Exited(status) = ending
            && status != 0
        {
            self.fail("the machine", Reason::ExitStatus(status));
        } else if let Some((item, boot)) = self.first_missing() {
            let line = item.line.clone();
            self.fail(&line, Reason::Missing { boot });
        } else if let (Until::Line(text), false) = (self.plan.until.clone(), self.at_stop_line) {
            self.fail(&text, Reason::Missing { boot: self.boots.len().max(1) as u32 });
        } else if ending == Ending::TimedOut || (self.plan.until == Until::Shutdown && ending == Ending::Stopped) {
            self.fail("the machine", Reason::NoShutdown);
        }
        match self.failure {
            Some(failure) => Verdict::Failed(failure),
            None => Verdict::Passed(self.count()),
        }
    }

    fn progress(&self) -> Progress {
        if self.failure.is_some() {
            return Progress::Failed;
        }
        let done = match self.plan.until {
            Until::Complete => self.first_missing().is_none(),
            Until::Line(_) => self.at_stop_line,
            Until::Shutdown => false,
        };
        if done { Progress::Done } else { Progress::Running }
    }

    fn check_stop(&mut self, text: &str) {
        if let Until::Line(stop) = &self.plan.until {
            self.at_stop_line |= text.trim_end() == stop.trim_end();
        }
    }

    fn start_boot(&mut self) {
        self.boots.push(Boot::default());
        if self.boots.len() as u32 > self.plan.boots {
            self.fail(FIRMWARE, Reason::UnexpectedReset);
        }
    }

    fn check_words(&mut self, text: &str) {
        if let Some((_, what)) = FORBIDDEN.iter().find(|(word, _)| text.contains(word)) {
            self.fail(text, Reason::Forbidden(what));
        }
        if faulted(text).is_some_and(|program| !self.plan.faults.iter().any(|listed| listed == program)) {
            self.fail(text, Reason::Forbidden("a user fault that the data does not list"));
        }
    }

    /// A line that may be one of the ladder's.
    fn take(&mut self, text: &str) {
        let (started, index) = (text.strip_prefix(START), self.plan.items.iter().position(|item| item.line == text));
        if started.is_none() && index.is_none() {
            return;
        }
        // A transcript may begin after the firmware's own lines.
        if self.boots.is_empty() {
            self.boots.push(Boot::default());
        }
        if let Some(service) = started {
            self.start_service(service, text);
        }
        let Some(index) = index else { return };
        if let Some(reason) = self.reason_against(index) {
            return self.fail(text, reason);
        }
        let item = &self.plan.items[index];
        let boot = self.boots.last_mut().expect("one was pushed above");
        let generation = boot.generation(item);
        boot.seen.insert((index, generation));
        if let Some(place) = printer_place(item, generation) {
            boot.furthest.insert(place, index);
        }
    }

    /// Opens the service's next generation; the first one needs its callees.
    fn start_service(&mut self, service: &str, text: &str) {
        let boot = self.boots.last_mut().expect("`take` pushed one");
        let generation = boot.generations.entry(service.to_string()).or_insert(0);
        *generation += 1;
        if *generation > 1 {
            return;
        }
        let callees = self.plan.calls.get(service).cloned().unwrap_or_default();
        let late = callees.iter().find(|callee| !self.is_up(callee)).cloned();
        if let Some(callee) = late {
            self.fail(text, Reason::OutOfOrder(format!("`{callee}`, which it calls, is not up")));
        }
    }

    fn is_up(&self, service: &str) -> bool {
        let up = format!("init: up {service}");
        let boot = self.boots.last().expect("asked only within a boot");
        boot.seen.iter().any(|(index, _)| self.plan.items[*index].line == up)
    }

    /// Why the item may not come now.
    fn reason_against(&self, index: usize) -> Option<Reason> {
        let item = &self.plan.items[index];
        let boot = self.boots.last().expect("`take` pushed one");
        let generation = boot.generation(item);
        if !self.plan.belongs(item, self.boots.len() as u32) {
            return Some(Reason::WrongBoot(self.boots.len() as u32));
        }
        if boot.seen.contains(&(index, generation)) {
            return Some(Reason::Duplicate);
        }
        if let Some(owner) = &item.owner
            && generation == 0
            && self.plan.calls.contains_key(owner)
        {
            return Some(Reason::OutOfOrder(format!("before `{START}{owner}`")));
        }
        let furthest = boot.furthest.get(&printer_place(item, generation)?)?;
        let other = &self.plan.items[*furthest];
        (other.rank > item.rank).then(|| Reason::OutOfOrder(format!("after `{}`", other.line)))
    }

    /// The first expected item that has not come, and its boot. After a restart the lines must come again.
    fn first_missing(&self) -> Option<(&Item, u32)> {
        for number in 1..=self.plan.boots {
            let boot = self.boots.get(number as usize - 1);
            let came = |index: usize, item: &Item| {
                boot.is_some_and(|boot| boot.seen.contains(&(index, boot.generation(item))))
            };
            for (index, item) in self.plan.items.iter().enumerate() {
                if self.plan.expects(item, number) && !came(index, item) {
                    return Some((item, number));
                }
            }
        }
        None
    }

    fn count(&self) -> usize {
        self.boots.iter().map(|boot| boot.seen.len()).sum()
    }

    /// Records the first failure; its phase is the line's own or that of the first line still missing.
    fn fail(&mut self, line: &str, reason: Reason) {
        if self.failure.is_some() {
            return;
        }
        let own = self.plan.items.iter().find(|item| item.line == line);
        let phase = own.or(self.first_missing().map(|(item, _)| item)).or(self.plan.items.last());
        let phase = phase.map_or(String::from("none"), |item| item.phase.clone());
        self.failure = Some(Failure { phase, line: line.to_string(), reason, index: self.lines });
    }
}

/// The program whose fault a line is about.
fn faulted(text: &str) -> Option<&str> {
    let said = SUPERVISORS.iter().find_map(|printer| text.strip_prefix(printer))?;
    let (program, rest) = said.split_once(' ')?;
    rest.starts_with("fault ").then_some(program)
}

/// Where an item stands in its printer's order; init's lines about a restarted service stand nowhere.
fn printer_place(item: &Item, generation: u32) -> Option<(String, u32)> {
    match item.printer.as_str() {
        "init" if generation > 1 => None,
        "init" => Some(("init".to_string(), 0)),
        printer => Some((printer.to_string(), generation)),
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
