//! Where services live: in the shards that the manifest names, also after they died and came back.

use super::acts::{console, missed, number_after, services};
use super::{ANSWER, Desk, PROMPT};
use crate::proof::session::SessionError;
use std::collections::BTreeSet;

/// The shards of the processes and endpoints that init holds, from its own listing.
fn homes(desk: &mut Desk) -> Result<(), SessionError> {
    let printed = desk.collect("caps 1 -j")?;
    let of = |kind: &str| -> BTreeSet<u64> {
        let mark = format!("\"kind\":\"{kind}\"");
        printed.iter().filter(|line| line.contains(&mark)).filter_map(|line| number_after(line, "\"shard\":")).collect()
    };
    let manifest = crate::manifest::load(&crate::root().join("system.toml"));
    let manifest = manifest.map_err(|refusal| missed(&refusal.to_string(), Vec::new()))?;
    // A service that names no shard lives in init's, the first; so does what init serves.
    let home = |service: &wiring::Service| service.shard.map_or(0, |shard| shard.number() as u64);
    let processes: BTreeSet<u64> = manifest.wiring.services.iter().map(home).collect();
    let endpoints: BTreeSet<u64> = processes.iter().copied().chain([0]).collect();
    if processes.len() > 1 && of("process") == processes && of("endpoint") == endpoints {
        return Ok(());
    }
    let found = format!("processes in {:?}, endpoints in {:?}", of("process"), of("endpoint"));
    Err(SessionError::Missed(found, "not in the shards that the manifest names", printed))
}

pub(super) fn shards(desk: &mut Desk) -> Result<(), SessionError> {
    homes(desk)?;
    desk.ask("run echo across shards | echo", "across shards")?;
    services(desk)?;
    console(desk)?;
    let pid = desk.start_behind("run rogue")?;
    desk.session.send_line(&format!("kill {pid}"))?;
    desk.session.wait_for(PROMPT, ANSWER)?;
    desk.ask(&format!("wait {pid}"), &format!("{pid}: "))?;
    homes(desk)
}
