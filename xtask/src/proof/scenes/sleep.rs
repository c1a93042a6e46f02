//! What wakes a machine on which nothing happens.

use super::acts::{missed, number_after};
use super::{ANSWER, Desk, PROMPT};
use crate::proof::session::SessionError;
use crate::proof::verdict::Stamped;
use std::time::Duration;

/// For more seconds than a scene sleeps.
const SLEPT: Duration = Duration::from_secs(100);

/// Played by a program, which judges itself: its status becomes the machine's.
pub(super) fn judged(desk: &mut Desk) -> Result<(), SessionError> {
    println!("{}", count(desk)?);
    Ok(())
}

/// Played by a program too: what it prints is shown.
pub(super) fn fair(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.wait_for(" promises broken", SLEPT)?;
    let said = |line: &&Stamped| {
        ["shares ", "a lower ", "woken ", "a fifth ", "held ", "storm "]
            .iter()
            .any(|begin| line.text.starts_with(begin))
    };
    desk.session.transcript().iter().filter(said).for_each(|line| println!("{}", line.text));
    Ok(())
}

/// All services are up, the prompt is there, nobody types: a program behind it counts timer interrupts over all harts.
pub(super) fn asleep(desk: &mut Desk, seconds: u64) -> Result<(), SessionError> {
    desk.session.send_line(&format!("run churn asleep {seconds} &"))?;
    let line = count(desk)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    println!("{line}");
    match number_after(&line, "asleep, ") {
        Some(count) if count <= seconds => Ok(()),
        _ => Err(missed("at most one timer interrupt a second", vec![line])),
    }
}

fn count(desk: &mut Desk) -> Result<String, SessionError> {
    desk.session.wait_for(" s asleep, ", SLEPT)?;
    desk.session.wait_for(" CPUs", ANSWER).map(|line| line.text)
}
