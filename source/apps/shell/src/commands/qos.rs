//! `qos`: the class of a program, and what it may use of the CPUs.

use crate::Failure;
use crate::command::Context;
use crate::system::Terms;
use alloc::format;
use nexus_abi::{Budget, Error, Limits, QosClass};

const USAGE: &str = "qos <pid> [idle|normal|interactive|perfburst] [shares=N] [cpus=N,N] [budget=US/US|none]";

/// `qos <pid> <class>`; or limits, of which those that are not named stay as they are.
pub(crate) fn qos(context: &mut Context<'_>) -> Result<(), Failure> {
    let [pid, words @ ..] = context.words else {
        return Err(usage());
    };
    let pid = pid.parse().map_err(|_| Failure::invalid("a pid is a number"))?;
    let (class, words) = match words.split_first() {
        Some((word, rest)) => match QosClass::ALL.into_iter().find(|known| known.name() == word) {
            Some(class) => (Some(class), rest),
            None => (None, words),
        },
        None => return Err(usage()),
    };
    let with = |had| words.iter().try_fold(had, |limits, word| changed(limits, word).ok_or_else(usage));
    // Nobody is asked for anything by a line that says nothing.
    with(Limits::NONE)?;
    if let Some(class) = class {
        let set = context.system.set_class(pid, class);
        set.map_err(|error| refused(error, pid, &format!("cannot be {}", class.name())))?;
    }
    if words.is_empty() {
        return Ok(());
    }
    let limits = with(terms_of(context, pid)?)?;
    context.system.limit(pid, limits).map_err(|error| refused(error, pid, "cannot have these limits"))
}

fn usage() -> Failure {
    Failure::invalid(USAGE)
}

fn refused(error: Error, pid: u32, text: &str) -> Failure {
    let text = if error == Error::NotFound { format!("no program {pid}") } else { format!("{pid} {text}") };
    Failure::new(error, text)
}

/// What it may use now.
fn terms_of(context: &mut Context<'_>, pid: u32) -> Result<Limits, Failure> {
    let processes = context.system.processes().map_err(|error| Failure::new(error, "no list of processes"))?;
    let terms = processes.iter().find(|process| process.pid == pid).and_then(|process| process.terms);
    let Terms { shares, affinity, budget_us } = terms.ok_or_else(|| refused(Error::NotFound, pid, ""))?;
    let (time, period) = budget_us.unwrap_or_default();
    let budget = Budget { time_us: narrow(time), period_us: narrow(period) };
    Ok(Limits { shares: narrow(shares.into()), cpus: narrow(affinity), budget })
}

/// The kernel's numbers came out of such words; more than fits would be refused as it is here.
fn narrow<T: TryFrom<u64> + Default>(number: u64) -> T {
    T::try_from(number).unwrap_or_default()
}

/// The limits with what a word of the line says.
fn changed(limits: Limits, word: &str) -> Option<Limits> {
    let (key, value) = word.split_once('=')?;
    match key {
        "shares" => Some(Limits { shares: value.parse().ok()?, ..limits }),
        "cpus" => {
            let bit = |number: &str| 1u8.checked_shl(number.parse().ok()?);
            let cpus = value.split(',').try_fold(0, |cpus, number| Some(cpus | bit(number)?))?;
            Some(Limits { cpus, ..limits })
        }
        "budget" if value == "none" => Some(Limits { budget: Budget::default(), ..limits }),
        "budget" => {
            let (time, period) = value.split_once('/')?;
            let budget = Budget { time_us: time.parse().ok()?, period_us: period.parse().ok()? };
            Some(Limits { budget, ..limits })
        }
        _ => None,
    }
}
