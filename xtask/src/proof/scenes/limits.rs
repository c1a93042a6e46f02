//! What the manifest lets a process use of the CPUs: at start, at restart, and beyond it.

use super::acts::{SLOW, missed, number_after};
use super::{ANSWER, Desk, PROMPT};
use crate::proof::session::SessionError;
use nexus_abi::{Budget, Limits, QosClass};
use wiring::Wiring;

/// A fifth of the time, a light weight and the first CPU for who spins; a heavy weight for a service.
pub(super) fn limited(wiring: &mut Wiring) {
    let budget = Budget { time_us: 2000, period_us: 10_000 };
    program(wiring, "rogue").for_each(|rogue| rogue.limits = Limits { shares: 50, cpus: 1, budget });
    let logd = wiring.services.iter_mut().find(|service| service.name.as_str() == "logd");
    logd.into_iter().for_each(|logd| logd.limits = Limits { shares: 300, ..Limits::NONE });
}

fn program<'a>(wiring: &'a mut Wiring, name: &str) -> impl Iterator<Item = &'a mut wiring::Program> {
    wiring.programs.iter_mut().filter(move |program| program.name.as_str() == format!("app/boot/{name}"))
}

/// Who measures is Interactive.
pub(super) fn above(wiring: &mut Wiring) {
    program(wiring, "churn").for_each(|churn| churn.qos = QosClass::Interactive);
}

/// Likewise, who strains too, and who spins has the highest class and a budget.
pub(super) fn between(wiring: &mut Wiring) {
    above(wiring);
    let budget = Budget::DEFAULT;
    program(wiring, "attacker").for_each(|attacker| attacker.qos = QosClass::Interactive);
    program(wiring, "rogue").for_each(|rogue| {
        (rogue.qos, rogue.limits) = (QosClass::PerfBurst, Limits { budget, ..Limits::NONE });
    });
}

/// The longest time without a look for interrupts, and two switches: instructions, as `docs/benchmarks.md` has them, which
/// is printed from this kernel. 0 if they are not there: nothing runs as soon as that.
pub(super) fn longest() -> u64 {
    let page = std::fs::read_to_string(crate::root().join("docs/benchmarks.md")).unwrap_or_default();
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_string()).collect::<Vec<_>>();
    let last = |row: &str| cells(row).iter().rev().find_map(|cell| cell.parse::<u64>().ok());
    let behind = page.lines().skip_while(|line| !line.starts_with("| without a look for interrupts"));
    let deaf = behind.take_while(|line| line.starts_with('|')).filter_map(last).max();
    let switch = page.lines().find(|line| line.starts_with("| yield to another thread"));
    let switch = switch.and_then(|row| cells(row).get(2)?.parse::<u64>().ok());
    deaf.zip(switch).map_or(0, |(deaf, switch)| deaf + 2 * switch)
}

/// The row of `ps` or `top` of a process.
fn row(desk: &mut Desk, listing: &str, name: &str) -> Result<String, SessionError> {
    let before = desk.session.transcript().len();
    desk.session.send_line(listing)?;
    desk.session.wait_for(PROMPT, SLOW)?;
    let printed: Vec<String> = desk.session.transcript()[before..].iter().map(|line| line.text.clone()).collect();
    let found = printed.iter().find(|line| line.contains(&format!("\"name\":\"{name}\""))).cloned();
    found.ok_or_else(|| missed(&format!("a row of {name}"), printed))
}

fn shows(desk: &mut Desk, name: &str, terms: &str) -> Result<(), SessionError> {
    let row = row(desk, "ps -j", name)?;
    if row.contains(terms) { Ok(()) } else { Err(missed(terms, vec![row])) }
}

/// Of a CPU's time, in thousandths.
fn uses(desk: &mut Desk, part: std::ops::RangeInclusive<u64>) -> Result<(), SessionError> {
    let row = row(desk, "top -j", "app/boot/rogue")?;
    let used = number_after(&row, "\"cpu_permille\":").filter(|used| part.contains(used));
    used.map(drop).ok_or_else(|| missed(&format!("{part:?} thousandths of a CPU"), vec![row]))
}

const OF_ROGUE: &str = "\"shares\":50,\"affinity\":\"0x1\",\"budget\":\"2000/10000\"";

pub(super) fn act(desk: &mut Desk) -> Result<(), SessionError> {
    for _ in 0..2 {
        shows(desk, "logd", "\"shares\":300,\"affinity\":\"0x1\",\"budget\":null")?;
        desk.session.send_line("kill logd")?;
        desk.session.wait_for("init: up logd", ANSWER)?;
        desk.session.wait_for(PROMPT, ANSWER)?;
    }
    let pid = desk.start_behind("run rogue")?;
    shows(desk, "app/boot/rogue", OF_ROGUE)?;
    uses(desk, 150..=250)?;
    // Less is for who controls it; more takes policy's leave, and is written down.
    desk.collect(&format!("qos {pid} shares=20 budget=1000/10000"))?;
    shows(desk, "app/boot/rogue", "\"shares\":20,\"affinity\":\"0x1\",\"budget\":\"1000/10000\"")?;
    desk.ask("log -s execd -n 1", "open app/boot/rogue decision=allow")?;
    uses(desk, 75..=125)?;
    desk.ask(&format!("qos {pid} idle"), "QOS-AUDIT decision=allow reason=listed ")?;
    uses(desk, 75..=125)?;
    desk.collect(&format!("qos {pid} shares=400 cpus=0,1 budget=none"))?;
    shows(desk, "app/boot/rogue", "\"shares\":400,\"affinity\":\"0x1\",\"budget\":null")?;
    desk.ask("log -s execd -n 1", "raise app/boot/rogue decision=allow reason=route caller=shell")?;
    desk.ask(&format!("qos {pid} shares=1001"), "error: EINVAL: ")?;
    desk.collect(&format!("kill {pid}"))?;
    // The next of its kind has what the manifest says.
    desk.start_behind("run rogue")?;
    let printed = desk.collect("ps -j")?;
    let rows = |terms: &str| printed.iter().filter(|line| line.contains(terms)).count();
    if rows(OF_ROGUE) == 1 { Ok(()) } else { Err(missed(OF_ROGUE, printed)) }
}

/// Who spins and has no budget uses what is left.
pub(super) fn unlimited(desk: &mut Desk) -> Result<(), SessionError> {
    desk.start_behind("run rogue")?;
    let row = row(desk, "top -j", "app/boot/rogue")?;
    let all = number_after(&row, "\"cpu_permille\":").is_some_and(|used| used > 900);
    let free = row.contains("\"shares\":100,\"affinity\":\"0x1\",\"budget\":null");
    if all && free { Ok(()) } else { Err(missed("all the time and no limit", vec![row])) }
}
