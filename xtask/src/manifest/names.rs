//! Names: their form, that they are distinct, and that their hashes are.

use std::collections::{BTreeMap, BTreeSet};

use nexus_abi::{Name, ServiceId};
use wiring::Grant;

use super::reader::At;
use super::refusal::{Broken, Rule, broken};
use super::written::{Task, Written};

/// What stands in front of the name of a program of the boot image.
pub const PROGRAM_PREFIX: &str = "app/boot/";

/// The party that every manifest has without listing it.
pub(super) const INIT: &str = wiring::INIT;

/// Judges every name of the manifest.
pub(super) fn check(written: &Written) -> Result<(), Broken> {
    let services = written.services.iter().map(|task| &task.name);
    let programs = written.programs.iter().map(|task| &task.name);
    let devices = written.devices.iter().map(|device| &device.name);
    distinct("service", services.clone())?;
    distinct("program", programs.clone())?;
    distinct("device", devices)?;
    if let Some(name) = services.clone().find(|name| name.value == INIT) {
        return Err(broken(Rule::DuplicateName, name.line, "init is not a service that is started"));
    }
    services.clone().try_for_each(ring_name)?;
    programs.clone().try_for_each(|name| program_name(name).map(drop))?;
    for task in written.services.iter().chain(&written.programs) {
        let provided = task.provides.iter().map(|provided| &provided.name);
        provided.chain(task.routes.iter().map(|route| &route.name)).try_for_each(well_formed)?;
    }
    written.init.provides.iter().try_for_each(|provided| well_formed(&provided.name))?;
    prefixes(written)?;
    written.services.iter().chain(&written.programs).try_for_each(one_handle_a_name)?;
    distinct_ids(services.map(|name| (name, ServiceId::service(&name.value))))?;
    distinct_ids(programs.map(|name| (name, ServiceId::program(&format!("{PROGRAM_PREFIX}{}", name.value)))))
}

/// A service's ring goes by the service's name and a suffix.
fn ring_name(name: &At<String>) -> Result<(), Broken> {
    printable(&At { value: format!("{}{}", name.value, wiring::RING_SUFFIX), line: name.line }).map(drop)
}

/// What system lines may begin with: nobody else's name, nothing of the kernel's.
fn prefixes(written: &Written) -> Result<(), Broken> {
    let mut taken: BTreeSet<&str> = BTreeSet::from([INIT, "KINIT", "KSELFTEST", "QOS-AUDIT"]);
    taken.extend(written.services.iter().map(|service| service.name.value.as_str()));
    for prefix in written.services.iter().chain(&written.programs).filter_map(|task| task.prefix.as_ref()) {
        printable(prefix)?;
        if !taken.insert(&prefix.value) {
            let text = format!("lines that begin with `{}` are somebody else's", prefix.value);
            return Err(broken(Rule::DuplicatePrefix, prefix.line, text));
        }
    }
    Ok(())
}

/// Handles are found by name in one list: no route is called as what init gives besides.
fn one_handle_a_name(task: &Task) -> Result<(), Broken> {
    // The right to drain the console ring goes by the ring's name.
    let grants = [Grant::Log, Grant::Info, Grant::Power, Grant::Spawn, Grant::Image];
    let others = [wiring::SERVE, INIT, wiring::RING, wiring::BELL];
    let given = |name: &str| others.contains(&name) || grants.iter().any(|grant| grant.name() == name);
    match task.routes.iter().find(|route| given(&route.name.value)) {
        Some(route) => {
            let text = format!("`{}` is the name of a handle that init gives", route.name.value);
            Err(broken(Rule::Repeated, route.name.line, text))
        }
        None => Ok(()),
    }
}

/// A name in its wire form: a letter, then letters, digits and hyphens, at most 24 bytes.
pub(super) fn wire(name: &At<String>) -> Result<Name, Broken> {
    well_formed(name)?;
    printable(name)
}

/// The display name of a program of the boot image.
pub(super) fn program_name(name: &At<String>) -> Result<Name, Broken> {
    well_formed(name)?;
    printable(&At { value: format!("{PROGRAM_PREFIX}{}", name.value), line: name.line })
}

/// Any printable text of at most 24 bytes, such as what a device is compatible with.
pub(super) fn printable(text: &At<String>) -> Result<Name, Broken> {
    let refuse = || broken(Rule::BadName, text.line, format!("`{}` is not 1 to 24 printable characters", text.value));
    Name::new(&text.value).filter(|_| !text.value.is_empty()).ok_or_else(refuse)
}

fn well_formed(name: &At<String>) -> Result<(), Broken> {
    let letter = |byte: &u8| byte.is_ascii_lowercase();
    let bytes = name.value.as_bytes();
    let sound = bytes.first().is_some_and(letter)
        && bytes.iter().all(|byte| letter(byte) || byte.is_ascii_digit() || *byte == b'-');
    if !sound {
        let text = format!("`{}` is not a letter followed by letters a-z, digits and hyphens", name.value);
        return Err(broken(Rule::BadName, name.line, text));
    }
    printable(name).map(drop)
}

fn distinct<'a>(kind: &str, names: impl Iterator<Item = &'a At<String>>) -> Result<(), Broken> {
    let mut seen = BTreeMap::new();
    for name in names {
        well_formed(name)?;
        if let Some(line) = seen.insert(&name.value, name.line) {
            let text = format!("{kind} `{}` is there already, on line {line}", name.value);
            return Err(broken(Rule::DuplicateName, name.line, text));
        }
    }
    Ok(())
}

fn distinct_ids<'a>(names: impl Iterator<Item = (&'a At<String>, ServiceId)>) -> Result<(), Broken> {
    let mut seen = BTreeMap::new();
    for (name, id) in names {
        if let Some(other) = seen.insert(id.0, &name.value) {
            let text = format!("`{}` and `{other}` have the same id {:#018x}", name.value, id.0);
            return Err(broken(Rule::CollidingIds, name.line, text));
        }
    }
    Ok(())
}
