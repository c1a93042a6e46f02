//! What wakes a machine on which nothing happens.

use super::acts::{missed, number_after};
use super::{ANSWER, Desk, PROMPT};
use crate::proof::session::SessionError;
use std::time::Duration;

/// For more virtual seconds than a scene sleeps, on a machine that does not leap over them.
const SLEPT: Duration = Duration::from_secs(100);

/// All services are up, the prompt is there, nobody types: a program behind it counts timer interrupts over all harts.
pub(super) fn asleep(desk: &mut Desk, seconds: u64) -> Result<(), SessionError> {
    let (line, count) = sleep(desk, seconds)?;
    println!("{line}");
    if count <= seconds { Ok(()) } else { Err(missed("at most one timer interrupt a second", vec![line])) }
}

/// The same beside a program that has a timer every 100 ms.
pub(super) fn awake(desk: &mut Desk) -> Result<(), SessionError> {
    const SECONDS: u64 = 10;
    desk.start_behind("run rogue tick")?;
    let (line, count) = sleep(desk, SECONDS)?;
    // Its own end of sleep and what the start of a program takes come on top.
    let expected = 10 * SECONDS - 2..=11 * SECONDS;
    if expected.contains(&count) { Ok(()) } else { Err(missed("ten timer interrupts a second", vec![line])) }
}

fn sleep(desk: &mut Desk, seconds: u64) -> Result<(String, u64), SessionError> {
    desk.session.send_line(&format!("run churn asleep {seconds} &"))?;
    desk.session.wait_for(&format!("{seconds} s asleep, "), SLEPT)?;
    let line = desk.session.wait_for(" CPUs", ANSWER)?.text;
    desk.session.wait_for(PROMPT, SLEPT)?;
    let count = number_after(&line, "asleep, ").ok_or_else(|| missed("a count", vec![line.clone()]))?;
    Ok((line, count))
}
