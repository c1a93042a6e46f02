//! Bounds: quotas against the machine, classes against policy, budgets, restarts, authority.

use nexus_abi::{Budget, Limits, QosClass, Quota};
use wiring::Grant;

use super::reader::At;
use super::refusal::{Broken, Rule, broken};
use super::written::{Task, Written};

/// Judges every bound of the manifest.
pub(super) fn check(written: &Written) -> Result<(), Broken> {
    for service in &written.services {
        class(service, written.policy.services, "a service")?;
        limits(service)?;
    }
    for program in &written.programs {
        class(program, written.policy.programs, "a program")?;
        limits(program)?;
        program_grants(program)?;
        fits_a_launcher(program, &written.services)?;
    }
    sole_grants(written)?;
    restart(written)?;
    init_quota(written)?;
    capacity(written)
}

fn class(task: &Task, ceiling: QosClass, whose: &str) -> Result<(), Broken> {
    if task.qos.value > ceiling {
        let (wanted, most) = (task.qos.value.name(), ceiling.name());
        let text = format!("`{}` is {wanted}; policy allows {whose} {most} at most", task.name.value);
        return Err(broken(Rule::QosAbovePolicy, task.qos.line, text));
    }
    Ok(())
}

/// Weight, CPUs and time.
fn limits(task: &Task) -> Result<(), Broken> {
    let At { value: Limits { shares, cpus, budget }, line } = task.limits.clone();
    let name = &task.name.value;
    if task.qos.value == QosClass::PerfBurst && budget.period_us == 0 {
        let text = format!("`{name}` is perfburst without a budget");
        return Err(broken(Rule::BurstWithoutBudget, task.qos.line, text));
    }
    if shares == 0 || shares > Limits::MAX_SHARES {
        let text = format!("{shares} shares are not 1 to {}", Limits::MAX_SHARES);
        return Err(broken(Rule::BadShares, line, text));
    }
    if cpus == 0 {
        return Err(broken(Rule::NoCpu, line, format!("`{name}` could run nowhere")));
    }
    if !budget.is_sound() {
        let (time, period, least) = (budget.time_us, budget.period_us, Budget::SHORTEST_US);
        let text = format!("{time} µs of every {period} µs is not a part of a period of {least} µs or more");
        return Err(broken(Rule::BadBudget, line, text));
    }
    Ok(())
}

fn program_grants(program: &Task) -> Result<(), Broken> {
    match program.grants.iter().find(|grant| !grant.value.for_programs()) {
        Some(grant) => {
            let text = format!("program `{}` cannot have `{}`", program.name.value, grant.value.name());
            Err(broken(Rule::ProgramGrant, grant.line, text))
        }
        None => Ok(()),
    }
}

/// A ring has one reader, and init asks one service.
fn sole_grants(written: &Written) -> Result<(), Broken> {
    for grant in [Grant::Records, Grant::Policy] {
        if let Some(second) = granted(written, grant).nth(1) {
            let text = format!("`{}` is granted to another service already", grant.name());
            return Err(broken(Rule::SoleGrant, second, text));
        }
    }
    Ok(())
}

/// The lines on which services are granted this.
fn granted(written: &Written, grant: Grant) -> impl Iterator<Item = usize> {
    let grants = written.services.iter().flat_map(|service| &service.grants);
    grants.filter(move |given| given.value == grant).map(|given| given.line)
}

/// A program's quota is carved from its launcher's: at least one service that may spawn must have that much.
fn fits_a_launcher(program: &Task, services: &[Task]) -> Result<(), Broken> {
    let launches = |service: &&Task| service.grants.iter().any(|grant| grant.value == Grant::Spawn);
    let mut short = "no service may start programs".to_owned();
    for launcher in services.iter().filter(launches) {
        match excess(&program.quota.value, &launcher.quota.value) {
            None => return Ok(()),
            Some((kind, wanted, has)) => {
                short = format!("`{}` has {has} {kind}, the program asks for {wanted}", launcher.name.value);
            }
        }
    }
    Err(broken(Rule::ProgramQuota, program.quota.line, short))
}

fn restart(written: &Written) -> Result<(), Broken> {
    let At { value: backoff, line } = &written.backoff;
    let wrong = if backoff.first_ms == 0 {
        "the first restart waits for nothing"
    } else if backoff.most_ms < backoff.first_ms {
        "the longest wait is shorter than the first"
    } else if backoff.limit == 0 {
        "a limit of 0 gives up before the first restart"
    } else if backoff.window_ms < backoff.first_ms {
        "the window ends before the first restart, so that nothing is ever given up"
    } else {
        return Ok(());
    };
    Err(broken(Rule::BadRestart, *line, wrong))
}

/// What init's own work takes: for each service a process, an endpoint, a ring and the handles it keeps to restart it.
fn init_quota(written: &Written) -> Result<(), Broken> {
    const OWN_SLOTS: u16 = 32;
    const SLOTS_PER_SERVICE: u16 = 7;
    let services = written.services.len() as u16;
    let rings = if granted(written, Grant::Records).next().is_some() { services + 1 } else { 0 };
    let floor = Quota {
        // A ring is a frame, and the frame that names it.
        frames: 32 + 2 * u32::from(rings),
        threads: 1,
        messages: 1,
        slot_blocks: (OWN_SLOTS + SLOTS_PER_SERVICE * services).div_ceil(64),
        processes: services,
        endpoints: services + 1,
        notifications: 1 + rings.min(1),
        memories: 4 + rings,
        mappings: 8,
        ..Quota::default()
    };
    match excess(&floor, &written.init.quota.value) {
        Some((kind, needed, has)) => {
            let text = format!("init has {has} {kind} and needs {needed} for {services} services");
            Err(broken(Rule::InitQuota, written.init.quota.line, text))
        }
        None => Ok(()),
    }
}

fn capacity(written: &Written) -> Result<(), Broken> {
    let quotas = [&written.init.quota].into_iter().chain(written.services.iter().map(|service| &service.quota));
    let mut sums = [0u64; Quota::NAMES.len()];
    for quota in quotas {
        for (index, value) in quota.value.values().into_iter().enumerate() {
            sums[index] += u64::from(value);
            let most = u64::from(written.capacity.values()[index]);
            if sums[index] > most {
                let kind = Quota::NAMES[index];
                let text = format!("with this quota {} {kind} are given away, the machine has {most}", sums[index]);
                return Err(broken(Rule::OverCapacity, quota.line, text));
            }
        }
    }
    Ok(())
}

/// The first resource of which `wanted` has more than `has`.
fn excess(wanted: &Quota, has: &Quota) -> Option<(&'static str, u32, u32)> {
    let pairs = wanted.values().into_iter().zip(has.values());
    Quota::NAMES
        .iter()
        .zip(pairs)
        .find(|(_, (wanted, has))| wanted > has)
        .map(|(name, (wanted, has))| (*name, wanted, has))
}
