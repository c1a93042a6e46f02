//! `top`: who used how much of the CPUs in the last second.

use super::listings::{print, terms};
use crate::command::Context;
use crate::listing::Listing;
use crate::system::{Process, Rest};
use crate::{Failure, Form};
use alloc::vec::Vec;
use core::cmp::Reverse;
use core::time::Duration;

/// Between two looks.
const SECOND: Duration = Duration::from_secs(1);

/// `top [-n N]`: N looks (1), a second apart. Ctrl-C ends it.
pub(crate) fn top(context: &mut Context<'_>) -> Result<(), Failure> {
    let usage = || Failure::invalid("top [-n N] [-j]");
    let (form, words) = context.form();
    let looks: u32 = match words[..] {
        [] => 1,
        ["-n", count] => count.parse().ok().filter(|&count| count > 0).ok_or_else(usage)?,
        _ => return Err(usage()),
    };
    let mut before = look(context)?;
    for _ in 0..looks {
        match context.system.rest(SECOND).map_err(|error| Failure::new(error, "no rest"))? {
            Rest::Interrupted => return Ok(()),
            Rest::Over => {}
        }
        let now = look(context)?;
        show(context, &before, &now, form)?;
        before = now;
    }
    Ok(())
}

/// When, and what there was.
type Look = (u64, Vec<Process>);

fn look(context: &mut Context<'_>) -> Result<Look, Failure> {
    let processes = context.system.processes().map_err(|error| Failure::new(error, "no list of processes"))?;
    Ok((context.system.uptime_us(), processes))
}

fn show(context: &mut Context<'_>, before: &Look, now: &Look, form: Form) -> Result<(), Failure> {
    let past = now.0.saturating_sub(before.0).max(1);
    // A number may have gone to another process meanwhile: that one began with no time used.
    let earlier = |process: &Process| {
        let same = before.1.iter().find(|other| (other.pid, &other.name) == (process.pid, &process.name));
        same.map_or(0, |other| other.cpu_us)
    };
    let living = now.1.iter().filter(|process| process.class.is_some());
    let mut rows: Vec<(u64, &Process)> =
        living.map(|process| (process.cpu_us.saturating_sub(earlier(process)) * 1000 / past, process)).collect();
    rows.sort_by_key(|(used, process)| (Reverse(*used), process.pid));
    let mut listing = Listing::new(&["pid", "name", "class", "shares", "affinity", "budget", "cpu_permille", "cpu_us"]);
    for (used, process) in rows {
        let [class, shares, affinity, budget] = terms(process);
        let (pid, name) = (process.pid.into(), process.name.as_str().into());
        listing.row([pid, name, class, shares, affinity, budget, used.into(), process.cpu_us.into()]);
    }
    print(context, &listing, form)
}
