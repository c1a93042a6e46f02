//! What holds when the system has just started: nothing typed is lost, nothing costs more than it may.

use super::acts::{missed, number_after, services};
use super::{ANSWER, BOOT, Desk, PROMPT};
use crate::proof::session::SessionError;

/// Typed before the firmware runs. Some may be gone with its own look at the device, so what counts comes behind, and is as
/// long as the device's queue.
pub(super) fn early_keys(desk: &mut Desk) -> Result<(), SessionError> {
    desk.session.send_bytes(b"\r\r\r\r")?;
    desk.session.send_line("run hello early")?;
    desk.session.wait_for("init: ready", BOOT)?;
    desk.session.wait_for("hello, early", ANSWER)?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask("uptime", "up ").map(drop)
}

/// What init was charged for, without what it carved from its own for the services; again after it started one anew.
pub(super) fn init_quota(desk: &mut Desk) -> Result<(), SessionError> {
    let manifest = crate::manifest::load(&crate::root().join("system.toml"));
    let manifest = manifest.map_err(|refusal| missed(&refusal.to_string(), Vec::new()))?;
    let carved: u64 = manifest.wiring.services.iter().map(|service| u64::from(service.quota.frames)).sum();
    let most = u64::from(manifest.init_quota.frames);
    for _ in 0..2 {
        let printed = desk.collect("ps -j")?;
        let init = printed.iter().find(|line| line.contains("\"name\":\"init\""));
        match init.and_then(|line| number_after(line, "\"frames\":")) {
            Some(all) if all > carved && all - carved <= most => {}
            all => return Err(missed(&format!("{carved} frames carved, {most} for init, {all:?} charged"), printed)),
        }
        services(desk)?;
    }
    Ok(())
}

/// What booting to the prompt took, by the kernel's own count of busy time: a microsecond is 1,000 instructions.
pub(super) fn boot_cost(desk: &mut Desk) -> Result<(), SessionError> {
    const MOST: u64 = 20_000;
    let printed = desk.collect("cpus -j")?;
    match printed.iter().find_map(|line| number_after(line, "\"busy_us\":")) {
        Some(busy) if busy <= MOST => Ok(()),
        _ => Err(missed("at most 20,000,000 instructions to the prompt", printed)),
    }
}
