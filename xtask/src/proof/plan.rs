//! The plan of one proof: the ladder's lines for these settings, and which of them are expected.
//!
//! Everything that the judge needs is decided here, before the machine starts.

use super::ladder::{CPU, Ladder, Rung, SERVICE, When};
use super::settings::{Harts, Settings, Until};
use std::collections::HashMap;

/// The phase that several harts are needed for.
const KERNEL: &str = "kernel";

/// Why there is nothing to judge.
#[derive(Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The settings ask for what does not exist: exit 2.
    Usage(String),
    /// Nothing fills the phase yet: exit 1.
    NotBuilt(String),
}

/// Whether a run must show a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// It must come.
    Expected,
    /// It is known and judged by order and repeats where it comes.
    Known,
}

/// One line of the ladder with its placeholders filled.
#[derive(Clone, Debug)]
pub struct Item {
    /// The exact text.
    pub line: String,
    /// The phase.
    pub phase: String,
    /// Who prints it.
    pub printer: String,
    /// The service whose restart allows the line again.
    pub owner: Option<String>,
    /// The boots that print it.
    pub when: When,
    /// Its place among its printer's lines; equal places come in any order.
    pub rank: usize,
    /// Whether it must come.
    pub demand: Demand,
}

/// What one run is judged by.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The lines, in ladder order.
    pub items: Vec<Item>,
    /// How often the machine boots.
    pub boots: u32,
    /// When the run ends.
    pub until: Until,
    /// Who must be up before a service starts: only callees that are expected.
    pub calls: HashMap<String, Vec<String>>,
    /// Programs whose faults belong to the proof.
    pub faults: Vec<String>,
}

impl Plan {
    /// Resolves `ladder` for `settings`.
    pub fn new(ladder: &Ladder, settings: &Settings) -> Result<Self, Refusal> {
        let phases = ladder.phases();
        let last_phase = match &settings.phase {
            None => phases.len(),
            Some(name) => match phases.iter().position(|phase| phase == name) {
                Some(index) => index,
                None => {
                    return Err(Refusal::Usage(format!("RUN_PHASE={name}: one of {}", phases.join(" "))));
                }
            },
        };
        let mut items = expand(ladder, settings);
        for item in &mut items {
            let index = phases.iter().position(|phase| *phase == item.phase).unwrap_or(phases.len());
            if index > last_phase {
                item.demand = Demand::Known;
            }
        }
        if settings.harts == Harts::Required && !has_kernel_row(ladder) {
            return Err(Refusal::NotBuilt(format!("phase {KERNEL}")));
        }
        if let Some(name) = &settings.phase {
            check_filled(ladder, &items, name)?;
        }
        if let Until::Line(text) = &settings.until {
            cut_at(&mut items, text);
        } else if !items.iter().any(|item| item.demand == Demand::Expected) {
            return Err(Refusal::NotBuilt("no line of the ladder".to_string()));
        }
        let boots = items.iter().filter(|item| item.demand == Demand::Expected).map(first_boot).max().unwrap_or(1);
        let calls = expected_calls(ladder);
        Ok(Plan { items, boots, until: settings.until.clone(), calls, faults: ladder.faults.clone() })
    }

    /// Whether boot number `boot` must show `item`.
    pub fn expects(&self, item: &Item, boot: u32) -> bool {
        item.demand == Demand::Expected && self.belongs(item, boot)
    }

    /// Whether `item` may come in boot number `boot`.
    pub fn belongs(&self, item: &Item, boot: u32) -> bool {
        match item.when {
            When::Every => true,
            When::Boot(number) => number == boot,
            When::Last => boot == self.boots,
        }
    }
}

/// Whether anything of what proves several harts is built.
pub fn has_kernel_row(ladder: &Ladder) -> bool {
    ladder.rungs.iter().any(|rung| rung.phase == KERNEL && ladder.has(&rung.needs))
}

fn first_boot(item: &Item) -> u32 {
    match item.when {
        When::Boot(number) => number,
        When::Every | When::Last => 1,
    }
}

/// Fills the placeholders of every row.
fn expand(ladder: &Ladder, settings: &Settings) -> Vec<Item> {
    let mut items = Vec::new();
    let mut rank = 0;
    for (index, rung) in ladder.rungs.iter().enumerate() {
        let same_group = index > 0 && {
            let before = &ladder.rungs[index - 1];
            before.is_pattern() && rung.is_pattern() && before.phase == rung.phase
        };
        if !same_group {
            rank = index;
        }
        if rung.line.contains(SERVICE) {
            for service in &ladder.services {
                items.push(fill(ladder, settings, rung, (rank, SERVICE, &service.name)));
            }
        } else if rung.line.contains(CPU) {
            for cpu in 1..settings.smp {
                items.push(fill(ladder, settings, rung, (rank, CPU, &cpu.to_string())));
            }
        } else {
            items.push(fill(ladder, settings, rung, (rank, SERVICE, "")));
        }
    }
    items
}

/// One line of `rung`: its rank, and what stands for the placeholder.
fn fill(ladder: &Ladder, settings: &Settings, rung: &Rung, place: (usize, &str, &str)) -> Item {
    let (rank, name, value) = place;
    let put = |text: &String| text.replace(name, value);
    let needs: Vec<String> = rung.needs.iter().map(put).collect();
    let wanted = rung.phase != KERNEL || settings.harts == Harts::Required;
    let expected = wanted && settings.smp >= rung.least_smp && ladder.has(&needs);
    let printer = put(&rung.printer);
    let owner = match printer.as_str() {
        "kernel" => None,
        "init" if name == SERVICE && !value.is_empty() => Some(value.to_string()),
        "init" => None,
        other => Some(other.to_string()),
    };
    let demand = if expected { Demand::Expected } else { Demand::Known };
    Item { line: put(&rung.line), phase: rung.phase.clone(), printer, owner, when: rung.when, rank, demand }
}

/// A phase that was asked for must expect a line of its own.
fn check_filled(ladder: &Ladder, items: &[Item], phase: &str) -> Result<(), Refusal> {
    if items.iter().any(|item| item.phase == phase && item.demand == Demand::Expected) {
        return Ok(());
    }
    if ladder.rungs.iter().any(|rung| rung.phase == phase && ladder.has(&rung.needs)) {
        return Err(Refusal::Usage(format!("RUN_PHASE={phase} needs REQUIRE_SMP=1 and SMP of 2 or more")));
    }
    Err(Refusal::NotBuilt(format!("phase {phase}")))
}

/// A run that stops at `text` expects the rows before it; where `text` is no row, only `text` itself.
fn cut_at(items: &mut [Item], text: &str) {
    let found = items.iter().find(|item| item.line == text).map(|item| item.rank);
    for item in items.iter_mut() {
        let before = found.is_some_and(|rank| item.rank < rank);
        if item.line == text {
            item.demand = Demand::Expected;
        } else if !before {
            item.demand = Demand::Known;
        }
    }
}

fn expected_calls(ladder: &Ladder) -> HashMap<String, Vec<String>> {
    let built = |name: &String| ladder.built.contains(name);
    let callees = |calls: &[String]| calls.iter().filter(|name| built(name)).cloned().collect();
    ladder.services.iter().map(|service| (service.name.clone(), callees(&service.calls))).collect()
}
