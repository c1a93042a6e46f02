//! Commands that list: each turns what the system answers into rows.

use crate::command::Context;
use crate::system::{End, Process, State, Status};
use crate::{Cell, Failure, Listing};
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use nexus_abi::Error;

/// `ps`
pub(crate) fn ps(context: &mut Context<'_>) -> Result<(), Failure> {
    const COLUMNS: &[&str] =
        &["pid", "name", "class", "shares", "affinity", "budget", "state", "cpu_us", "frames", "handles", "threads"];
    let mut listing = Listing::new(COLUMNS);
    for process in context.system.processes().map_err(|error| Failure::new(error, "no list of processes"))? {
        let state = match process.state {
            State::Running => String::from("running"),
            State::Ended(end) => describe(end),
        };
        let [class, shares, affinity, budget] = terms(&process);
        listing.row([
            process.pid.into(),
            process.name.into(),
            class,
            shares,
            affinity,
            budget,
            state.into(),
            process.cpu_us.into(),
            process.frames.into(),
            process.handles.into(),
            process.threads.into(),
        ]);
    }
    show(context, &listing)
}

/// The cells under class, shares, affinity and budget: microseconds of CPU time in how many.
pub(crate) fn terms(process: &Process) -> [Cell; 4] {
    let budget = process.terms.and_then(|terms| terms.budget_us);
    [
        process.class.map(|class| class.name()).into(),
        process.terms.map(|terms| terms.shares).into(),
        process.terms.map(|terms| format!("{:#x}", terms.affinity)).into(),
        budget.map(|(time, period)| format!("{time}/{period}")).into(),
    ]
}

/// `cpus`
pub(crate) fn cpus(context: &mut Context<'_>) -> Result<(), Failure> {
    const COLUMNS: &[&str] =
        &["cpu", "hart", "state", "busy_us", "idle_us", "tasks", "switches", "timer_interrupts", "device_interrupts"];
    let mut listing = Listing::new(COLUMNS);
    for cpu in context.system.cpus().map_err(|error| Failure::new(error, "no list of CPUs"))? {
        listing.row([
            cpu.number.into(),
            cpu.hart.into(),
            word(cpu.online).into(),
            cpu.busy_us.into(),
            cpu.idle_us.into(),
            cpu.tasks.into(),
            cpu.switches.into(),
            cpu.timer_interrupts.into(),
            cpu.device_interrupts.into(),
        ]);
    }
    show(context, &listing)
}

/// `mem`
pub(crate) fn mem(context: &mut Context<'_>) -> Result<(), Failure> {
    let mut listing = Listing::new(&["kind", "used", "capacity"]);
    for row in context.system.memory().map_err(|error| Failure::new(error, "no list of resources"))? {
        listing.row([Cell::from(row.kind), row.used.into(), row.capacity.into()]);
    }
    show(context, &listing)
}

/// `services`
pub(crate) fn services(context: &mut Context<'_>) -> Result<(), Failure> {
    let mut listing = Listing::new(&["name", "pid", "state", "restarts"]);
    for service in context.system.services().map_err(|error| Failure::new(error, "no list of services"))? {
        listing.row([service.name.into(), service.pid.into(), service.state.into(), service.restarts.into()]);
    }
    show(context, &listing)
}

/// `timers`
pub(crate) fn timers(context: &mut Context<'_>) -> Result<(), Failure> {
    const COLUMNS: &[&str] = &[
        "class",
        "window_us",
        "pending",
        "registered",
        "refused",
        "fired",
        "coalesced",
        "woken",
        "saved",
        "inside",
        "us_10",
        "us_100",
        "ms_1",
        "ms_10",
        "later",
    ];
    let mut listing = Listing::new(COLUMNS);
    for row in context.system.timers().map_err(|error| Failure::new(error, "no list of timers"))? {
        let (counted, late) = (row.counted, row.lateness);
        let counts = [counted.pending, counted.registered, counted.refused, counted.fired, counted.coalesced];
        let costs = [counted.woken, counted.saved];
        let late = [late.inside, late.us_10, late.us_100, late.ms_1, late.ms_10, late.later];
        let numbers = [row.window_us].into_iter().chain(counts).chain(costs).chain(late).map(Cell::from);
        listing.row([Cell::from(row.class.name())].into_iter().chain(numbers).collect::<Vec<Cell>>());
    }
    show(context, &listing)
}

/// `caps <pid|service>`
pub(crate) fn caps(context: &mut Context<'_>) -> Result<(), Failure> {
    let (form, words) = context.form();
    let [holder] = words[..] else {
        return Err(Failure::invalid("caps <pid|service> [-j]"));
    };
    let unknown = || Failure::new(Error::NotFound, format!("no process or service `{}`", holder.escape_debug()));
    let pid = match holder.parse() {
        Ok(pid) => pid,
        Err(_) => {
            let services = context.system.services().map_err(|error| Failure::new(error, "no list of services"))?;
            services
                .iter()
                .find(|service| service.name == holder)
                .and_then(|service| service.pid)
                .ok_or_else(unknown)?
        }
    };
    let mut listing = Listing::new(&["slot", "kind", "rights", "badge", "object", "shard", "to"]);
    let slots = context.system.capabilities(pid).map_err(|error| match error {
        Error::NotFound => unknown(),
        other => Failure::new(other, "no list of capabilities"),
    })?;
    for slot in slots {
        let badge = format!("{:#x}", slot.badge);
        let (object, shard) = (slot.object.into(), slot.shard.into());
        let (index, kind, rights) = (slot.index.into(), slot.kind.into(), slot.rights.into());
        listing.row([index, kind, rights, badge.into(), object, shard, slot.to.into()]);
    }
    print(context, &listing, form)
}

/// How something ended, in words.
pub(crate) fn describe(end: End) -> String {
    match end {
        End::Exited(status) => format!("exited {status}"),
        End::Killed(status) => format!("killed {status}"),
        End::Faulted { cause, pc, address } => {
            format!("faulted: {} at pc={pc:#x} address={address:#x}", cause_name(cause))
        }
    }
}

/// The exception codes of the RISC-V privileged specification, table "Supervisor cause register values".
fn cause_name(cause: u64) -> &'static str {
    match cause {
        0 => "misaligned instruction",
        1 => "instruction access",
        2 => "illegal instruction",
        3 => "breakpoint",
        4 => "misaligned load",
        5 => "load access",
        6 => "misaligned store",
        7 => "store access",
        12 => "instruction page fault",
        13 => "load page fault",
        15 => "store page fault",
        _ => "unknown cause",
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Up => "up",
        Status::Down => "down",
    }
}

/// Prints a listing of a command that takes `-j` and nothing else.
fn show(context: &mut Context<'_>, listing: &Listing) -> Result<(), Failure> {
    let (form, words) = context.form();
    match words[..] {
        [] => print(context, listing, form),
        _ => Err(Failure::invalid("it takes -j and nothing else")),
    }
}

pub(crate) fn print(context: &mut Context<'_>, listing: &Listing, form: crate::Form) -> Result<(), Failure> {
    // A terminal that is gone is no failure of the command.
    let _ = listing.print(form, context.out);
    Ok(())
}
