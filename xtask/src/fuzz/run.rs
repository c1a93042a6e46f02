//! The fuzzer's own image, and one boot of it under a watchdog.

use super::judge::Report;
use super::order::{Clock, Order};
use crate::image::{Built, Kernel, Recipe, make_from};
use crate::manifest::{PROGRAM_PREFIX, Resolved};
use crate::proof::emulator::{Emulator, Event, Machine};
use nexus_abi::{Limits, Name, QosClass, Quota, ServiceId};
use std::time::{Duration, Instant};
use wiring::{Grants, Program, Wiring};

/// The crate that is first process and bundle.
const CRATE: &str = "fuzz";
/// Pages of the first process's stack.
const STACK_PAGES: u16 = 16;
/// How long the fuzzer may say nothing: it prints its progress every few seconds.
const SILENCE: Duration = Duration::from_secs(90);
/// How long the emulator may take to end when the fuzzer is through.
const FAREWELL: Duration = Duration::from_secs(20);
/// The last lines that a failure shows.
const SHOWN: usize = 25;
/// Characters of each of them.
const WIDTH: usize = 160;

/// Makes the kernel and the fuzzer's image.
pub(super) fn build() -> Result<Built, String> {
    let root = crate::root();
    let name = Name::new(&format!("{PROGRAM_PREFIX}{CRATE}")).ok_or("the name is too long")?;
    let id = ServiceId::program(name.as_str());
    let (quota, qos, grants) = (Quota::default(), QosClass::Normal, Grants::default());
    let program = Program {
        name,
        id,
        prefix: name,
        quota,
        qos,
        limits: Limits::NONE,
        stack_pages: STACK_PAGES,
        grants,
        shard: None,
    };
    let resolved = Resolved {
        wiring: Wiring { programs: vec![program], ..Wiring::default() },
        init_quota: Quota::default(),
        init_stack_pages: STACK_PAGES,
        capacity: Quota::default(),
        raisers: vec![ServiceId::service("init")],
    };
    let (first, kernel, folder) = (CRATE, Kernel::Checked, root.join("build/fuzz"));
    let recipe = Recipe { resolved, first, kernel, folder };
    make_from(&root, &recipe).map_err(|error| error.to_string())
}

/// Boots once and reads what the fuzzer reports; fails if it hangs, breaks off, or says so itself.
pub(super) fn run(built: &Built, order: &Order) -> Result<Report, String> {
    let Order { seed, calls, first, harts, .. } = order;
    let machine = Machine::default()
        .with("KERNEL", built.kernel.display())
        .with("IMAGE", built.image.display())
        .with("MEM", "32M")
        .with("SMP", harts)
        .append(&format!("selftest panic=exit selftest=fuzz,{seed},{calls},{first}"));
    let machine = match order.clock {
        Clock::Host => machine,
        Clock::Instructions => machine.with("ICOUNT", "shift=0,sleep=off"),
    };
    let mut emulator = Emulator::start(&crate::root(), &machine).map_err(|error| error.to_string())?;
    let (mut report, mut last) = (Report::default(), Vec::new());
    let mut deadline = Instant::now() + SILENCE;
    let status = loop {
        match emulator.next(deadline) {
            Event::Line(line) => {
                if report.read(&line.text) {
                    let patience = if report.end.is_some() { FAREWELL } else { SILENCE };
                    deadline = Instant::now() + patience;
                }
                last.push(line.text.chars().take(WIDTH).collect());
                last.drain(..last.len().saturating_sub(SHOWN));
            }
            Event::Partial(_) => {}
            Event::Ended(status) => break status,
            Event::Deadline => return Err(failure("it hangs", order, &report, &last)),
        }
    };
    match (report.end, status) {
        (Some(0), 0) if report.failures.is_empty() => Ok(report),
        (None, _) => Err(failure(&format!("the machine ended with status {status}"), order, &report, &last)),
        _ => Err(failure(&report.failures.join("; "), order, &report, &last)),
    }
}

/// What went wrong, where it can be replayed from, and what was on the console.
fn failure(what: &str, order: &Order, report: &Report, last: &[String]) -> String {
    let shown: Vec<String> = last.iter().map(|line| format!("  {}", line.escape_debug())).collect();
    let (seed, next) = (order.seed, report.next.max(order.first));
    format!("{what} (seed {seed}, after child {next})\n{}", shown.join("\n"))
}
